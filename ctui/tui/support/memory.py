"""Memory of the screen itself: the theme that was chosen, and where it was opened."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec

from ctui.errors import CtuiError
from ctui.files import replace_file
from ctui.paths import Paths, private_folder
from ctui.small_file import read_small_file

_MOST_PLACES = 20
_LIMIT = 1 << 18


class Memory(msgspec.Struct, frozen=True, omit_defaults=True):
    """Content of one small file in the state folder. Losing it loses nothing else."""

    theme: str = ""
    """As the palette chose it; what `config.toml` says goes before it."""
    repositories: tuple[str, ...] = ()
    """Checkouts whose dashboard was opened, the last one first."""


def recall(paths: Paths) -> Memory:
    """Return what was remembered, or nothing if the file cannot be read."""
    try:
        return msgspec.json.decode(read_small_file(_file(paths), _LIMIT), type=Memory)
    except (OSError, msgspec.DecodeError, RecursionError):
        return Memory()


def remember_theme(paths: Paths, name: str) -> None:
    _write(paths, msgspec.structs.replace(recall(paths), theme=name))


def remember_repository(paths: Paths, checkout: Path) -> None:
    before = recall(paths)
    others = (known for known in before.repositories if known != str(checkout))
    repositories = (str(checkout), *others)[:_MOST_PLACES]
    _write(paths, msgspec.structs.replace(before, repositories=repositories))


def _write(paths: Paths, memory: Memory) -> None:
    with suppress(
        OSError, CtuiError
    ):  # a full disk, or a wrong folder, is told by whoever needs it
        private_folder(paths.state)
        replace_file(_file(paths), msgspec.json.encode(memory), sync=False)


def _file(paths: Paths) -> Path:
    return paths.state / "screen.json"
