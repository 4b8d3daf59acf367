"""Sparse checkouts: a task's worktree has the same files, and what it commits lands."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctui.git.repository.repository import open_repository
from ctui.worktrees.create import create_worktree
from ctui.worktrees.landing.checkouts import linked_checkout
from ctui.worktrees.landing.land import Landed, land, undo_landing
from tests.conftest import git
from tests.git.conftest import Place, place_in
from tests.worktrees.looking import worktree_status

pytestmark = pytest.mark.usefixtures("known_person")

CONE = ("--cone", "src")
NO_CONE = ("--no-cone", "/*", "!/docs/", "!/big/", "/docs/kept.md")


@pytest.fixture(params=[CONE, NO_CONE, (*CONE, "--sparse-index")], ids=["cone", "no-cone", "index"])
def sparse(request: pytest.FixtureRequest, repository: Path) -> Path:
    """A repository whose checkout has `src` and not `docs/guide.md`, nor `big`."""
    for name in ("src/a.c", "src/deep/b.c", "docs/guide.md", "docs/kept.md", "big/data"):
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text(f"{name}\n")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "Add files")
    options = [option for option in request.param if option == "--sparse-index"]
    patterns = [option for option in request.param if option != "--sparse-index"]
    git(repository, "sparse-checkout", "set", *options, *patterns)
    assert not (repository / "docs" / "guide.md").exists()
    return repository


def files(folder: Path) -> set[str]:
    found = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    return {str(path) for path in found if path.parts[0] != ".git"}


async def land_it(place: Place) -> Landed:
    repository = open_repository(place.repository)
    return await land(repository, linked_checkout(repository, Path(place.record.metadata)))


async def test_a_task_has_the_files_that_the_checkout_has(sparse: Path, tmp_path: Path) -> None:
    """G8: the worktree is sparse like the one that it came from, and so is the task's git."""
    place = await place_in(sparse, tmp_path)

    assert files(Path(place.record.path)) == files(sparse)
    assert place.in_task("status", "--porcelain") == ""
    assert place.in_task("sparse-checkout", "list") == git(sparse, "sparse-checkout", "list")
    assert place.host("status", "--porcelain") == ""
    status = await worktree_status(open_repository(sparse), place.record)
    assert (status.status, status.problem) == ("clean", None)


async def test_work_lands_in_a_sparse_checkout(sparse: Path, tmp_path: Path) -> None:
    """G8: landing writes what the checkout has, and leaves out what it leaves out."""
    place = await place_in(sparse, tmp_path)
    (Path(place.record.path) / "src" / "a.c").write_text("changed\n")
    (Path(place.record.path) / "src" / "new.c").write_text("new\n")
    (Path(place.record.path) / "big").mkdir()
    (Path(place.record.path) / "big" / "more").write_text("more\n")
    place.in_task("rm", "-q", "--sparse", "docs/guide.md")
    place.in_task("add", "--sparse", "-A")
    place.in_task("commit", "-q", "-m", "Change all kinds")
    result = await place.bring()
    assert (result.branch, result.problem) == ("advanced", "")
    assert place.host("status", "--porcelain") == ""
    before = files(sparse)

    landed = await land_it(place)
    await undo_landing(open_repository(sparse), landed)
    assert files(sparse) == before
    assert git(sparse, "status", "--porcelain") == ""
    await land_it(place)

    assert files(sparse) == before | {"src/new.c"}
    assert (sparse / "src" / "a.c").read_text() == "changed\n"
    assert git(sparse, "status", "--porcelain") == ""
    assert "big/more" in git(sparse, "ls-tree", "-r", "--name-only", "main")
    git(sparse, "sparse-checkout", "disable")
    assert git(sparse, "status", "--porcelain") == ""
    assert (sparse / "big" / "more").read_text() == "more\n"
    assert not (sparse / "docs" / "guide.md").exists()


async def test_files_that_a_merge_brings_stay_out(sparse: Path, tmp_path: Path) -> None:
    """G8: what the task's git left out is no deletion for the person's git."""
    place = await place_in(sparse, tmp_path)
    git(sparse, "switch", "-q", "-c", "side")
    (sparse / "big").mkdir()
    (sparse / "big" / "side").write_text("side\n")
    (sparse / "src" / "side.c").write_text("side\n")
    git(sparse, "add", "--sparse", "-A")
    git(sparse, "commit", "-q", "-m", "Side")
    side = git(sparse, "rev-parse", "side")
    git(sparse, "switch", "-q", "main")
    place.in_task("merge", "-q", side)
    assert "src/side.c" in files(Path(place.record.path))
    assert "big/side" not in files(Path(place.record.path))

    assert (await place.bring()).branch == "advanced"

    assert place.host("status", "--porcelain") == ""
    status = await worktree_status(open_repository(sparse), place.record)
    assert status.changes is not None
    assert not status.changes.any
    await land_it(place)
    assert git(sparse, "status", "--porcelain") == ""


async def test_it_is_like_the_worktree_that_a_person_stands_in(
    sparse: Path, tmp_path: Path
) -> None:
    """G8: of two checkouts the one counts that it is made from."""
    git(sparse, "worktree", "add", "-q", "-b", "full", str(tmp_path / "full"))
    git(tmp_path / "full", "sparse-checkout", "disable")
    assert "big/data" in files(tmp_path / "full")

    full = await create_worktree(open_repository(tmp_path / "full"), tmp_path / "w", name="one")
    part = await create_worktree(open_repository(sparse), tmp_path / "w", name="two")

    assert "big/data" in files(Path(full.path))
    assert "big/data" not in files(Path(part.path))
    assert git(Path(full.path), "status", "--porcelain") == ""


async def test_a_checkout_that_is_not_sparse_any_more(sparse: Path, tmp_path: Path) -> None:
    """G8: patterns that no setting makes count are none."""
    git(sparse, "sparse-checkout", "disable")
    assert (sparse / ".git" / "info" / "sparse-checkout").exists()
    place = await place_in(sparse, tmp_path)
    assert "big/data" in files(Path(place.record.path))
    assert place.in_task("config", "--default", "no", "--get", "core.sparseCheckout") == "no"


async def test_a_worktree_of_a_bare_repository_is_sparse(sparse: Path, tmp_path: Path) -> None:
    """G8: with G7, where the settings lie beside those of a bare repository."""
    git(tmp_path, "clone", "-q", "--bare", str(sparse), "bare.git")
    git(tmp_path / "bare.git", "worktree", "add", "-q", str(tmp_path / "all" / "main"), "main")
    git(tmp_path / "all" / "main", "sparse-checkout", "set", "src")
    repository = open_repository(tmp_path / "all" / "main")
    for found, name in ((repository, "one"), (open_repository(tmp_path / "bare.git"), "two")):
        record = await create_worktree(found, tmp_path / "w", name=name)
        assert files(Path(record.path)) == files(tmp_path / "all" / "main")
        assert git(Path(record.path), "status", "--porcelain") == ""


async def test_names_that_the_machine_has_as_well(repository: Path, tmp_path: Path) -> None:
    """G8: what is left out is not looked for in the root of the machine, where git runs."""
    for name in ("usr/bin/env", "src/a"):
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text(f"{name}\n")
    git(repository, "add", ".")
    commit = git(repository, "rev-parse", "HEAD")
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{commit},lib")
    git(repository, "commit", "-q", "-m", "Add names")
    git(repository, "sparse-checkout", "set", "--no-cone", "/src/")
    assert Path("/usr/bin/env").exists()
    assert Path("/lib").exists()
    place = await place_in(repository, tmp_path)
    status = await worktree_status(open_repository(repository), place.record)
    assert (status.status, status.problem) == ("clean", None)
    (Path(place.record.path) / "src" / "a").write_text("changed\n")
    place.in_task("commit", "-q", "-a", "-m", "Change")
    assert (await place.bring()).branch == "advanced"
    await land_it(place)
    assert place.host("status", "--porcelain") == ""
    assert git(repository, "status", "--porcelain") == ""
    assert git(repository, "ls-files", "-t", "lib", "usr") == "S lib\nS usr/bin/env"
    assert (await worktree_status(open_repository(repository), place.record)).problem is None
