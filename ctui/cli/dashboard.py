"""`ctui [PATH]`: the dashboard."""

from __future__ import annotations

import os
import sys

from ctui.cli import context
from ctui.errors import CtuiError, Refused


def show(path: str) -> int:
    """Open the dashboard of the repository at `path`.

    Raises:
        CtuiError: there is no terminal or no repository.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Refused(
            "the dashboard needs a terminal", hint="`ctui --help` shows what works without"
        )
    from ctui.config import load_config
    from ctui.demo.screen import DEMO_VARIABLE
    from ctui.tui.app import run_app

    repository = context.repository(path)
    if repository.work_tree is None:
        raise CtuiError("this repository has no checkout", hint="run ctui in its main checkout")
    paths = context.paths()
    config = load_config(paths, repository=repository.work_tree)
    run_app(paths, config, repository, scripted=bool(os.environ.get(DEMO_VARIABLE)))
    return 0
