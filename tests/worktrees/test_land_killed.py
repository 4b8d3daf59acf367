"""`kill -9` at every step of a landing and of a commit: as before, or as after, or completed."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from ctui.errors import Refused
from ctui.worktrees.landing.checkouts import main_checkout
from ctui.worktrees.landing.commit import commit_all
from ctui.worktrees.landing.land import land, undo_landing
from ctui.worktrees.landing.ref_transaction import recover, recover_all
from tests.conftest import git
from tests.worktrees.landing import Place, files, leftovers, make_place, snapshot

pytestmark = pytest.mark.slow

_STRIDES = pytest.mark.parametrize("stride", [5, pytest.param(1, marks=pytest.mark.soak)])
"""From one step to the next at which it is killed."""


@pytest.fixture
def place(repository: Path, tmp_path: Path) -> Place:
    place = asyncio.run(make_place(repository, tmp_path))
    for name in ("edited", "gone/file", "dir/one"):
        place.on_main(name, f"{name}\n")
    git(place.path, "merge", "-q", "main")
    return place


@contextmanager
def killer(place: Place) -> Iterator[Callable[[str, int], str]]:
    """Carries out an operation in a process that is killed at a step; says how that ended."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.worktrees.killed"),
            *(str(place.main), place.record.metadata),
        ],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    def carry_out(operation: str, step: int) -> str:
        stdin.write(f"{operation} {step}\n")
        stdin.flush()
        return stdout.readline().strip()

    with process:
        yield carry_out
        stdin.close()


@_STRIDES
def test_a_landing_killed_at_a_step_is_completed_or_never_was(place: Place, stride: int) -> None:
    place.work("edited", "from the worktree\n")
    place.work("added/file", "new\n")
    git(place.path, "rm", "-q", "-r", "gone", "dir")
    tip = place.work("dir", "a file now\n")
    (place.main / "hello.txt").write_text("unsaved\n")
    (place.main / "added").mkdir()
    (place.main / "added" / "untracked").write_text("mine")
    checkout = main_checkout(place.repository)
    assert checkout is not None
    before, start = snapshot(place.main), place.oid("main")
    old = files(place.main)
    landed = asyncio.run(land(place.repository, place.worktree, fast_forward=True))
    after, new = snapshot(place.main), files(place.main)
    asyncio.run(undo_landing(place.repository, landed))
    assert snapshot(place.main) == before
    outcomes = {"before": 0, "after": 0}
    with killer(place) as carry_out:
        for step in itertools.count(1, stride):
            ended = carry_out("land", step)
            assert ended in {"killed", "done"}
            for name, content in files(place.main).items():
                assert content in {old.get(name), new.get(name)}
            if step % 2:
                asyncio.run(recover(checkout))
            else:
                with suppress(Refused):
                    asyncio.run(land(place.repository, place.worktree, fast_forward=True))
            found = snapshot(place.main)
            assert found in (before, after)
            assert leftovers(place) == []
            outcomes["after" if found == after else "before"] += 1
            if found == after:
                assert place.oid("main") == tip
                asyncio.run(undo_landing(place.repository, landed))
            assert (snapshot(place.main), place.oid("main")) == (before, start)
            if ended == "done":
                break
    assert min(outcomes.values()) > 10 // stride


@_STRIDES
def test_what_completes_a_landing_may_be_killed_as_well(place: Place, stride: int) -> None:
    place.work("edited", "from the worktree\n")
    git(place.path, "rm", "-q", "-r", "gone", "dir")
    tip = place.work("dir", "a file now\n")
    seen = set()
    with killer(place) as carry_out:
        for step in itertools.count(30, 1 + stride):
            seen.add(place.oid("main"))
            if carry_out("land", step) == "done":
                break
    assert place.oid("main") == tip
    assert len(seen) == 2
    assert git(place.main, "status", "--porcelain", "--ignored") == ""
    assert leftovers(place) == []


def test_what_a_person_edits_before_it_is_completed_stays_theirs(place: Place) -> None:
    place.work("edited", "from the worktree\n")
    tip = place.work("last", "from the worktree\n")
    with killer(place) as carry_out:
        for step in itertools.count(80, 2):
            assert carry_out("land", step) == "killed"
            if place.oid("main") == tip:
                break
    assert not (place.main / "last").exists()
    (place.main / "edited").write_text("mine\n")
    asyncio.run(recover_all(place.repository))
    assert (place.main / "edited").read_text() == "mine\n"
    assert git(place.main, "status", "--porcelain") == "M edited"
    assert leftovers(place) == []


@pytest.mark.parametrize("stride", [17, pytest.param(1, marks=pytest.mark.soak)])
def test_an_undo_killed_at_a_step_is_completed_or_never_was(place: Place, stride: int) -> None:
    place.work("edited", "from the worktree\n")
    git(place.path, "rm", "-q", "-r", "gone")
    place.work("dir/two", "new\n")
    checkout = main_checkout(place.repository)
    assert checkout is not None
    before = snapshot(place.main)
    landed = asyncio.run(land(place.repository, place.worktree, fast_forward=True))
    after = snapshot(place.main)
    asyncio.run(undo_landing(place.repository, landed))
    with killer(place) as carry_out:
        for step in itertools.count(1, stride):
            ended = carry_out("undo", step)
            asyncio.run(recover(checkout))
            found = snapshot(place.main)
            assert found in (before, after)
            if found == after:
                asyncio.run(undo_landing(place.repository, landed))
            assert snapshot(place.main) == before
            if ended == "done":
                break


@_STRIDES
def test_a_commit_killed_at_a_step_is_completed_or_never_was(place: Place, stride: int) -> None:
    (place.path / "hello.txt").write_text("changed\n")
    (place.path / "new").write_text("new\n")
    (place.path / "edited").unlink()
    git(place.path, "add", "hello.txt")
    before = snapshot(place.path)
    start = place.oid("ctui/work")
    outcomes = {"before": 0, "after": 0}
    with killer(place) as carry_out:
        for step in itertools.count(1, stride):
            ended = carry_out("commit", step)
            assert ended in {"killed", "done"}
            if step % 2:
                asyncio.run(recover(place.worktree))
            else:
                asyncio.run(commit_all(place.worktree, "Committed"))
            assert leftovers(place) == []
            if place.oid("ctui/work") == start:
                assert snapshot(place.path) == before
                outcomes["before"] += 1
            else:
                assert git(place.path, "status", "--porcelain") == ""
                assert place.oid("ctui/work~1") == start
                outcomes["after"] += 1
                git(place.path, "reset", "-q", "--mixed", start)
                git(place.path, "add", "hello.txt")
            assert snapshot(place.path) == before
            if ended == "done":
                break
    assert min(outcomes.values()) > 10 // stride


@pytest.mark.parametrize("worked", [False, True])
def test_who_removes_the_lock_by_hand_gets_the_files_all_the_same(
    place: Place, worked: bool
) -> None:
    """As git advises, when a lock is in its way."""
    tip = place.work("last", "from the worktree\n")
    with killer(place) as carry_out:
        for step in itertools.count(80, 2):
            assert carry_out("land", step) == "killed"
            if place.oid("main") == tip:
                break
    (place.main / ".git" / "index.lock").unlink()
    if worked:
        (place.main / "hello.txt").write_text("mine\n")
        git(place.main, "commit", "-q", "-a", "-m", "Mine")
        tip = place.oid("main")
    asyncio.run(recover_all(place.repository))
    assert place.oid("main") == tip
    assert git(place.main, "status", "--porcelain") == ""
    assert (place.main / "last").exists() is not worked
    assert leftovers(place) == []
