"""Isolated tasks in repositories and checkouts that are not plain ones."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ctui.errors import Refused
from ctui.git.exchange.imports import import_work
from ctui.git.private.isolation import refuse_incomplete
from ctui.git.private.private import create_private
from ctui.git.repository.repository import open_repository
from tests.conftest import git
from tests.git.isolated import history, isolated, isolated_at, objects, record_of


async def test_a_detached_task(repository: Path, tmp_path: Path) -> None:
    """T25: it has what its commit reaches, and what it commits comes home."""
    tree = tmp_path / "tree"
    git(repository, "worktree", "add", "-q", "--detach", str(tree), "HEAD~1")
    metadata = repository / ".git" / "worktrees" / "tree"
    place = await isolated_at(repository, tmp_path, record_of(tree, str(metadata), None))
    assert objects(place) == history(repository, "HEAD~1")
    tip = place.commit("new")
    result = await place.bring()
    assert [(ref.name, ref.commit) for ref in result.refs] == [("refs/ctui/t1/head", tip)]


def _stage(checkout: Path) -> None:
    (checkout / "folder").mkdir()
    (checkout / "folder" / "staged").write_text("staged\n")
    (checkout / "hello.txt").write_text("staged too\n")
    git(checkout, "add", ".")
    (checkout / "hello.txt").write_text("and changed\n")


def _stage_with_trees(checkout: Path) -> None:
    _stage(checkout)
    git(checkout, "write-tree")  # the index then names trees of its own


def _split_index(checkout: Path) -> None:
    git(checkout, "update-index", "--split-index")
    _stage(checkout)


def _conflict(checkout: Path) -> None:
    for branch, content in (("one", "one\n"), ("two", "two\n")):
        git(checkout, "checkout", "-q", "-b", branch, "HEAD")
        (checkout / "hello.txt").write_text(content)
        git(checkout, "commit", "-q", "-a", "-m", content)
        if branch == "one":
            git(checkout, "checkout", "-q", "-")
    subprocess.run(
        ["git", "-c", "user.name=x", "-c", "user.email=x@x", "merge", "one"],
        cwd=checkout,
        capture_output=True,
        check=False,
    )
    assert git(checkout, "ls-files", "--unmerged")


def _resolved(checkout: Path) -> None:
    _conflict(checkout)
    (checkout / "hello.txt").write_text("one and two\n")
    git(checkout, "add", "hello.txt")


@pytest.mark.parametrize("change", [_stage, _stage_with_trees, _split_index, _conflict, _resolved])
@pytest.mark.parametrize("linked", [False, True])
async def test_what_the_person_staged_is_there_and_nothing_more(
    repository: Path, tmp_path: Path, change: Callable[[Path], None], linked: bool
) -> None:
    """T25: `git status` says the same in the task, and the task can commit what it sees."""
    at = repository
    if linked:
        at = tmp_path / "tree"
        git(repository, "worktree", "add", "-q", "-b", "side", str(at))
    change(at)
    metadata = str(repository / ".git" / "worktrees" / "tree") if linked else ""
    record = record_of(at, metadata, git(at, "symbolic-ref", "--short", "HEAD"))
    said = git(at, "status", "--porcelain")
    place = await isolated_at(repository, tmp_path, record)
    assert place.in_task("status", "--porcelain") == said
    named = {line.split()[1] for line in git(at, "ls-files", "--stage").splitlines()}
    beyond = objects(place) - history(repository, record.base or "") - named
    kinds = {place.in_task("cat-file", "-t", name) for name in beyond}
    assert kinds <= {"tree"}
    if change is _resolved:
        with pytest.raises(subprocess.CalledProcessError):
            place.in_task("cat-file", "-e", git(repository, "rev-parse", "one:hello.txt"))
    place.in_task("fsck", "--strict")
    place.in_task("gc", "-q")
    if change is _conflict:
        return
    place.in_task("commit", "-q", "-m", "As staged")
    git(at, "reset", "-q", "--hard")
    git(repository, "reflog", "expire", "--expire=now", "--all")
    git(repository, "gc", "-q", "--prune=now")
    result = await import_work(place.private, "t1", record.branch, record.base)
    assert result.problem == ""
    git(repository, "fsck", "--strict")


def _shallow(repository: Path, clone: Path) -> None:
    git(repository, "clone", "-q", "--depth=1", f"file://{repository}", str(clone))


def _partial(repository: Path, clone: Path) -> None:
    git(repository, "config", "uploadpack.allowFilter", "true")
    source = f"file://{repository}"
    git(repository, "clone", "-q", "--no-checkout", "--filter=blob:none", source, str(clone))
    git(clone, "reset", "-q")


def _without(name: str) -> Callable[[Path, Path], None]:
    def damaged(repository: Path, clone: Path) -> None:
        git(repository, "clone", "-q", "--no-hardlinks", str(repository), str(clone))
        lost = git(clone, "rev-parse", name)
        for pack in (clone / ".git" / "objects").glob("pack/*.pack"):
            moved = pack.rename(clone / "moved")
            with moved.open("rb") as data:
                command = ["git", "unpack-objects", "-q"]
                subprocess.run(command, cwd=clone, stdin=data, check=True)
        (clone / ".git" / "objects" / lost[:2] / lost[2:]).unlink()

    return damaged


LACKING: dict[str, tuple[Callable[[Path, Path], None], str, str]] = {
    "shallow": (_shallow, "is a shallow clone", "git fetch --unshallow"),
    "partial": (_partial, "is a partial clone", "make a clone without --filter"),
    "an old commit is lost": (_without("HEAD~1"), "does not give", "git fsck"),
    "an old tree is lost": (_without("HEAD~1^{tree}"), "does not give", "git fsck"),
    "an old blob is lost": (_without("HEAD~1:hello.txt"), "does not give", "git fsck"),
}


@pytest.mark.parametrize("kind", LACKING)
async def test_a_repository_that_lacks_objects_is_refused(
    repository: Path, tmp_path: Path, kind: str
) -> None:
    """T25: in one line with what to do, and nothing half made is left."""
    spoil, said, hint = LACKING[kind]
    clone = tmp_path / "clone"
    spoil(repository, clone)
    before = git(clone, "count-objects", "-v")
    record = record_of(clone, "", "main")
    with pytest.raises(Refused, match=said) as caught:
        await isolated_at(clone, tmp_path, record)
    assert caught.value.hint.startswith(hint)
    assert "\n" not in caught.value.one_line()
    assert not list((tmp_path / "task").iterdir())
    assert git(clone, "count-objects", "-v") == before  # nothing was fetched
    if kind in {"shallow", "partial"}:  # seen before a worktree is made
        with pytest.raises(Refused, match=said):
            await refuse_incomplete(open_repository(clone), record.base or "")
    else:
        await refuse_incomplete(open_repository(clone), record.base or "")


async def test_a_shallow_or_partial_clone_that_lacks_nothing_is_taken(
    repository: Path, tmp_path: Path
) -> None:
    """T25: what counts is what the task starts from."""
    root = git(repository, "rev-parse", "HEAD~1")
    git(repository, "commit", "-q", "--allow-empty", "-m", "Third")
    clone = tmp_path / "clone"
    git(repository, "clone", "-q", "--depth=1", f"file://{repository}", str(clone))
    git(clone, "fetch", "-q", str(repository), root)
    git(clone, "checkout", "-q", "-b", "old", "FETCH_HEAD")
    assert (clone / ".git" / "shallow").read_text()
    (clone / ".git" / "objects" / "pack" / "pack-1.promisor").touch()
    record = record_of(clone, "", "old")
    await refuse_incomplete(open_repository(clone), root)
    place = await isolated_at(clone, tmp_path, record)
    assert objects(place) == history(repository, root)


async def test_a_repository_that_borrows_itself(repository: Path, tmp_path: Path) -> None:
    """T25: the task gets what the repository has from others, and mounts nothing of them."""
    clone = tmp_path / 'a "clone": with \\ in it'
    git(repository, "clone", "-q", "--shared", str(repository), str(clone))
    (clone / "hello.txt").write_text("mine\n")
    git(clone, "commit", "-q", "-a", "-m", "Mine")
    place = await isolated(clone, tmp_path)
    assert objects(place) == history(clone, "HEAD")
    assert len(place.private.mounts(Path(place.record.path))) == 3
    tip = place.commit("new")
    assert (await place.bring()).branch == "advanced"
    assert git(clone, "rev-parse", f"{place.record.branch}") == tip


async def test_replaced_objects_and_grafts_change_nothing(repository: Path, tmp_path: Path) -> None:
    """T25: what stands for another commit here is not in the task, and the true history is."""
    true = history(repository, "HEAD")
    other = git(repository, "commit-tree", "HEAD^{tree}", "-m", "Instead")
    git(repository, "replace", "HEAD~1", other)
    head = git(repository, "rev-parse", "HEAD")
    (repository / ".git" / "info" / "grafts").write_text(f"{head}\n")
    place = await isolated(repository, tmp_path)
    assert objects(place) == true


async def test_settings_of_the_repository_do_not_count(repository: Path, tmp_path: Path) -> None:
    """T25: no limit of a pack's size, and no program."""
    marker = tmp_path / "executed"
    for key, value in {
        "pack.packSizeLimit": "1m",
        "core.alternateRefsCommand": f"touch {marker}",
        "core.fsmonitor": f"touch {marker}",
        "uploadpack.packObjectsHook": f"touch {marker}",
    }.items():
        git(repository, "config", key, value)
    place = await isolated(repository, tmp_path)
    assert objects(place) == history(repository, "HEAD")
    assert not marker.exists()


async def test_a_branch_that_moved_before_the_task_began(repository: Path, tmp_path: Path) -> None:
    """T25: a task that waited in the queue begins at its branch, as any other does."""

    def moved(worktree: Path) -> None:
        git(worktree, "commit", "-q", "--allow-empty", "-m", "Meanwhile")

    place = await isolated(repository, tmp_path, before=moved)
    assert place.in_task("log", "-1", "--format=%s") == "Meanwhile"
    place.commit("new")
    assert (await place.bring()).branch == "advanced"


async def test_an_isolated_task_is_not_begun_without_a_commit(
    repository: Path, tmp_path: Path
) -> None:
    """T25: there is nothing to give it."""
    found = open_repository(repository)
    with pytest.raises(Refused, match="no commit"):
        await create_private(found, None, tmp_path, "unborn", None, (0, 0), isolated=True)
