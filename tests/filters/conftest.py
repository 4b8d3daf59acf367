"""A repository with a filter, a worktree of it, and a task that works there."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ctui.git.private.private import create_private
from ctui.git.repository.repository import open_repository
from ctui.worktrees.create import create_worktree
from tests.conftest import git
from tests.git.conftest import Place

SECRET = "TOKEN=plain-and-secret\n"
CRYPT = "openssl enc -{way} -aes-256-cbc -pbkdf2 -S 0011223344556677 -pass pass:key -a"
"""The filter of programs like transcrypt: the same text gives the same bytes."""


class Filtered(Place):
    """A task's place in a repository with filters, and what ctui said when it made the worktree."""

    said: list[str]

    @property
    def path(self) -> Path:
        return Path(self.record.path)

    def in_task(self, *arguments: str) -> str:
        """Git as the task runs it, whose machine has no configuration of the person's."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
            patch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
            return super().in_task(*arguments)

    def stored(self, revision: str) -> bytes:
        """Return a blob of the repository, as it is stored."""
        import pygit2

        found = pygit2.Repository(str(self.repository)).revparse_single(revision)
        return bytes(found.read_raw())

    def edit(self, name: str, content: str | bytes) -> None:
        data = content.encode() if isinstance(content, str) else content
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_bytes(data)

    def task_commits(self, message: str = "Work") -> str:
        """Add and commit everything, as a task does."""
        self.in_task("add", "-A")
        self.in_task("commit", "-q", "-m", message)
        return self.in_task("rev-parse", "HEAD")


def needs(program: str) -> None:
    """Skip the test where a program is missing."""
    if shutil.which(program) is None:
        pytest.skip(f"needs {program}: apt-get install {program}")


def commit(repository: Path, **files: str | bytes) -> None:
    for name, content in files.items():
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "Add " + " ".join(files))


def with_openssl(repository: Path) -> None:
    """Set up what transcrypt does: clean and smudge by openssl."""
    needs("openssl")
    git(repository, "config", "filter.crypt.clean", CRYPT.format(way="e"))
    git(repository, "config", "filter.crypt.smudge", CRYPT.format(way="d"))
    git(repository, "config", "filter.crypt.required", "true")
    commit(repository, **{".gitattributes": "secret.env filter=crypt\n*.key filter=crypt\n"})
    commit(repository, **{"secret.env": SECRET, "a.txt": "a\n"})


def with_git_crypt(repository: Path) -> None:
    needs("git-crypt")
    git(repository, "crypt", "init")
    commit(repository, **{".gitattributes": "secret.env filter=git-crypt diff=git-crypt\n"})
    commit(repository, **{"secret.env": SECRET, "a.txt": "a\n"})


def with_nbstripout(repository: Path) -> None:
    """Set up nbstripout as it installs itself, with the program of the tests' own Python."""
    program = f"{sys.executable} -m nbstripout"
    git(repository, "config", "filter.nbstripout.clean", program)
    git(repository, "config", "filter.nbstripout.smudge", "cat")
    commit(repository, **{".gitattributes": "*.ipynb filter=nbstripout\n"})
    commit(repository, **{"note.ipynb": NOTEBOOK, "a.txt": "a\n"})


NOTEBOOK = """{
 "cells": [
  {
   "cell_type": "code",
   "execution_count": 3,
   "id": "a1b2c3d4",
   "metadata": {},
   "outputs": [{"name": "stdout", "output_type": "stream", "text": ["kept\\n"]}],
   "source": ["print('kept')"]
  }
 ],
 "metadata": {},
 "nbformat": 4,
 "nbformat_minor": 5
}
"""


async def place_in(
    repository: Path, folder: Path, *, name: str = "work", filters: tuple[str, ...] = ()
) -> Filtered:
    """Make a worktree, and the private git directory of a task in it."""
    found = open_repository(repository)
    said: list[str] = []
    record = await create_worktree(found, folder / "worktrees", name=name, say=said.append)
    task = folder / f"task-{name}"
    task.mkdir()
    status = Path(record.path).stat()
    private = await create_private(
        found,
        Path(record.metadata),
        task,
        record.branch,
        record.base,
        (status.st_uid, status.st_gid),
        filters=filters,
    )
    place = Filtered(repository, record, private)
    place.said = said
    return place


Setup = Callable[[Path], None]

ENCRYPTED = pytest.mark.parametrize("setup", [with_openssl, with_git_crypt])
"""Both kinds of encrypting filters."""
