"""`ctui secret`: secrets that tasks get by name."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ctui.cli import context
from ctui.cli.output import json_option, print_json, print_table, warn
from ctui.errors import CtuiError, InvalidInput
from ctui.humanize import age

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

    from ctui.cli.shapes import ShownSecret
    from ctui.paths import Paths
    from ctui.tasks.secrets.registry import Secret


@click.group("secret")
def command() -> None:
    """Name secrets for tasks (`ctui run --secret NAME`), and where their values are.

    A value is read anew for each run. It is in no command line, store or log of ctui.
    """


def _complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from ctui.tasks.secrets.registry import all_secrets

    try:
        known = all_secrets(context.paths())
    except CtuiError:
        return []
    return [CompletionItem(name) for name in known if name.startswith(incomplete)]


def _source_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option(
            "--no-redact",
            is_flag=True,
            help="Leave it in what tasks print: for one that is short, or an ordinary word.",
        ),
        click.option(
            "--from-command",
            "--command",
            metavar="COMMAND",
            help="Take what this prints, such as `op read op://vault/item/field`; no shell.",
        ),
        click.option(
            "--from-file", "--file", type=click.Path(path_type=Path), help="Take this file."
        ),
        click.option(
            "--from-env", "--env", metavar="VARIABLE", help="Take this variable of your shell."
        ),
    ):
        function = option(function)
    return function


@command.command("set")
@click.argument("name")
@_source_options
def set_(name: str, **options: Any) -> None:
    """Store the value of NAME, which is asked for or read from stdin, in the platform's keyring.

    With one of the --from options only that is stored. Where no keyring works, the value goes into
    a file that only you can read.
    """
    from ctui.config.variables import check_variable
    from ctui.tasks.secrets.registry import all_secrets

    check_variable(name, "", "secret")
    paths = context.paths()
    before = all_secrets(paths).get(name)
    _set(paths, name, before, options)


@command.command("rotate")
@click.argument("name", shell_complete=_complete)
@_source_options
def rotate(name: str, **options: Any) -> None:
    """Replace the value of NAME, or its place; tasks get the new one at their next run."""
    from ctui.tasks.secrets.registry import known_secret

    paths = context.paths()
    before = known_secret(paths, name)
    if not any(options[key] for key in ("from_env", "from_file", "from_command")):
        if not _is_stored(before):
            raise InvalidInput(
                f"the value of {name} is not ctui's: it comes from {_place(before)}",
                hint="change it there; the next run of each task has it",
            )
        options["no_redact"] = options["no_redact"] or not before.redact
    _set(paths, name, before, options)
    if tasks := [task for task, names in _tasks(paths).items() if name in names]:
        warn(f"* they get it at their next run: {', '.join(tasks)}")


@command.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """List secrets with the tasks that have them, and when a run was last given one.

    No value is read.
    """
    from ctui.tasks.secrets.registry import all_secrets

    paths = context.paths()
    having = _tasks(paths)
    given = _given(paths)
    shown = [_shown(secret, having, given) for secret in all_secrets(paths).values()]
    if as_json:
        print_json(shown)
        return
    rows = [
        [
            one.name,
            f"{one.source} {one.where}" if one.source != "keyring" else one.source,
            "" if one.redacted else "not redacted",
            age(one.last_given) if one.last_given else "never",
            ", ".join(one.tasks),
        ]
        for one in shown
    ]
    header = ["NAME", "FROM", "NOTE", "LAST GIVEN", "TASKS"]
    print_table(header, rows, empty="no secrets: `ctui secret set NAME` adds one")


@command.command("remove")
@click.argument("name", shell_complete=_complete)
def remove(name: str) -> None:
    """Forget NAME, and its value where ctui stored it. What runs keeps it until it ends."""
    from ctui.tasks.secrets.registry import known_secret
    from ctui.tasks.secrets.values import forget

    paths = context.paths()
    forget(paths, known_secret(paths, name))
    click.echo(f"{name} is forgotten")
    if tasks := [task for task, names in _tasks(paths).items() if name in names]:
        warn(f"* no run of these begins without it: {', '.join(tasks)}")


def _set(paths: Paths, name: str, before: Secret | None, options: dict[str, Any]) -> None:
    from ctui.tasks.secrets.registry import Secret, put_secret
    from ctui.tasks.secrets.values import checked, forget, store_value, without_newline

    sources = {
        "environment": options["from_env"],
        "file": options["from_file"] and str(options["from_file"].expanduser().absolute()),
        "command": options["from_command"],
    }
    chosen = {source: where for source, where in sources.items() if where}
    if len(chosen) > 1:
        raise click.UsageError("A secret comes from one place: choose one of the --from options.")
    redact = not options["no_redact"]
    if not chosen:
        value = checked(name, without_newline(_typed(name)), redact=redact)
        secret = store_value(paths, name, value, redact=redact)
    else:
        ((source, where),) = chosen.items()
        new = Secret(name=name, source=source, where=where, redact=redact)  # type: ignore[arg-type]
        _look(new)
        if before is not None and _is_stored(before):
            forget(paths, before)
        secret = put_secret(paths, new)
    click.echo(f"{name} {'is now' if before else 'is'} taken from {_place(secret)}")


def _look(secret: Secret) -> None:
    """Say what is missing; it may be there when a task starts."""
    from ctui.tasks.secrets.values import read_value

    if secret.source == "command":
        return  # it may ask somebody, and costs time
    try:
        read_value(secret, os.environ)
    except CtuiError as error:
        if isinstance(error, InvalidInput):
            raise
        warn(f"* {error.one_line()}")


def _typed(name: str) -> bytes:
    from ctui.tasks.secrets.values import LONGEST

    if sys.stdin.isatty():
        said = click.prompt(f"Value of {name}", hide_input=True, err=True, default="")
        return str(said).encode("utf-8", "surrogateescape")
    data = sys.stdin.buffer.read(LONGEST + 1)
    if len(data) > LONGEST:
        raise InvalidInput(
            f"the secret {name} is longer than the 128 KiB that a variable can have",
            hint="give it as a file of the worktree: .worktreeinclude",
        )
    return data


def _is_stored(secret: Secret) -> bool:
    return secret.source == "keyring" or secret.kept


def _place(secret: Secret) -> str:
    match secret.source:
        case "keyring":
            return "the platform's keyring"
        case "environment":
            return f"the variable {secret.where}"
        case "file" if secret.kept:
            return f"{secret.where} (mode 0600, not encrypted: no keyring works here)"
        case "file":
            return secret.where
        case "command":
            return f"`{secret.where}`"


def _tasks(paths: Paths) -> dict[str, tuple[str, ...]]:
    """Return the names of secrets of each task on the list that has some."""
    if not paths.database.exists():
        return {}
    return {
        task.id: task.options.secrets
        for task in context.store().tasks.list()
        if task.options.secrets
    }


def _given(paths: Paths) -> dict[str, int]:
    return context.store().variables.given() if paths.database.exists() else {}


def _shown(
    secret: Secret, having: dict[str, tuple[str, ...]], given: dict[str, int]
) -> ShownSecret:
    from ctui.cli.shapes import ShownSecret

    tasks = [task for task, names in having.items() if secret.name in names]
    times = [given[task] for task in tasks if task in given]
    return ShownSecret(
        name=secret.name,
        source=secret.source,
        where=secret.where,
        redacted=secret.redact,
        tasks=tasks,
        last_given=max(times, default=None),
    )
