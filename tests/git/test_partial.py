"""Partial clones: what a checkout or a landing needs is fetched, a look fetches nothing."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from ctui.client.tasks.new_task import NewTask
from ctui.client.tasks.start_notes import start_notes
from ctui.errors import Unavailable
from ctui.git.repository.partial import promisor_remote
from ctui.git.repository.repository import open_repository
from ctui.worktrees.create import create_worktree
from ctui.worktrees.landing.checkouts import linked_checkout
from ctui.worktrees.landing.land import land
from ctui.worktrees.landing.update import carry_out, plan_update
from ctui.worktrees.trash.restore import restore_worktree
from tests.conftest import git
from tests.git.conftest import place_in
from tests.worktrees.looking import remove_worktree, worktree_status

pytestmark = pytest.mark.usefixtures("known_person")


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    """A repository whose main moved on, with a branch `feature` that nobody has checked out."""
    folder = tmp_path / "upstream"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    git(folder, "config", "uploadpack.allowFilter", "true")
    git(folder, "config", "uploadpack.allowAnySHA1InWant", "true")
    for number in range(3):
        (folder / "a.txt").write_text(f"{number}\n" + "line\n" * 20)
        (folder / f"dir{number}").mkdir()
        (folder / f"dir{number}" / "file").write_text(f"{number}\n")
        git(folder, "add", ".")
        git(folder, "commit", "-q", "-m", f"Say {number}")
    git(folder, "switch", "-q", "-c", "feature", "HEAD~1")
    (folder / "feature.txt").write_text("feature\n")
    (folder / "a.txt").write_text("1\n" + "line\n" * 20 + "feature\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "Feature")
    git(folder, "switch", "-q", "main")
    return folder


@pytest.fixture(params=["blob:none", "tree:0"])
def clone(request: pytest.FixtureRequest, upstream: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    git(tmp_path, "clone", "-q", f"--filter={request.param}", f"file://{upstream}", str(folder))
    return folder


def missing(clone: Path) -> int:
    """How many objects were not fetched yet."""
    listed = git(clone, "rev-list", "--objects", "--all", "--missing=print")
    return sum(line.startswith("?") for line in listed.splitlines())


async def test_a_branch_whose_files_were_never_fetched(clone: Path, tmp_path: Path) -> None:
    """G11: the host fetches what a checkout needs, and no more."""
    assert promisor_remote(open_repository(clone)) == "origin"
    place = await place_in(clone, tmp_path, base="origin/feature")
    assert (Path(place.record.path) / "feature.txt").read_text() == "feature\n"
    assert place.host("status", "--porcelain") == ""
    assert place.in_task("status", "--porcelain") == ""
    assert missing(clone)
    notes = await start_notes(
        open_repository(clone), NewTask(prompt="x"), place.record.base, trusted=True
    )
    assert [note for note in notes if "git fetch --refetch --no-filter origin" in note]


async def test_work_comes_home_and_lands(clone: Path, tmp_path: Path) -> None:
    """G11: the task commits without what was not fetched; a landing fetches what it merges."""
    place = await place_in(clone, tmp_path, base="origin/feature")
    path = Path(place.record.path) / "a.txt"
    path.write_text(path.read_text().replace("feature", "more"))
    place.in_task("add", "-A")
    tip = place.commit("new.txt")
    result = await place.bring()
    assert (result.branch, result.problem) == ("advanced", "")
    assert git(clone, "rev-parse", "ctui/work") == tip

    repository = open_repository(clone)
    await land(repository, linked_checkout(repository, Path(place.record.metadata)))

    assert (clone / "a.txt").read_text() == "2\n" + "line\n" * 20 + "more\n"
    assert git(clone, "status", "--porcelain") == ""


async def test_a_look_fetches_nothing(clone: Path, tmp_path: Path) -> None:
    """G11: a proof that needs more says so, with the command, and that command is enough."""
    upstream = tmp_path / "upstream"
    record = await create_worktree(
        open_repository(clone), tmp_path / "w", name="one", base="origin/feature"
    )
    git(upstream, "merge", "-q", "--squash", "feature")
    git(upstream, "commit", "-q", "-m", "Feature, squashed")
    git(clone, "fetch", "-q")
    before = missing(clone)
    begun = git(clone, "rev-parse", "origin/feature~1")
    record = msgspec.structs.replace(record, base=begun)

    status = await worktree_status(open_repository(clone), record)

    command = "git fetch --refetch --no-filter origin"
    assert status.verdict.kind == "unknown"
    assert status.verdict.evidence == f"it needs objects that are not here: {command}"
    assert missing(clone) == before
    git(clone, *command.split()[1:])
    assert missing(clone) == 0
    assert (await worktree_status(open_repository(clone), record)).verdict.kind == "merged"


async def test_a_promisor_remote_that_is_gone(clone: Path, tmp_path: Path) -> None:
    """G11: one line names the remote, and nothing is left of the attempt."""
    (tmp_path / "upstream").rename(tmp_path / "away")
    with pytest.raises(Unavailable, match="a partial clone, and origin does not give") as caught:
        await create_worktree(
            open_repository(clone), tmp_path / "w", name="one", base="origin/feature"
        )
    assert "does not appear to be a git repository" in caught.value.message
    assert caught.value.hint.endswith("git fetch --refetch --no-filter origin")
    assert git(clone, "branch", "--list", "ctui/*") == ""
    assert len(git(clone, "worktree", "list").splitlines()) == 1


async def test_an_object_that_the_remote_has_no_more(clone: Path, tmp_path: Path) -> None:
    """G11: neither does a remote that was made anew."""
    upstream = tmp_path / "upstream"
    upstream.rename(tmp_path / "away")
    git(tmp_path, "init", "-q", "--bare", str(upstream))
    with pytest.raises(Unavailable, match="does not give what is missing"):
        await create_worktree(
            open_repository(clone), tmp_path / "w", name="one", base="origin/feature"
        )


async def test_a_checkout_is_that_of_any_clone(clone: Path, upstream: Path, tmp_path: Path) -> None:
    """G11: only objects are fetched before it; attributes and filters are seen as in any clone."""
    git(tmp_path, "clone", "-q", str(upstream), "whole")
    found = []
    for name in (clone.name, "whole"):
        (tmp_path / name / ".git" / "info" / "attributes").write_text(
            "feature.txt filter=loud\na.txt eol=crlf\n"
        )
        git(tmp_path / name, "config", "filter.loud.smudge", "tr a-z A-Z")
        git(tmp_path / name, "config", "filter.loud.clean", "tr A-Z a-z")
        record = await create_worktree(
            open_repository(tmp_path / name), tmp_path / "w", name=name, base="origin/feature"
        )
        found.append([(Path(record.path) / file).read_bytes() for file in ("feature.txt", "a.txt")])
    assert found[0] == found[1]
    assert b"\r\n" in found[0][1]


async def test_an_address_that_is_relative(clone: Path, tmp_path: Path) -> None:
    """G11: a remote's path begins at the checkout."""
    git(clone, "remote", "set-url", "origin", "../upstream")
    record = await create_worktree(
        open_repository(clone), tmp_path / "w", name="one", base="origin/feature"
    )
    assert (Path(record.path) / "feature.txt").exists()


async def test_a_sparse_partial_clone(clone: Path, tmp_path: Path) -> None:
    """G11: with G8, what the checkout leaves out is not fetched."""
    git(clone, "sparse-checkout", "set", "dir0")
    place = await place_in(clone, tmp_path, base="origin/feature")
    assert sorted(path.name for path in Path(place.record.path).iterdir()) == [
        ".git",
        "a.txt",
        "dir0",
        "feature.txt",
    ]
    place.commit("new.txt")
    assert (await place.bring()).branch == "advanced"
    repository = open_repository(clone)
    before = missing(clone)
    status = await worktree_status(repository, place.record)
    entry = await remove_worktree(repository, status, place.record, force=True)
    await restore_worktree(repository, entry.id)
    assert (await worktree_status(repository, place.record)).problem is None
    assert missing(clone) == before


def test_the_extension_of_older_clones(clone: Path) -> None:
    """G11: `extensions.partialClone` names the remote as well."""
    git(clone, "config", "--unset", "remote.origin.promisor")
    repository = open_repository(clone)
    assert promisor_remote(repository) is None
    git(clone, "config", "extensions.partialClone", "origin")
    assert promisor_remote(repository) == "origin"


@pytest.mark.parametrize("method", ["merge", "rebase"])
async def test_an_update_fetches_what_is_new(
    clone: Path, upstream: Path, tmp_path: Path, method: str
) -> None:
    """G11: as a landing does; a remote that is gone is one line, and nothing moves."""
    place = await place_in(clone, tmp_path)
    (upstream / "new").write_text("new\n")
    git(upstream, "add", ".")
    git(upstream, "commit", "-q", "-m", "New")
    git(clone, "fetch", "-q")
    place.commit("mine")
    await place.bring()
    repository = open_repository(clone)
    checkout = linked_checkout(repository, Path(place.record.metadata))
    upstream.rename(tmp_path / "gone")
    with pytest.raises(Unavailable, match="is a partial clone, and origin does not give"):
        await plan_update(repository, checkout, method=method)  # type: ignore[arg-type]
    (tmp_path / "gone").rename(upstream)
    plan = await plan_update(repository, checkout, method=method)  # type: ignore[arg-type]
    await carry_out(repository, checkout, plan)
    assert (Path(place.record.path) / "new").read_text() == "new\n"
    assert place.host("status", "--porcelain") == ""
