"""Details of an error for `--debug`: the way that led to it, and where the driver's log is."""

from __future__ import annotations

import os
import traceback

import click

from ctui.errors import CtuiError, ExternalFailure
from ctui.text import sanitise


def explain(error: BaseException) -> None:
    """Print the traceback to stderr, without the secrets that this process can know."""
    from ctui.redaction.redactor import Redactor

    redactor = Redactor(_secrets())
    text = "".join(traceback.format_exception(error))
    if isinstance(error, ExternalFailure):
        text += f"argv: {list(error.argv)}\nexit code: {error.exit_code}\nstderr: {error.stderr}\n"
    text += f"driver's log: {_driver_log()}"
    redacted = redactor.redact(text.encode("utf-8", "replace")).decode("utf-8", "replace")
    click.echo(sanitise(redacted), err=True)


def _secrets() -> list[str]:
    from ctui.claude.login.credentials import VARIABLES, stored_credential
    from ctui.paths import Paths
    from ctui.tasks.secrets.values import at_hand

    found = [os.environ.get(variable, "").strip() for variable in VARIABLES.values()]
    try:
        stored = stored_credential(Paths.from_environment())
    except (CtuiError, OSError):
        stored = None
    own = at_hand(Paths.from_environment(), os.environ)
    return [*found, stored.credential.value if stored else "", *own]


def _driver_log() -> str:
    from ctui.paths import Paths

    return str(Paths.from_environment().driver_log)
