"""The identity that `git commit` would use, asked of git itself.

Only git knows all that decides: conditional includes (`gitdir`, `onbranch`, `hasconfig`), settings
of one worktree, `author` and `committer` apart from `user`, and the environment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ctui.errors import ExternalFailure
from ctui.git.process.caller import environ
from ctui.git.process.command import run_git
from ctui.git.process.environment import passed

_IDENT = re.compile(rb"(.*) <([^<>]*)> \d+ [-+]\d{4}", re.DOTALL)


class Identity(NamedTuple):
    """Author and committer in the form of a commit: `Name <address> seconds zone`."""

    author: bytes
    committer: bytes


class Unknown(ExternalFailure):
    """No identity is configured; git would invent one from the machine's name."""


async def identity(git_dir: Path, work_tree: Path | None) -> Identity:
    """Return who would commit in a checkout now.

    Args:
        git_dir: its git directory, which conditions are compared with.
        work_tree: its files.

    Raises:
        Unknown: nothing says it.
    """
    person = environ()
    named = passed(person, "commit")
    found = await _ask(git_dir, work_tree, named)
    if found is None and (address := person.get("EMAIL")):
        # Git takes it where no setting has an address.
        emails = dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), address)
        found = await _ask(git_dir, work_tree, emails | named)
    if found is None:
        raise Unknown("git does not know who you are")
    return found


async def _ask(
    git_dir: Path, work_tree: Path | None, variables: Mapping[str, str]
) -> Identity | None:
    found = []
    for variable in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
        output = await run_git(
            ["var", variable],
            git_dir=git_dir,
            work_tree=work_tree,
            blanked=(),
            env=variables,
            config={"user.useConfigOnly": "true"},
            check=False,
        )
        if output.exit_code:
            return None
        found.append(output.stdout.rstrip(b"\n"))
    return Identity(*found)


def name_and_address(ident: bytes) -> tuple[str, str] | None:
    """Return the two parts of a commit's author or committer, or None if they are not text."""
    match = _IDENT.fullmatch(ident)
    if match is None:
        return None
    try:
        return match[1].decode(), match[2].decode()
    except UnicodeDecodeError:
        return None
