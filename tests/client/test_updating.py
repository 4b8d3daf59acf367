"""G18: a worktree is updated from its target: branch, files, and what its task has of both."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ctui.client.tasks.updating import update_or_tell, update_worktree, waits
from ctui.client.worktrees.worktrees import make_worktree
from ctui.errors import Conflict, CtuiError, Refused, Unavailable
from ctui.git.exchange.follow_host import Move, finish, following
from ctui.git.exchange.fresh_refs import refresh_refs
from ctui.git.exchange.imports import import_work
from ctui.git.private.private import PrivateRepository, create_private
from ctui.git.repository.repository import Repository, open_repository
from ctui.paths import Paths
from ctui.tasks.model import Task, TaskState
from ctui.tasks.store import Store
from ctui.worktrees.known import KnownWorktree, find_worktree, known_worktrees
from ctui.worktrees.landing.merge_plan import MergeConflict
from ctui.worktrees.landing.update import Updated, carry_out
from ctui.worktrees.model import WorktreeRecord
from tests.conftest import git
from tests.filters.conftest import with_openssl


class Place(NamedTuple):
    """A worktree, and a task that is idle in it."""

    paths: Paths
    folder: Path
    repository: Repository
    record: WorktreeRecord
    private: PrivateRepository

    @property
    def path(self) -> Path:
        return Path(self.record.path)

    @property
    def owner(self) -> tuple[int, int]:
        status = self.path.stat()
        return status.st_uid, status.st_gid

    @property
    def worktree(self) -> KnownWorktree:
        known = known_worktrees(self.repository, {self.record.metadata: self.record})
        return find_worktree(known, self.record.name)

    def in_task(self, *arguments: str) -> str:
        """Git as the task runs it: private directory, the worktree's files."""
        environ = {
            **os.environ,
            "GIT_DIR": str(self.private.git_dir),
            "GIT_WORK_TREE": self.record.path,
        }
        command = ["git", "-c", "safe.directory=*", *arguments]
        done = subprocess.run(
            command, cwd=self.path, env=environ, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    async def commit(self, name: str, text: str = "") -> str:
        """Commit in the task, and bring it home as at the end of a turn."""
        (self.path / name).write_text(text or f"{name}\n")
        self.in_task("add", name)
        self.in_task("commit", "-q", "-m", f"Write {name}")
        await self.bring()
        return self.in_task("rev-parse", "HEAD")

    async def bring(self) -> str:
        result = await import_work(self.private, "t1", self.record.branch, self.record.base)
        assert not result.problem
        return result.branch

    def on_main(self, name: str, text: str = "") -> str:
        (self.folder / name).write_text(text or f"{name}\n")
        git(self.folder, "add", name)
        git(self.folder, "commit", "-q", "-m", f"Write {name}")
        return git(self.folder, "rev-parse", "main")

    async def update(self, **how: object) -> Updated:
        return await update_worktree(self.paths, self.repository, self.worktree, **how)  # type: ignore[arg-type]

    def state(self, state: TaskState) -> None:
        store = Store(self.paths.database)
        task = store.tasks.get("t1")
        task.state = state
        store.tasks.save(task)
        store.close()

    def check(self, commit: str) -> None:
        """Assert that person and task see the same commit, and nothing uncommitted."""
        assert git(self.folder, "rev-parse", str(self.record.branch)) == commit
        assert self.in_task("rev-parse", "HEAD") == commit
        assert self.in_task("status", "--porcelain") == ""
        assert git(self.path, "-c", "safe.directory=*", "status", "--porcelain") == ""
        assert not list(self.private.git_dir.glob("*.lock"))


@pytest.fixture
async def place(repository: Path, tmp_path: Path, paths: Paths) -> Place:
    del tmp_path
    for name, value in (("user.name", "The Person"), ("user.email", "person@example.org")):
        git(repository, "config", name, value)
    found = open_repository(repository)
    record = await make_worktree(paths, found, prefix="ctui/", name="work")
    folder = paths.task("t1")
    folder.mkdir(parents=True)
    status = Path(record.path).stat()
    private = await create_private(
        found,
        Path(record.metadata),
        folder,
        record.branch,
        record.base,
        (status.st_uid, status.st_gid),
    )
    store = Store(paths.database)
    store.tasks.add(
        Task(
            id="t1",
            repository=record.repository,
            worktree=record.path,
            metadata=record.metadata,
            branch=record.branch,
            base=record.base,
            session="",
            prompt="p",
            state=TaskState.IDLE,
        )
    )
    store.close()
    return Place(paths, repository, found, record, private)


@pytest.mark.parametrize("method", ["merge", "rebase"])
async def test_it_happens_in_the_files_and_the_task_goes_on_from_there(
    place: Place, method: str
) -> None:
    """G18: merged or rebased, and the next commit of the task comes home as before."""
    mine = await place.commit("mine")
    theirs = place.on_main("theirs")
    done = await place.update(method=method)
    assert (done.method, done.commits, done.before) == (method, 1, mine)
    assert (place.path / "theirs").read_text() == "theirs\n"
    assert (place.path / "theirs").stat().st_uid == place.owner[0]
    place.check(done.after)
    parents = git(place.folder, "rev-parse", f"{done.after}^@").split()
    assert parents == ([mine, theirs] if method == "merge" else [theirs])
    assert waits(place.paths, place.worktree)
    later = await place.commit("later")
    place.check(later)
    assert refresh_refs(place.private, place.record.branch, place.owner) == 1
    assert place.in_task("rev-parse", "main") == theirs


async def test_without_commits_of_its_own_it_is_a_fast_forward(place: Place) -> None:
    """G18: as git does, and a second time there is nothing to do."""
    theirs = place.on_main("theirs")
    done = await place.update()
    assert (done.method, done.after) == ("fast-forward", theirs)
    place.check(theirs)
    assert (await place.update()).method == "none"
    assert await place.bring() == "unchanged"


async def test_nothing_is_moved_over_uncommitted_work(place: Place) -> None:
    """G18: changed, new and staged files are named, and all stays as it is."""
    place.on_main("theirs")
    before = git(place.folder, "rev-parse", str(place.record.branch))
    for name in ("hello.txt", "new"):
        (place.path / name).write_text("mine\n")
        with pytest.raises(Refused, match=name):
            await place.update()
        place.in_task("clean", "-q", "-f")
        place.in_task("checkout", "-q", "--", "hello.txt")
    (place.path / "theirs").write_text("ignored\n")
    (place.folder / ".git/info/exclude").write_text("theirs\n")
    with pytest.raises(Refused, match="theirs"):
        await place.update()
    assert (place.path / "theirs").read_text() == "ignored\n"
    assert git(place.folder, "rev-parse", str(place.record.branch)) == before
    assert not list(place.private.git_dir.glob("*.lock"))


@pytest.mark.parametrize("method", ["merge", "rebase"])
async def test_a_conflict_moves_nothing_and_can_be_handed_to_the_task(
    place: Place, method: str
) -> None:
    """G18: the message names the commit, which the task has when its turn begins."""
    mine = await place.commit("both", "mine\n")
    theirs = place.on_main("both", "theirs\n")
    with pytest.raises(MergeConflict) as raised:
        await place.update(method=method)
    assert [file.path for file in raised.value.files] == ["both"]
    place.check(mine)
    message = raised.value.for_task
    assert f"git merge {theirs}" in message
    assert "both" in message
    refresh_refs(place.private, place.record.branch, place.owner)
    assert place.in_task("rev-parse", "main") == theirs
    assert place.in_task("cat-file", "-t", theirs) == "commit"


@pytest.mark.parametrize("state", [TaskState.RUNNING, TaskState.WAITING, TaskState.QUEUED])
async def test_a_task_at_work_is_not_disturbed(place: Place, state: TaskState) -> None:
    """G18: an idle or ended one goes on from there, one at work is told by itself."""
    place.on_main("theirs")
    place.state(state)
    with pytest.raises(Refused, match="t1"):
        await place.update()
    place.state(TaskState.ENDED)
    assert (await place.update()).method == "fast-forward"
    assert not waits(place.paths, place.worktree)


async def test_a_task_that_is_elsewhere_is_not_moved(place: Place) -> None:
    """G18: another branch, a merge in its middle, a git that runs, commits that are not home."""
    mine = await place.commit("mine")
    place.on_main("theirs")
    place.in_task("checkout", "-q", "-b", "side")
    with pytest.raises(Refused, match="another branch"):
        await place.update()
    place.in_task("checkout", "-q", str(place.record.branch))
    for name, error in (("MERGE_HEAD", Refused), ("index.lock", Conflict)):
        (place.private.git_dir / name).write_text(f"{mine}\n")
        with pytest.raises(error):
            await place.update()
        (place.private.git_dir / name).unlink()
    place.in_task("commit", "-q", "--allow-empty", "-m", "Not home yet")
    with pytest.raises(Refused, match="elsewhere"):
        await place.update()
    await place.bring()
    assert (await place.update()).method == "merge"


async def test_a_dry_run_moves_nothing(place: Place) -> None:
    """G18: it says what would come of it."""
    mine = await place.commit("mine")
    place.on_main("theirs")
    done = await place.update(dry_run=True)
    assert (done.method, done.commits) == ("merge", 1)
    place.check(mine)
    with pytest.raises(CtuiError):
        place.repository.resolve(done.after)


async def test_what_a_crash_cut_off_is_completed_at_the_next_turn(place: Place) -> None:
    """G18: the worktree's branch and files moved, and the task's directory had not followed."""
    mine = await place.commit("mine")
    place.on_main("theirs")
    before = place.private.seed.read_bytes(), (place.private.git_dir / "index").read_bytes()
    done = await place.update()
    note = place.private.folder / "follow-host.json"
    place.in_task("update-ref", "--no-deref", f"refs/heads/{place.record.branch}", mine)
    place.private.seed.write_bytes(before[0])
    (place.private.git_dir / "index").write_bytes(before[1])
    note.write_text(f'{{"branch":"{done.branch}","old":"{mine}","new":"{done.after}"}}')
    (place.private.git_dir / "index.lock").write_text("ctui follows\n")
    refresh_refs(place.private, place.record.branch, place.owner)
    assert not note.exists()
    place.check(done.after)
    assert await place.bring() == "unchanged"


async def test_a_move_that_did_not_happen_leaves_no_note(place: Place) -> None:
    """G18: a crash before the branch moved, and an error, change nothing of the task's."""
    mine = await place.commit("mine")
    move = Move(str(place.record.branch), mine, "1" * 40)
    with pytest.raises(ZeroDivisionError), following(place.private, move, place.owner):
        raise ZeroDivisionError
    assert not (place.private.folder / "follow-host.json").exists()
    (place.private.folder / "follow-host.json").write_text("{")
    finish(place.private, place.owner)
    place.check(mine)


async def test_links_in_the_task_s_directory_lead_nowhere(place: Place, tmp_path: Path) -> None:
    """G18: its directory is hostile, also while ctui writes into it."""
    place.on_main("theirs")
    outside = tmp_path / "outside"
    outside.mkdir()
    heads = place.private.git_dir / "refs/heads"
    for folder in (heads / "ctui", heads):
        if folder.is_dir():
            folder.rename(place.private.git_dir / f"moved-{folder.name}")
    heads.symlink_to(outside)
    before = git(place.folder, "rev-parse", str(place.record.branch))
    with pytest.raises(CtuiError):
        await place.update()
    assert list(outside.iterdir()) == []
    assert git(place.folder, "rev-parse", str(place.record.branch)) == before


async def test_the_key_updates_and_says_what_it_did(place: Place) -> None:
    """G18: as the dashboard does it, by path; a conflict that nobody would resolve is an error."""
    await place.commit("mine")
    place.on_main("theirs")
    git_dir = place.repository.common_dir
    said = await update_or_tell(place.paths, git_dir, str(place.path))
    assert said.startswith("brought 1 commit of main into ctui/work by merge: ")
    said = await update_or_tell(place.paths, git_dir, str(place.path))
    assert said == "ctui/work has everything of main"
    await place.commit("both", "mine\n")
    place.on_main("both", "theirs\n")
    place.state(TaskState.ENDED)
    with pytest.raises(MergeConflict):
        await update_or_tell(place.paths, git_dir, str(place.path))


async def test_a_filter_that_is_new_in_the_target_leaves_its_files_alone(place: Place) -> None:
    """G1: the person's own `git add --all` in the worktree encrypts nothing twice."""
    with_openssl(place.folder)
    said: list[str] = []
    await place.update(say=said.append)
    stored = git(place.folder, "rev-parse", "main:secret.env")
    assert git(place.path, "hash-object", "--no-filters", "secret.env") == stored
    (place.path / "secret.env").touch()
    git(place.path, "-c", "safe.directory=*", "add", "--all")
    assert git(place.path, "-c", "safe.directory=*", "status", "--porcelain") == ""
    assert any("crypt are in the worktree as they are stored" in text for text in said)
    place.on_main("more")
    said.clear()
    await place.update(say=said.append)
    assert said == []


async def test_a_task_whose_git_directory_cannot_follow_moves_nothing(place: Place) -> None:
    """G18: it is said in one line, before the branch has moved."""
    place.on_main("theirs")
    before = git(place.folder, "rev-parse", "ctui/work")
    (place.private.git_dir / "index").unlink()
    (place.private.git_dir / "index").mkdir()
    with pytest.raises(Refused, match="git directory is damaged"):
        await place.update()
    assert git(place.folder, "rev-parse", "ctui/work") == before
    assert not (place.path / "theirs").exists()


async def test_a_git_directory_that_breaks_meanwhile_is_one_line(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G18: a process of the task is in the way once the branch moved; the next turn goes on."""
    theirs = place.on_main("theirs")
    index = place.private.git_dir / "index"

    async def broken(*arguments: Any) -> None:
        await carry_out(*arguments)
        index.unlink()
        index.mkdir()

    monkeypatch.setattr("ctui.client.tasks.updating.carry_out", broken)
    with pytest.raises(Unavailable, match="cannot be written: Is a directory"):
        await place.update()
    assert git(place.folder, "rev-parse", "ctui/work") == theirs
    index.rmdir()
    refresh_refs(place.private, "ctui/work", place.owner)
    place.check(theirs)
