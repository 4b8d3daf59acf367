"""Atomic writing of the user's file, readable by its owner alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ctui.errors import Conflict, Unavailable
from ctui.files import create_file, replace_file
from ctui.paths import private_folder


def write_file(path: Path, text: str, *, replace: bool) -> None:
    """Write a file with mode 0600. If it is a link, write the file that it leads to.

    Args:
        path: of the file; its folder is made.
        text: all of it.
        replace: an existing file may be replaced.

    Raises:
        Conflict: it exists, and nothing was said of replacing it.
        Unavailable: it cannot be written; what was there is there still.
    """
    private_folder(path.parent)
    with _translated(path):
        target = _target(path)
        if replace:
            _refuse_other_things(target)
            replace_file(target, text.encode())
        else:
            create_file(target, text.encode())


def _target(path: Path) -> Path:
    return path.resolve() if path.is_symlink() else path


def _refuse_other_things(target: Path) -> None:
    if target.exists() and not target.is_file():
        raise Unavailable(f"{target} is no regular file", hint="move it away")


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError as error:
        raise Conflict(
            f"{path} is there already", hint="`ctui config edit` changes it; --force replaces it"
        ) from error
    except (OSError, RuntimeError) as error:  # a loop of links is a RuntimeError before 3.13
        said = error.strerror if isinstance(error, OSError) else "its links lead in a circle"
        raise Unavailable(
            f"{path} cannot be written: {said}", hint="make its folder writable"
        ) from error
