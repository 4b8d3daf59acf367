"""What a person expects without thinking of it, where they stand or what they name."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from ctui.client.worktrees.worktrees import open_store
from ctui.paths import Paths
from tests.cli.commands import ctui, refused
from tests.cli.test_worktree import made, said
from tests.conftest import git, make_repository
from tests.warm import COMMAND, warm_argv

ARGV = [sys.executable, "-P", "-m", "ctui"]


def _in_shell(folder: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    """Run lines in one shell, which stays in the folder that it is in, whatever is renamed."""
    program = shlex.join(warm_argv())
    script = "\n".join(line.replace("ctui ", f"{program} ", 1) for line in lines)
    return subprocess.run(
        ["sh", "-e"], input=script, cwd=folder, capture_output=True, text=True, check=False
    )


def test_a_worktree_is_removed_from_within_and_restored_from_there(repository: Path) -> None:
    """G17: the restore said that it stands in no repository."""
    worktree = made(repository, "work", commits=1)
    inner = worktree / "inner"
    inner.mkdir()
    (inner / "note").write_text("kept")
    done = _in_shell(
        inner,
        "ctui worktree remove --force work",
        "ctui worktree trash",
        "ctui worktree restore",
        "cat note",
    )
    assert done.returncode == 0, done.stderr
    assert f"restored {worktree}" in done.stdout
    assert done.stdout.endswith("kept")


def test_a_worktree_among_the_files_of_its_repository_is_restored_from_there(
    repository: Path,
) -> None:
    """G17: its place in the trash is in the repository's own git directory."""
    worktree = repository / "inner"
    git(repository, "worktree", "add", "-q", str(worktree))
    done = _in_shell(worktree, "ctui worktree remove --force inner", "ctui worktree restore")
    assert done.returncode == 0, done.stderr
    assert f"restored {worktree}" in done.stdout
    assert (worktree / "hello.txt").is_file()


def test_the_dashboard_of_a_broken_worktree_offers_no_new_repository(
    repository: Path, tmp_path: Path
) -> None:
    """G15: it is a worktree whose repository was moved."""
    worktree = made(repository, "work")
    repository.rename(tmp_path / "moved")
    assert "worktree repair" in refused(worktree, ".")


def test_what_is_named_is_restored_and_not_where_one_stands(repository: Path) -> None:
    """G17: beside the worktree that one stands in, another was removed later."""
    one, two = made(repository, "one"), made(repository, "two")
    done = _in_shell(
        one,
        "ctui worktree remove one",
        "ctui worktree remove two",
        "ctui worktree restore two",
        "ctui worktree list",
    )
    assert done.returncode == 0, done.stderr
    assert (one.exists(), two.is_dir()) == (False, True)
    assert "two" in done.stdout


def test_outside_of_the_trash_something_has_to_be_named(repository: Path) -> None:
    assert "missing argument 'ID…'" in refused(repository, "worktree", "restore", code=2)


def test_a_trash_that_no_repository_knows_leads_to_none(repository: Path, tmp_path: Path) -> None:
    """A task writes the link in it."""
    (tmp_path / "others").mkdir()
    other = make_repository(tmp_path / "others")
    entry = tmp_path / ".ctui-trash" / "20260101-000000-00000000"
    entry.mkdir(parents=True)
    (entry / ".git").write_text(f"gitdir: {other}/.git/worktrees/work\n")
    assert "no worktree of" in refused(entry, "worktree", "trash")
    assert repository.is_dir()


def test_in_a_folder_that_is_gone_it_says_so(repository: Path, tmp_path: Path) -> None:
    """G17: "it cannot be written: No such file or directory"."""
    line = (
        "ctui: the folder that you are in is gone (go to one that is there, "
        "or name the repository with --repo)"
    )
    for arguments in ("worktree list", "worktree restore x", "run --detach hello"):
        assert _without_folder(tmp_path / "gone", arguments) == line
    named = f"worktree list --repo {repository}"
    assert _without_folder(tmp_path / "gone", named).startswith("no worktrees yet")


def _without_folder(folder: Path, arguments: str) -> str:
    folder.mkdir()
    command = f"rmdir {folder}; {' '.join(COMMAND)} {arguments}"
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.stderr.strip()


def test_a_program_starts_in_the_worktree_that_it_opens(repository: Path) -> None:
    """G17: it was started in the caller's folder."""
    worktree = made(repository, "work")
    done = ctui(repository, "worktree", "open", "work", "--command", "sh -c pwd")
    assert done.stdout.strip() == str(worktree)


def test_a_relative_program_is_the_callers_and_not_one_that_a_task_wrote(
    repository: Path, tmp_path: Path
) -> None:
    worktree = made(repository, "work")
    for folder, word in ((repository, "mine"), (worktree, "theirs")):
        tool = folder / "tool"
        tool.write_text(f"#!/bin/sh\necho {word} $PWD $1\n")
        tool.chmod(0o755)
    for path, program in (("", "./tool"), (".", "tool")):
        done = ctui(
            repository,
            *("worktree", "open", "work", "--command", program),
            PATH=f"{path}:{os.environ['PATH']}" if path else os.environ["PATH"],
        )
        assert done.stdout.strip() == f"mine {worktree} {worktree}"
    assert "it is not there" in refused(
        repository, "worktree", "open", "work", "--command", "tool", PATH=str(tmp_path)
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can have root's worktrees")
def test_a_task_in_a_worktree_of_root_is_refused_before_it_is_one(
    repository: Path, tmp_path: Path, paths: Paths
) -> None:
    """G17: it left an ended task behind."""
    path = tmp_path / "own"
    git(repository, "worktree", "add", "-q", str(path))
    line = refused(repository, "run", "--worktree", "own", "--detach", "hello")
    assert "belongs to root" in line
    assert f"chown -hR 70731:70731 {path}" in line
    with open_store(paths) as store:
        assert store.tasks.list() == []


@pytest.mark.parametrize("what", ["gone", "unlinked", "exchanged"])
def test_a_task_in_a_worktree_that_is_not_what_it_was_is_refused_before_it_is_one(
    repository: Path, tmp_path: Path, paths: Paths, what: str
) -> None:
    """G17: with the line that mends it."""
    path = made(repository, "work")
    if what == "unlinked":
        (path / ".git").unlink()
    else:
        path.rename(tmp_path / "moved")
        if what == "exchanged":
            path.mkdir()
    line = refused(repository, "run", "--worktree", "work", "--detach", "hello")
    assert {"gone": "worktree repair", "unlinked": "worktree repair", "exchanged": "by hand"}[
        what
    ] in line
    with open_store(paths) as store:
        assert store.tasks.list() == []


def test_a_removal_of_where_one_stands_says_how_to_undo_it(repository: Path) -> None:
    worktree = made(repository, "work")
    removed = said(worktree, "worktree", "remove", "work")["removed"][0]
    assert said(repository, "worktree", "restore", removed["trash_id"])["restored"]
