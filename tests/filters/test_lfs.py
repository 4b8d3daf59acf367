"""Git LFS by the real git-lfs: pointers in commits, files in worktrees, objects on their way."""

from __future__ import annotations

import hashlib
import shutil
import socket
from pathlib import Path

import pytest

from ctui.client.health.filter_health import filter_check
from ctui.client.tasks.plain_files import look_at_files
from ctui.config.own_sections import GitConfig
from ctui.errors import CtuiError, Unavailable
from ctui.git.repository.repository import Repository, open_repository
from ctui.git.stored.lfs import pointer_of
from ctui.worktrees import as_stored
from ctui.worktrees.create import create_worktree
from ctui.worktrees.existing_branch import existing_branch
from ctui.worktrees.git_status import git_status
from ctui.worktrees.landing.checkouts import Checkout, linked_checkout
from ctui.worktrees.landing.commit import commit_all
from ctui.worktrees.landing.land import land
from ctui.worktrees.landing.publish import push
from tests.conftest import git
from tests.filters.conftest import Filtered, commit, needs, place_in

pytestmark = pytest.mark.slow

BIG = bytes(range(256)) * 12_000
OTHER = BIG[::-1]


@pytest.fixture
def lfs(repository: Path) -> Path:
    """A repository with a file of 3 MB in Git LFS, whose remote is a folder."""
    needs("git-lfs")
    git(repository, "lfs", "install", "--local")
    git(repository, "config", "user.name", "The Person")
    git(repository, "config", "user.email", "person@example.org")
    commit(repository, **{".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n"})
    commit(repository, **{"big.bin": BIG})
    return repository


def opened(place: Filtered) -> tuple[Repository, Checkout]:
    found = open_repository(place.repository)
    return found, linked_checkout(found, Path(place.record.metadata), place.record)


def in_store(repository: Path, content: bytes) -> bool:
    name = hashlib.sha256(content).hexdigest()
    git_dir = repository / ".git" if (repository / ".git").is_dir() else repository
    file = git_dir / "lfs" / "objects" / name[:2] / name[2:4] / name
    return file.is_file() and file.read_bytes() == content


async def modified(place: Filtered) -> int:
    found = await git_status(Path(place.record.metadata), place.path)
    return found.changes.modified + found.changes.staged


async def test_a_worktree_has_the_files_and_is_clean(lfs: Path, tmp_path: Path) -> None:
    """G3: clean from birth, for ctui, for the person and for the task."""
    place = await place_in(lfs, tmp_path)
    assert (place.path / "big.bin").read_bytes() == BIG
    assert await modified(place) == 0
    assert git(place.path, "status", "--porcelain") == ""
    assert place.in_task("status", "--porcelain") == ""
    assert place.said == []
    (place.path / "big.bin").touch()
    assert await modified(place) == 0
    place.edit("big.bin", OTHER)
    assert await modified(place) == 1


async def test_other_work_lands(lfs: Path, tmp_path: Path) -> None:
    """G3: a file of LFS that the task did not change does not block."""
    place = await place_in(lfs, tmp_path)
    place.edit("a.txt", "a\n")
    (place.path / "big.bin").touch()
    place.task_commits()
    assert (await place.bring()).problem == ""
    await land(*opened(place))
    assert (lfs / "big.bin").read_bytes() == BIG


async def test_a_new_file_comes_home_and_lands(lfs: Path, tmp_path: Path) -> None:
    """G3: the pointer is committed, its object verified, and the checkout has the file."""
    place = await place_in(lfs, tmp_path)
    place.edit("new.bin", OTHER)
    place.edit("big.bin", OTHER + b"!")
    place.task_commits()
    assert not in_store(lfs, OTHER)
    result = await place.bring()
    assert (result.problem, result.branch) == ("", "advanced")
    assert pointer_of(place.stored("ctui/work:new.bin")) == (
        hashlib.sha256(OTHER).hexdigest(),
        len(OTHER),
    )
    assert in_store(lfs, OTHER)
    assert await modified(place) == 0
    await land(*opened(place), dry_run=True)
    await land(*opened(place))
    assert (lfs / "new.bin").read_bytes() == OTHER
    assert (lfs / "big.bin").read_bytes() == OTHER + b"!"
    assert git(lfs, "status", "--porcelain") == ""


async def test_a_task_has_what_the_store_has(lfs: Path, tmp_path: Path) -> None:
    """A neighbour of G3: an older version is not in the worktree, but in the repository's store."""
    (lfs / "big.bin").write_bytes(OTHER)
    git(lfs, "commit", "-q", "-a", "-m", "Other")
    place = await place_in(lfs, tmp_path)
    place.in_task("checkout", "-q", "main~1", "--", "big.bin")
    assert (place.path / "big.bin").read_bytes() == BIG
    mounts = {str(mount.target): mount for mount in place.private.mounts(place.path)}
    store = lfs / ".git" / "lfs" / "objects"
    assert mounts[str(store)].source == store
    assert mounts[str(store)].read_only


async def test_raw_bytes_stay_out(lfs: Path, tmp_path: Path) -> None:
    """G3: what is no pointer does not come home, with the attribute or without."""
    place = await place_in(lfs, tmp_path)
    for kept in (True, False):
        if not kept:
            place.edit(".gitattributes", "")
        place.edit("big.bin", OTHER)
        place.in_task("-c", "filter.lfs.process=", "-c", "filter.lfs.required=false", "add", "-A")
        place.in_task("commit", "-q", "-m", "Raw")
        assert "big.bin of" in (problem := (await place.bring()).problem)
        assert "no Git LFS pointer" in problem
        place.in_task("reset", "-q", "--hard", "main")


@pytest.mark.parametrize("damage", ["gone", "other", "longer", "link"])
async def test_an_object_that_is_not_what_it_is_called_is_refused(
    lfs: Path, tmp_path: Path, damage: str
) -> None:
    """G3: hostile objects of a task."""
    place = await place_in(lfs, tmp_path)
    place.edit("new.bin", OTHER)
    place.task_commits()
    name = hashlib.sha256(OTHER).hexdigest()
    file = place.git_dir / "lfs" / "objects" / name[:2] / name[2:4] / name
    file.chmod(0o600)
    if damage == "other":
        file.write_bytes(BIG)
    elif damage == "longer":
        file.write_bytes(OTHER + b"!")
    else:
        file.unlink()
    if damage == "link":
        (tmp_path / "mine").write_bytes(OTHER)
        file.symlink_to(tmp_path / "mine")
    result = await place.bring()
    assert "new.bin is not in the task" in result.problem
    assert result.refs == ()
    assert not in_store(lfs, OTHER)
    assert [path for path in (lfs / ".git" / "lfs").rglob("*") if name in path.name] == []


async def test_a_branch_is_pushed_with_its_files(lfs: Path, tmp_path: Path) -> None:
    """G3: somebody else's clone has them."""
    remote = tmp_path / "remote.git"
    git(tmp_path, "init", "-q", "--bare", str(remote))
    git(lfs, "remote", "add", "origin", f"file://{remote}")
    await push(open_repository(lfs), "main")
    place = await place_in(lfs, tmp_path)
    place.edit("new.bin", OTHER)
    place.task_commits()
    await place.bring()
    await push(open_repository(lfs), "ctui/work")
    git(tmp_path, "clone", "-q", "-b", "ctui/work", f"file://{remote}", "clone")
    assert (tmp_path / "clone" / "new.bin").read_bytes() == OTHER
    assert (tmp_path / "clone" / "big.bin").read_bytes() == BIG


async def test_objects_that_the_host_lacks_leave_pointers(lfs: Path, tmp_path: Path) -> None:
    """Bad input: a clone without its objects, and a remote that is gone."""
    shutil.rmtree(lfs / ".git" / "lfs" / "objects")
    git(lfs, "remote", "add", "origin", f"file://{tmp_path}/gone.git")
    place = await place_in(lfs, tmp_path)
    assert pointer_of((place.path / "big.bin").read_bytes()) is not None
    assert "1 of 1 files of Git LFS are pointers" in place.said[0]
    assert await modified(place) == 0
    place.edit("a.txt", "a\n")
    place.in_task("mv", "big.bin", "moved.bin")
    place.task_commits()
    assert (await place.bring()).problem == ""


async def test_without_git_lfs_it_is_said(
    lfs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G3: at the start and by the doctor, and a push goes nowhere without the files."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("git", "sh", "cat", "mktemp"):
        (programs / name).symlink_to(str(shutil.which(name)))
    place = await place_in(lfs, tmp_path)
    place.edit("new.bin", OTHER)
    place.task_commits()
    await place.bring()
    remote = tmp_path / "remote.git"
    git(tmp_path, "init", "-q", "--bare", str(remote))
    git(lfs, "remote", "add", "origin", f"file://{remote}")
    monkeypatch.setenv("PATH", str(programs))
    other = await place_in(lfs, tmp_path, name="other")
    assert pointer_of((other.path / "big.bin").read_bytes()) is not None
    assert "are pointers in the worktree" in other.said[0]
    said = await look_at_files(lfs / ".git", lfs, GitConfig())
    assert "there is no git-lfs here" in said[0]
    found = await filter_check(lfs, GitConfig())
    assert found is not None
    assert (found.ok, found.mend) == (False, "install git-lfs, then: git lfs install")
    with pytest.raises(Unavailable, match="has files of Git LFS"):
        await push(open_repository(lfs), "ctui/work")
    with pytest.raises(Unavailable, match=r"there is no git-lfs here to write new\.bin"):
        await land(*opened(place))
    assert list((remote / "refs" / "heads").iterdir()) == []


async def test_ctui_itself_commits_no_raw_file(lfs: Path, tmp_path: Path) -> None:
    place = await place_in(lfs, tmp_path)
    place.edit("a.txt", "a\n")
    (place.path / "big.bin").touch()
    _, checkout = opened(place)
    assert await commit_all(checkout, "Other work")
    place.edit("big.bin", OTHER)
    with pytest.raises(CtuiError, match=r"big\.bin"):
        await commit_all(checkout, "Raw")


@pytest.mark.parametrize("program", ["sleep 1000", "exit 3", "/not/there"])
async def test_a_git_lfs_that_does_not_work_leaves_pointers(
    lfs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    """Bad input: it hangs, fails or is missing, and the worktree is made all the same."""
    monkeypatch.setattr(as_stored, "_LFS_SECONDS", 3)
    for setting in ("process", "smudge", "clean"):
        git(lfs, "config", f"filter.lfs.{setting}", program)
    place = await place_in(lfs, tmp_path)
    assert pointer_of((place.path / "big.bin").read_bytes()) is not None
    assert "1 of 1 files of Git LFS are pointers" in place.said[0]
    assert await modified(place) == 0
    place.edit("a.txt", "a\n")
    place.task_commits()
    assert (await place.bring()).problem == ""


async def test_a_text_that_looks_like_a_pointer_is_no_file(lfs: Path, tmp_path: Path) -> None:
    """G3: elsewhere it stands for nothing, so it does not count as 9 GB."""
    place = await place_in(lfs, tmp_path)
    text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'ab' * 32}\nsize 9999999999\n"
    place.edit("fixture.txt", text)
    tip = place.task_commits()
    assert (await place.bring()).problem == ""
    assert place.host("rev-parse", "HEAD") == tip


async def test_very_many_new_files_are_clean(lfs: Path, tmp_path: Path) -> None:
    """G3: each is compared with its pointer, however many a task adds at once."""
    place = await place_in(lfs, tmp_path)
    for number in range(1001):
        place.edit(f"many/{number}.bin", f"{number}\n")
    place.task_commits()
    assert (await place.bring()).problem == ""
    assert await modified(place) == 0


async def test_no_server_is_asked_that_a_task_chose(lfs: Path, tmp_path: Path) -> None:
    """G3: a new worktree of a task's branch has what is here, and asks nobody for the rest."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        git(lfs, "switch", "-q", "-c", "tasks")
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'ab' * 32}\nsize 5\n"
        (lfs / ".lfsconfig").write_text(f"[lfs]\n\turl = {url}\n")
        (lfs / "other.bin").write_text(pointer)
        git(lfs, "add", ".")
        git(lfs, "commit", "-q", "-m", "Another server")
        git(lfs, "switch", "-q", "main")
        found = open_repository(lfs)
        existing = existing_branch(found, "tasks")
        record = await create_worktree(found, tmp_path / "worktrees", existing=existing)
        with pytest.raises(TimeoutError):
            server.accept()
    assert (Path(record.path) / "other.bin").read_text() == pointer
    assert (Path(record.path) / "big.bin").read_bytes() == BIG


async def test_a_file_that_was_raw_before_is_pushed(lfs: Path, tmp_path: Path) -> None:
    """G3: of all versions of a path one pointer is enough to need the upload."""
    remote = tmp_path / "remote.git"
    git(tmp_path, "init", "-q", "--bare", str(remote))
    git(lfs, "remote", "add", "origin", f"file://{remote}")
    found = open_repository(lfs)
    await push(found, "main")
    commit(lfs, **{"new.iso": OTHER})
    git(lfs, "lfs", "track", "*.iso")
    git(lfs, "add", "--renormalize", ".")
    git(lfs, "commit", "-q", "-a", "-m", "Track it")
    await push(found, "main")
    assert in_store(remote, OTHER)
