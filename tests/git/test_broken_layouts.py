"""Repositories that are set up or were moved so that git refuses them: one right line each."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ctui.client.worktrees.worktrees import check_ready, recorded
from ctui.errors import Refused
from ctui.git.process.version import git_version
from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from ctui.worktrees.create import create_worktree
from ctui.worktrees.mending import what_to_do
from tests.conftest import git, make_repository


def _extension(repository: Path, name: str, value: str = "1", version: str = "1") -> None:
    # Git itself would refuse to look at the repository, but not to write a file.
    for key, text in (("core.repositoryformatversion", version), (f"extensions.{name}", value)):
        git(repository.parent, "config", "--file", f"{repository}/.git/config", key, text)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("noop", "1"),
        ("noop-v1", "1"),
        ("partialClone", "origin"),
        ("preciousObjects", "true"),
        ("worktreeConfig", "true"),
    ],
)
async def test_a_harmless_extension_is_in_nobodys_way(
    repository: Path, tmp_path: Path, name: str, value: str
) -> None:
    """G15: some of these were refused by the library, with a misleading line."""
    _extension(repository, name, value)
    found = open_repository(repository)
    record = await create_worktree(found, tmp_path / "worktrees", name="work")
    assert open_repository(Path(record.path)).common_dir == repository / ".git"


def test_an_unknown_extension_is_named_in_full(repository: Path) -> None:
    """G15: and what mends it touches nothing that another program reads."""
    _extension(repository, "fooBar", "some value")
    _extension(repository, "compatObjectFormat", "sha256")
    with pytest.raises(Refused) as refused:
        open_repository(repository)
    assert refused.value.message == (
        f"{repository}/.git has an extension that ctui does not know: "
        "extensions.compatobjectformat = sha256, extensions.foobar = some value"
    )
    assert refused.value.hint.endswith(f"git clone {repository}/.git")


async def test_an_extension_that_only_a_newer_git_knows_is_said_to_be_so(
    repository: Path, tmp_path: Path
) -> None:
    """G15: "git branch failed: unknown repository extension found:", and nothing behind it."""
    _extension(repository, "relativeWorktrees", "true")
    if git_version() < (2, 48):
        with pytest.raises(
            Refused, match=r"extensions\.relativeworktrees, which git 2\."
        ) as refused:
            open_repository(repository)
        assert refused.value.hint == "install git 2.48 or newer"
    else:
        await create_worktree(open_repository(repository), tmp_path / "worktrees", name="work")


def test_an_extension_that_git_does_not_look_at_is_none(repository: Path) -> None:
    _extension(repository, "fooBar", version="0")
    assert open_repository(repository).name == "repository"


async def _worktree(repository: Path, tmp_path: Path) -> Path:
    record = await create_worktree(open_repository(repository), tmp_path / "worktrees", name="work")
    return Path(record.path)


def _run(hint: str, new_place: Path) -> None:
    """Do what a hint says."""
    command = (hint.partition(": ")[2] or hint).partition(";")[0]
    subprocess.run(["sh", "-ec", command.replace("ITS_NEW_PLACE", str(new_place))], check=True)


async def test_a_moved_repository_is_repaired_as_its_worktree_says(
    repository: Path, tmp_path: Path, home: Path
) -> None:
    """G15: "not in a git repository", which it is."""
    (home / ".gitconfig").write_text("[safe]\n\tdirectory = *\n")
    worktree = await _worktree(repository, tmp_path)
    inner = worktree / "inner"
    inner.mkdir()
    moved = repository.rename(tmp_path / "moved")
    for folder in (worktree, inner):
        with pytest.raises(Refused, match=r"repository of the worktree .* is gone") as lost:
            open_repository(folder)
        assert f"worktree repair {worktree}" in lost.value.hint
    _run(lost.value.hint, moved)
    assert open_repository(worktree).common_dir == moved / ".git"


async def test_a_moved_repository_is_repaired_as_it_says_itself(
    repository: Path, tmp_path: Path, home: Path, paths: Paths
) -> None:
    """G15: seen from the repository, its worktree was "tampered", to be looked at by hand."""
    (home / ".gitconfig").write_text("[safe]\n\tdirectory = *\n")
    worktree = await _worktree(repository, tmp_path)
    moved = repository.rename(tmp_path / "moved")
    found = open_repository(moved)
    with pytest.raises(Refused) as refused:
        recorded(paths, found, "work")
    assert refused.value.hint == f"git -C {moved} worktree repair"
    _run(refused.value.hint, moved)
    assert recorded(paths, found, "work").path == str(worktree)


async def test_a_worktree_without_its_link_is_repaired_as_it_says(
    repository: Path, tmp_path: Path, home: Path, paths: Paths
) -> None:
    (home / ".gitconfig").write_text("[safe]\n\tdirectory = *\n")
    worktree = await _worktree(repository, tmp_path)
    found = open_repository(repository)
    record = recorded(paths, found, "work")
    (worktree / ".git").unlink()
    with pytest.raises(Refused, match="unlinked") as refused:
        check_ready(found, record)
    _run(refused.value.hint, repository)
    assert open_repository(worktree).common_dir == repository / ".git"


async def test_a_moved_worktree_is_repaired_as_its_repository_says(
    repository: Path, tmp_path: Path, home: Path, paths: Paths
) -> None:
    (home / ".gitconfig").write_text("[safe]\n\tdirectory = *\n")
    worktree = await _worktree(repository, tmp_path)
    moved = worktree.rename(tmp_path / "elsewhere")
    found = open_repository(repository)
    with pytest.raises(Refused) as refused:
        recorded(paths, found, "work")
    assert "git worktree prune" in refused.value.hint
    _run(refused.value.hint, moved)
    assert recorded(paths, found, "work").path == str(moved)


def test_a_worktree_of_somebody_else_is_made_ones_own(tmp_path: Path) -> None:
    """G17: such as one that was made with sudo; root is never in this way."""
    hint = what_to_do("foreign-owner", tmp_path / "w", tmp_path / "r" / ".git" / "worktrees" / "w")
    assert hint.endswith(f"sudo chown -hR {os.geteuid()}:{os.getegid()} {tmp_path}/w")


async def test_a_worktree_that_git_forgot_is_said_to_be_none(
    repository: Path, tmp_path: Path
) -> None:
    worktree = await _worktree(repository, tmp_path)
    git(repository, "worktree", "remove", "--force", str(worktree))
    worktree.mkdir()
    (worktree / ".git").write_text(f"gitdir: {repository}/.git/worktrees/work\n")
    with pytest.raises(Refused, match=r"no worktree of .* any more") as lost:
        open_repository(worktree)
    assert "copy what you need" in lost.value.hint


async def test_a_broken_worktree_in_another_checkout_is_not_taken_for_that(
    repository: Path, tmp_path: Path
) -> None:
    """G15: what is found further up is another repository."""
    (tmp_path / "outer").mkdir()
    outer = make_repository(tmp_path / "outer")
    git(repository, "worktree", "add", "-q", str(outer / "inner"))
    repository.rename(tmp_path / "moved")
    with pytest.raises(Refused, match="is gone"):
        open_repository(outer / "inner")
    assert open_repository(outer).common_dir == outer / ".git"


@pytest.mark.parametrize("text", ["", "gitdir:", "gitdir: ", "nonsense", "gitdir: /a\0b", "\udcff"])
def test_a_link_of_nonsense_is_no_crash(repository: Path, text: str) -> None:
    folder = repository / "sub"
    folder.mkdir()
    (folder / ".git").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(Refused) as refused:
        open_repository(folder)
    assert "\0" not in refused.value.message
