"""The git that is on the path, and its version."""

from __future__ import annotations

import functools
import os
import re
import shutil

from ctui.errors import Unavailable
from ctui.git.process import caller
from ctui.git.process.environment import git_environment
from ctui.text import one_line

MINIMUM_VERSION = (2, 31)
"""First version of git that takes configuration from `GIT_CONFIG_COUNT`."""


def git_version() -> tuple[int, ...]:
    """Return the version of the git on the path, for example `(2, 39, 5)`.

    Raises:
        Unavailable: there is no git, or it does not say its version.
    """
    return _version_of(executable(caller.path()))


@functools.cache
def _version_of(executable: str) -> tuple[int, ...]:
    import subprocess

    try:
        said = subprocess.run(
            [executable, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=10,
            check=True,
            env=git_environment(os.environ, {}, {}),
        ).stdout.decode("utf-8", "replace")
    except (OSError, subprocess.SubprocessError) as error:
        raise Unavailable(f"git does not start: {one_line(str(error))}") from error
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", said)
    if match is None:
        raise Unavailable(f"git does not tell its version: {one_line(said)}")
    return tuple(int(part) for part in match.groups() if part is not None)


def require_git() -> None:
    """Raise Unavailable unless a git that is new enough is installed."""
    version = git_version()
    if version < MINIMUM_VERSION:
        found = ".".join(map(str, version))
        wanted = ".".join(map(str, MINIMUM_VERSION))
        raise Unavailable(f"git {found} is too old", hint=f"install git {wanted} or newer")


@functools.cache
def executable(path: str | None = None) -> str:
    """Return git as a path has it; this process's own is looked through once."""
    found = shutil.which("git", path=path)
    if found is None:
        raise Unavailable("git is not installed", hint="install git, then try again")
    return found
