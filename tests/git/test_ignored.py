"""A task ignores what the person's own git ignores there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ctui.git.private.personal import ignored
from tests.git.conftest import Place
from tests.git.people import as_person, configure, inside, placed

pytestmark = pytest.mark.usefixtures("home")

JUNK = (".DS_Store", "a.swp", "notes.local", "keep.swp", "sub/b.swp")
_IDENTITY = "[user]\n\tname = Ada\n\temail = ada@example.org\n"


def _untracked(place: Place) -> set[str]:
    for name in (*JUNK, "work.txt"):
        path = Path(place.record.path) / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    listed = inside(place, "ls-files", "--others", "--exclude-standard")
    by_person = as_person(
        Path(place.record.path),
        "-c",
        "safe.directory=*",
        "ls-files",
        "--others",
        "--exclude-standard",
    )
    assert listed == by_person
    return set(listed.splitlines())


def _exclude(repository: Path, text: str) -> None:
    (repository / ".git" / "info" / "exclude").write_text(text)


async def test_the_persons_file_and_the_repositorys_are_both_inside(
    repository: Path, tmp_path: Path, home: Path
) -> None:
    """G14: a task committed junk that the host ignores."""
    (home / "ignore").write_text(".DS_Store\n*.swp")
    configure(home, f"{_IDENTITY}[core]\n\texcludesFile = ~/ignore\n")
    _exclude(repository, "notes.local\n!keep.swp\n")
    place = await placed(repository, tmp_path)
    assert _untracked(place) == {"keep.swp", "work.txt"}
    inside(place, "add", "-A")
    assert inside(place, "diff", "--cached", "--name-only") == "keep.swp\nwork.txt"


async def test_the_file_that_git_reads_without_a_setting(
    repository: Path, tmp_path: Path, home: Path
) -> None:
    """G14: `$XDG_CONFIG_HOME/git/ignore`, with the mark that some editors write first."""
    (home / "git").mkdir()
    (home / "git" / "ignore").write_bytes(b"\xef\xbb\xbf*.swp\n.DS_Store\n")
    _exclude(repository, "\ufeffnotes.local\n")
    place = await placed(repository, tmp_path)
    assert _untracked(place) == {"work.txt"}


async def test_the_default_below_home(
    repository: Path, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME")
    (home / ".config" / "git").mkdir(parents=True)
    (home / ".config" / "git" / "ignore").write_text("*.swp\n")
    place = await placed(repository, tmp_path)
    assert _untracked(place) == {".DS_Store", "notes.local", "work.txt"}


@pytest.mark.parametrize("kind", ["gone", "a folder", "a fifo", "huge"])
async def test_a_file_that_cannot_be_read_is_none(repository: Path, home: Path, kind: str) -> None:
    path = home / "ignore"
    configure(home, f"{_IDENTITY}[core]\n\texcludesFile = {path}\n")
    if kind == "a folder":
        path.mkdir()
    elif kind == "a fifo":
        os.mkfifo(path)
    elif kind == "huge":
        path.write_text("*\n" * (1 << 20))
    assert await ignored(repository / ".git", repository / ".git", repository) == (
        (repository / ".git" / "info" / "exclude").read_bytes()
    )


@pytest.mark.parametrize("name", ["mine", "sub/../mine", "{worktree}/mine", "../../../outside"])
async def test_a_file_of_the_worktree_leads_nowhere_else(
    repository: Path, tmp_path: Path, home: Path, name: str
) -> None:
    """G14: `core.excludesFile` among the worktree's files, which an earlier task can have made."""
    place = await placed(repository, tmp_path)
    (tmp_path / "outside").write_text("hunter2\n")
    worktree = Path(place.record.path)
    (worktree / "mine").symlink_to(tmp_path / "outside")
    chosen = name.format(worktree=worktree)
    configure(home, f"{_IDENTITY}[core]\n\texcludesFile = {chosen}\n")
    found = await ignored(Path(place.record.metadata), repository / ".git", worktree)
    assert b"hunter2" not in found
    (worktree / "mine").unlink()
    (worktree / "mine").write_text("*.log\n")
    found = await ignored(Path(place.record.metadata), repository / ".git", worktree)
    assert (b"*.log" in found) == ("outside" not in name)
