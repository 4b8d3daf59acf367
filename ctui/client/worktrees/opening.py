"""Opening of a worktree in the person's own editor or shell."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

from ctui.errors import InvalidInput, NotFound, Unavailable


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
    command, folder = opening_command(path, configured, dict(os.environ))
    if not Path(command[0]).is_absolute():
        raise Unavailable(
            f"{command[0]} does not start: it is not there", hint="set worktrees.open"
        )
    try:
        return subprocess.run(command, cwd=folder, check=False).returncode
    except OSError as error:
        raise Unavailable(
            f"{command[0]} does not start: {error.strerror}", hint="set worktrees.open"
        ) from error
