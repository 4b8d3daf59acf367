"""Memory of the screen itself: its theme, its divider, where it was opened, what it showed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from ctui.errors import CtuiError
from ctui.files import replace_file
from ctui.paths import Paths, private_folder
from ctui.small_file import read_small_file

_MOST_PLACES = 20
_MOST_WIDTHS = 50
_LIMIT = 1 << 18


class Memory(msgspec.Struct, frozen=True, omit_defaults=True):
    """Content of one small file in the state folder. Losing it loses nothing else."""

    theme: str = ""
    """As the palette chose it; what `config.toml` says goes before it."""
    repositories: tuple[str, ...] = ()
    """Checkouts whose dashboard was opened, the last one first."""
    dividers: Mapping[str, int] = {}
    """A terminal's width -> that of the list in it."""
    shown: Mapping[str, str] = {}
    """A repository's `.git` folder -> the worktree that was shown last."""


def recall(paths: Paths) -> Memory:
    """Return what was remembered, or nothing if the file cannot be read."""
    try:
        return msgspec.json.decode(read_small_file(_file(paths), _LIMIT), type=Memory)
    except (OSError, msgspec.DecodeError, RecursionError):
        return Memory()


def remember_theme(paths: Paths, name: str) -> None:
    _change(paths, theme=name)


def remember_repository(paths: Paths, checkout: Path) -> None:
    others = (known for known in recall(paths).repositories if known != str(checkout))
    _change(paths, repositories=(str(checkout), *others)[:_MOST_PLACES])


def remember_divider(paths: Paths, width: int, column: int) -> None:
    """Remember the width of the list in terminals of a width."""
    _change(paths, dividers=_newest(recall(paths).dividers, str(width), column, _MOST_WIDTHS))


def remember_shown(paths: Paths, git_dir: Path, worktree: str) -> None:
    """Remember which worktree of a repository was shown last."""
    _change(paths, shown=_newest(recall(paths).shown, str(git_dir), worktree, _MOST_PLACES))


def _newest(known: Mapping[str, Any], key: str, value: object, most: int) -> dict[str, Any]:
    """Return the entries with one that is the newest now; the oldest go."""
    entries = [*((name, entry) for name, entry in known.items() if name != key), (key, value)]
    return dict(entries[-most:])


def _change(paths: Paths, **facts: object) -> None:
    memory = msgspec.structs.replace(recall(paths), **facts)
    with suppress(
        OSError, CtuiError
    ):  # a full disk, or a wrong folder, is told by whoever needs it
        private_folder(paths.state)
        replace_file(_file(paths), msgspec.json.encode(memory), sync=False)


def _file(paths: Paths) -> Path:
    return paths.state / "screen.json"
