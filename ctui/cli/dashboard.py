"""`ctui [PATH]`: the dashboard. Nothing is loaded here that a first picture does not need."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ctui.cli.commands import COMMANDS
from ctui.demo import DEMO_VARIABLE
from ctui.errors import CtuiError, NotFound, Refused
from ctui.text import one_line

_COMPLETION = "_CTUI_COMPLETE"
"""Set by a shell that asks for completions (click's "Shell Completion")."""


def path_of(arguments: Sequence[str]) -> str | None:
    """Return the path whose dashboard a command line asks for; None if it asks for a command.

    A command's name is never a path, unless it is written as one, which may lead nowhere.
    """
    if _COMPLETION in os.environ:
        return None
    if not arguments:
        return "."
    path = arguments[0]
    if len(arguments) > 1 or path in COMMANDS or path.startswith("-"):
        return None
    try:
        return path if os.sep in path or Path(path).is_dir() else None
    except OSError:
        return None


def show(path: str) -> int | None:
    """Open the dashboard of the repository at `path`.

    Returns:
        The exit code; None if the person chose the demo instead.
    """
    try:
        return _show(path)
    except CtuiError as error:
        from ctui.cli.output import report

        report(error, as_json=False)
        return 1


def _show(path: str) -> int | None:
    _check_folder(path)
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr and sys.stderr.isatty()):
        raise Refused("the dashboard needs a terminal", hint="`ctui --help` shows what needs none")
    from ctui.config import load_config
    from ctui.git.repository.moved import trashed_from
    from ctui.paths import Paths
    from ctui.tui.app import run_app
    from ctui.tui.support.place import find_place

    paths = Paths.from_environment()
    place = find_place(trashed_from(Path(path).absolute()) or Path(path).absolute())
    if place is None or place.unborn:
        from ctui.tui.dialogs.start import StartApp

        chosen = StartApp(paths, load_config(paths), Path(path).absolute()).run()
        if chosen is None:
            return 0
        if chosen == "demo":
            return None
        place = chosen
    config = load_config(paths, repository=_settings_folder(place.git_dir))
    return run_app(paths, config, place, scripted=bool(os.environ.get(DEMO_VARIABLE)))


def _settings_folder(git_dir: Path) -> Path | None:
    """Return the checkout whose `.ctui.toml` counts; that of a plain `.git` is around it."""
    if git_dir.name == ".git" and (git_dir / "index").exists():
        return git_dir.parent
    from ctui.git.repository.repository import open_repository
    from ctui.worktrees.layout import settings_folder

    try:
        return settings_folder(open_repository(git_dir))
    except CtuiError:
        return None  # what is wrong is said by whoever needs it


def _check_folder(path: str) -> None:
    try:
        found = Path(path).is_dir()
    except OSError as error:
        what = f"{one_line(path, 200)} cannot be opened: {error.strerror}"
        raise Refused(what, hint="ctui PATH") from error
    if not found:
        raise NotFound(f"there is no folder {one_line(path, 200)}", hint="ctui PATH")
    from ctui.git.repository.moved import refuse_broken_link, trashed_from

    if trashed_from(Path(path).absolute()) is None:
        refuse_broken_link(Path(path).absolute())
