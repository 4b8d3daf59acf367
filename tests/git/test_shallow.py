"""Clones whose history ends somewhere: tasks see the same end, and their work comes home."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctui.errors import Refused
from ctui.git.repository.repository import open_repository
from ctui.worktrees.landing.checkouts import linked_checkout
from ctui.worktrees.landing.land import land
from ctui.worktrees.landing.update import plan_update
from tests.conftest import git
from tests.git.conftest import BRANCH, Place, place_in

pytestmark = pytest.mark.usefixtures("known_person")


@pytest.fixture
def upstream(repository: Path) -> Path:
    """A repository with five commits."""
    for number in range(3):
        (repository / "hello.txt").write_text(f"{number}\n")
        git(repository, "commit", "-q", "-a", "-m", f"Say {number}")
    return repository


@pytest.fixture
def shallow(upstream: Path, tmp_path: Path) -> Path:
    """A clone of the last two commits."""
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth=2", f"file://{upstream}", str(clone))
    return clone


async def test_work_comes_home_and_lands(shallow: Path, tmp_path: Path) -> None:
    """G5: in a shallow clone a task's history ends where the clone's does, and its work lands."""
    place = await place_in(shallow, tmp_path)
    assert place.in_task("log", "--format=%s").splitlines() == ["Say 2", "Say 1"]
    assert place.in_task("fsck", "--connectivity-only") == ""
    tip = place.commit("new.txt")

    result = await place.bring()

    assert result.branch == "advanced"
    assert result.problem == ""
    assert git(shallow, "rev-parse", BRANCH) == tip
    repository = open_repository(shallow)
    await land(repository, linked_checkout(repository, Path(place.record.metadata)))
    assert (shallow / "new.txt").read_text() == "new.txt"
    assert git(shallow, "fsck", "--connectivity-only") == ""
    assert git(shallow, "rev-list", "--count", "main") == "4"


async def test_a_history_is_rewritten_up_to_its_end(shallow: Path, tmp_path: Path) -> None:
    """G5: who looks whether a tip contains another walks to the end, and no further."""
    place = await place_in(shallow, tmp_path)
    place.in_task("reset", "-q", "--hard", "HEAD~1")
    place.commit("other.txt")

    result = await place.bring()

    assert result.branch == "diverged"
    assert "rewrote the history" in result.reason
    assert result.problem == ""


async def test_the_clone_is_deepened_while_the_task_works(
    shallow: Path, upstream: Path, tmp_path: Path
) -> None:
    """G5: once the clone is complete the task's older end of history does no harm."""
    place = await place_in(shallow, tmp_path)
    first = place.commit("one.txt")
    assert (await place.bring()).branch == "advanced"
    git(shallow, "fetch", "-q", "--unshallow")
    second = place.commit("two.txt")

    result = await place.bring()

    assert (result.branch, result.problem) == ("advanced", "")
    assert git(shallow, "rev-list", BRANCH).splitlines() == [
        second,
        first,
        *git(upstream, "rev-list", "main").splitlines(),
    ]
    place.private.refresh()
    assert place.in_task("rev-list", "--count", "HEAD") == "7"
    assert not (place.git_dir / "shallow").exists()


async def test_the_clone_is_deepened_by_one(shallow: Path, tmp_path: Path) -> None:
    """G5: the end moves, and both sides find the new one."""
    place = await place_in(shallow, tmp_path)
    git(shallow, "fetch", "-q", "--deepen=1")
    place.commit("one.txt")

    assert (await place.bring()).problem == ""
    place.private.refresh()
    assert place.in_task("rev-list", "--count", "HEAD") == "4"


async def test_a_task_names_an_end_of_its_own(shallow: Path, tmp_path: Path) -> None:
    """G5: the list inside is the task's to write: it counts for nothing, no link is followed."""
    place = await place_in(shallow, tmp_path)
    tip = place.commit("one.txt")
    victim = tmp_path / "victim"
    victim.write_text("the person's")
    (place.git_dir / "shallow").unlink()
    (place.git_dir / "shallow").symlink_to(victim)

    result = await place.bring()
    place.private.refresh()

    assert (result.branch, result.problem) == ("advanced", "")
    assert git(shallow, "rev-list", "--count", tip) == "3"
    assert victim.read_text() == "the person's"
    assert not (place.git_dir / "shallow").is_symlink()


async def test_a_list_that_is_none(place: Place) -> None:
    """G5: a complete clone gives a task no list."""
    assert not (place.git_dir / "shallow").exists()


async def test_histories_that_do_not_meet_in_the_clone(shallow: Path, tmp_path: Path) -> None:
    """G5: an update and a landing say that the clone ends too early, and what deepens it."""
    place = await place_in(shallow, tmp_path)
    place.commit("mine")
    await place.bring()
    upstream = Path(git(shallow, "remote", "get-url", "origin").removeprefix("file://"))
    for number in range(2):
        git(upstream, "commit", "-q", "--allow-empty", "-m", f"Move on {number}")
    git(shallow, "fetch", "-q", "--depth=1")
    git(shallow, "reset", "-q", "--hard", "origin/main")
    repository = open_repository(shallow)
    checkout = linked_checkout(repository, Path(place.record.metadata))
    for action in (land, plan_update):
        with pytest.raises(Refused, match="no common history") as caught:
            await action(repository, checkout)
        assert "git fetch --unshallow" in caught.value.hint
    git(shallow, "fetch", "-q", "--unshallow")
    repository = open_repository(shallow)
    assert (await plan_update(repository, checkout, dry_run=True)).updated.commits == 2
