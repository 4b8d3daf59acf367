"""Homes of people whose git is set up in unusual ways."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from ctui.git.private.private import PrivateRepository, create_private
from ctui.git.repository.repository import open_repository
from ctui.worktrees.create import create_worktree
from tests.git.conftest import Place


def configure(home: Path, text: str) -> None:
    """Write the configuration of a person."""
    (home / ".gitconfig").write_text(text)


def included(condition: str) -> str:
    """Return a configuration with another identity where a condition holds."""
    return (
        "[user]\n\tname = Ada\n\temail = ada@example.org\n"
        f'[includeIf "{condition}"]\n\tpath = work.inc\n'
    )


def work_identity(home: Path) -> None:
    (home / "work.inc").write_text("[user]\n\tname = Amélie\n\temail = amelie@work.example\n")


def as_person(folder: Path, *arguments: str) -> str:
    """Run git as the person would, with nothing but their own configuration."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def inside(place: Place, *arguments: str) -> str:
    """Run git as in the sandbox, where nothing is of the person's but the private directory."""
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", *arguments],
        cwd=place.record.path,
        env={
            "PATH": os.environ["PATH"],
            "GIT_DIR": str(place.git_dir),
            "GIT_WORK_TREE": place.record.path,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "HOME": "/nowhere",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def commit_inside(place: Place, name: str) -> None:
    (Path(place.record.path) / name).write_text(name)
    inside(place, "add", name)
    inside(place, "commit", "-q", "-m", f"Add {name}")


async def placed(repository: Path, tmp_path: Path) -> Place:
    """Return a place whose private directory is made now."""
    found = open_repository(repository)
    record = await create_worktree(found, tmp_path / "worktrees", name="work")
    # As root git takes only the person's own folders, which this one is not.
    return Place(
        repository,
        record,
        await private_of(
            repository, tmp_path / "task", record.metadata, record.branch, record.base
        ),
    )


async def private_of(
    repository: Path, folder: Path, metadata: str | None, branch: str | None, base: str | None
) -> PrivateRepository:
    folder.mkdir()
    return await create_private(
        open_repository(repository),
        Path(metadata) if metadata else None,
        folder,
        branch,
        base,
        (os.getuid(), os.getgid()),
    )
