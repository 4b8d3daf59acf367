"""Files that git itself transforms: working-tree-encoding."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctui.errors import Refused
from ctui.git.repository.repository import open_repository
from ctui.worktrees.landing.checkouts import linked_checkout
from ctui.worktrees.landing.commit import commit_all
from ctui.worktrees.landing.land import land
from tests.conftest import git
from tests.filters.conftest import Filtered, commit, place_in

WIDE = "Grüße\n".encode("utf-16")


@pytest.fixture
async def place(repository: Path, tmp_path: Path) -> Filtered:
    git(repository, "config", "user.name", "The Person")
    git(repository, "config", "user.email", "person@example.org")
    commit(repository, **{".gitattributes": "*.wide text working-tree-encoding=UTF-16\n"})
    commit(repository, **{"a.wide": WIDE})
    return await place_in(repository, tmp_path)


async def test_a_task_edits_it_and_it_lands(place: Filtered) -> None:
    """The worktree has the file's encoding, and what is stored is UTF-8."""
    assert (place.path / "a.wide").read_bytes().decode("utf-16") == "Grüße\n"
    assert place.stored("main:a.wide").decode() == "Grüße\n"
    place.edit("a.wide", "Größe\n".encode("utf-16"))
    place.task_commits()
    result = await place.bring()
    assert (result.problem, result.branch) == ("", "advanced")
    assert place.stored("ctui/work:a.wide").decode() == "Größe\n"
    found = open_repository(place.repository)
    await land(found, linked_checkout(found, Path(place.record.metadata), place.record))
    assert (place.repository / "a.wide").read_bytes().decode("utf-16") == "Größe\n"
    assert git(place.repository, "status", "--porcelain") == ""


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "latin-1"])
async def test_bytes_that_were_not_transformed_stay_out(place: Filtered, encoding: str) -> None:
    """A neighbour of G1: the task took the attribute away and added everything."""
    place.edit(".gitattributes", "* -text\n")
    place.edit("a.wide", "Größe\n".encode(encoding))
    place.task_commits()
    problem = (await place.bring()).problem
    assert "a.wide of" in problem
    assert "not as UTF-8" in problem


async def test_ctui_commits_it_only_with_its_attribute(place: Filtered) -> None:
    found = open_repository(place.repository)
    checkout = linked_checkout(found, Path(place.record.metadata), place.record)
    place.edit("a.wide", "Größe\n".encode("utf-16"))
    kept = (place.path / ".gitattributes").read_text()
    place.edit(".gitattributes", "* -text\n")
    with pytest.raises(Refused, match=r"the encoding of a\.wide"):
        await commit_all(checkout, "Raw")
    place.edit(".gitattributes", kept)
    assert await commit_all(checkout, "Transformed")
    assert place.stored("ctui/work:a.wide").decode() == "Größe\n"
