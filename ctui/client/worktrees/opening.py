"""Opening of a worktree in the person's own editor or shell."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

from ctui.errors import InvalidInput, NotFound, Refused, Unavailable
from ctui.git.hostile import folder, open_file
from ctui.text import one_line

_PLUS = frozenset(
    [
        "vi",
        "vim",
        "nvim",
        "gvim",
        "view",
        "nano",
        "pico",
        "emacs",
        "emacsclient",
        "micro",
        "kak",
        "joe",
        "mg",
        "ne",
    ]
)
_COLON = frozenset(["hx", "helix", "zed", "subl"])
_GOTO = frozenset(["code", "code-insiders", "codium", "cursor", "windsurf"])
"""Editors by the way in which they are told a line: `+41 FILE`, `FILE:41`, `-g FILE:41`."""


def opening_command(path: Path, configured: str, environ: dict[str, str]) -> tuple[list[str], Path]:
    """Return the program with its arguments, and the worktree as where it is started.

    Args:
        path: of the worktree; an argument, never part of a shell's line.
        configured: a command line; `{path}` stands for the worktree, and is added if it is not
            there. Without one: `$VISUAL` or `$EDITOR` with the path, else a shell in the worktree.
        environ: the person's.

    Raises:
        InvalidInput: the configured text is no command line.
    """
    line = configured or environ.get("VISUAL") or environ.get("EDITOR") or ""
    if not line:
        return [_found(environ.get("SHELL") or "/bin/sh", environ)], path
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise InvalidInput(f"{line!r} is no command: {error}", hint="mend its quotes") from error
    if not words:
        raise InvalidInput("the command to open a worktree is empty", hint="worktrees.open")
    if not any("{path}" in word for word in words):
        words.append("{path}")
    program, *arguments = (word.replace("{path}", str(path)) for word in words)
    return [_found(program, environ), *arguments], path


def editing_command(path: Path, line: int, program: str) -> list[str]:
    """Return an editor with its arguments for a file and, where it is known how, a line.

    Args:
        path: of the file; an argument, never part of a shell's line.
        line: from 1.
        program: a command line.

    Raises:
        InvalidInput: the program's text is no command line.
    """
    try:
        words = shlex.split(program)
    except ValueError as error:
        raise InvalidInput(f"{program!r} is no command: {error}", hint="mend its quotes") from error
    name = Path(words[0]).name if words else ""
    if name in _PLUS:
        return [*words, f"+{line}", str(path)]
    if name in _COLON:
        return [*words, f"{path}:{line}"]
    return [*words, "-g", f"{path}:{line}"] if name in _GOTO else [*words, str(path)]


def edit_file(worktree: Path, name: str, line: int, program: str = "") -> int:
    """Open a file of a worktree in an editor in this terminal, and return its exit code.

    Args:
        worktree: its folder, which a task can write.
        name: of the file, relative to it.
        line: from 1.
        program: instead of `$VISUAL` or `$EDITOR`.

    Raises:
        NotFound: there is no such file.
        Refused: a link leads to it, perhaps out of the worktree.
        Unavailable: the program cannot be started.
    """
    parts = Path(name).parts
    shown = one_line(name, 200)
    if not parts or Path(name).is_absolute() or ".." in parts:
        raise Refused(f"{shown} is no path in the worktree", hint="name it relative to its folder")
    with folder(worktree, *parts[:-1]) as inside:
        descriptor = open_file(parts[-1], inside) if inside is not None else None
        if descriptor is None:
            if os.path.lexists(worktree / name):
                raise Refused(
                    f"{shown} is no plain file, or a link leads to it", hint="look at it yourself"
                )
            raise NotFound(f"{shown} is not in the worktree", hint="its branch may have deleted it")
        os.close(descriptor)
    environ = dict(os.environ)
    chosen = program or environ.get("VISUAL") or environ.get("EDITOR") or "vi"
    command = editing_command(worktree / name, line, chosen)
    return _run([_found(command[0], environ), *command[1:]], worktree, "set EDITOR")


def _found(program: str, environ: dict[str, str]) -> str:
    """Return the program as the caller's folder has it: in the worktree a task can write another.

    One that is not found stays as it is, so that starting it says so.
    """
    found = shutil.which(program, path=environ.get("PATH"))
    return str(Path(found).absolute()) if found is not None else program


def open_worktree(path: Path, configured: str) -> int:
    """Run the program in this terminal, wait for it, and return its exit code.

    Raises:
        NotFound: the worktree's folder is gone.
        Unavailable: the program cannot be started.
    """
    if not path.is_dir():
        raise NotFound(f"{path} is gone", hint="`ctui worktree list` shows what is there")
    command, where = opening_command(path, configured, dict(os.environ))
    return _run(command, where, "set worktrees.open")


def _run(command: list[str], where: Path, hint: str) -> int:
    if not Path(command[0]).is_absolute():
        raise Unavailable(f"{command[0]} does not start: it is not there", hint=hint)
    try:
        return subprocess.run(command, cwd=where, check=False).returncode
    except OSError as error:
        raise Unavailable(f"{command[0]} does not start: {error.strerror}", hint=hint) from error
