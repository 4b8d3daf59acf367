from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

import ctui
from ctui.errors import ExternalFailure, Unavailable
from ctui.git.repository.repository import Target
from ctui.worktrees.model import Proof, Work
from ctui.worktrees.proof.verdicts import VerdictCache
from ctui.worktrees.proof.worker import ProofWorker
from tests.worktrees.story import Story

pytestmark = pytest.mark.slow

_SOURCE = str(Path(ctui.__file__).parents[1])


_LINUX = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs pidfd_open(2)")


class Asking:
    """A worker, and a repository to ask it about."""

    def __init__(self, folder: Path) -> None:
        self.story = Story(folder / "repository")
        self.story.two()
        self.story.squash("b")
        self.worker = ProofWorker(folder / "cache")
        self.folder = folder

    @property
    def pid(self) -> int:
        assert self.worker._process is not None
        return self.worker._process.pid

    def targets(self) -> list[Target]:
        return [Target("refs/heads/main", self.story.heads["main"])]

    def work(self) -> Work:
        return Work(self.story.heads["b"], self.story.base)

    async def ask(self, *works: Work) -> list[Proof]:
        """Ask the process: nothing is kept of what it answered before."""
        VerdictCache(self.folder / "cache").clear()
        return await self.ask_again(*works)

    async def ask_again(self, *works: Work) -> list[Proof]:
        repository = self.story.repository()
        return await self.worker.prove(repository, self.targets(), works or [self.work()])

    async def begin_to_ask(self) -> asyncio.Task[list[Proof]]:
        """Ask, and return as soon as the process was sent the question."""
        before = self.worker._asked
        question = asyncio.create_task(self.ask())
        while self.worker._asked == before:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.001)
        return question


@pytest_asyncio.fixture
async def asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Asking]:
    # The worker is to be of the same source as the test.
    monkeypatch.setenv("PYTHONPATH", _SOURCE)
    asking = Asking(tmp_path)
    yield asking
    await asking.worker.close()


async def test_it_answers_as_the_prover_does(asking: Asking) -> None:
    there = await asking.ask()
    here = await asyncio.to_thread(asking.story.prove, asking.folder / "another cache")
    assert there == here
    assert await asking.worker.prove(asking.story.repository(), asking.targets(), []) == []


async def test_what_is_kept_needs_no_process(asking: Asking) -> None:
    fresh = Work(asking.story.base, asking.story.base)
    expected = await asking.ask(asking.work(), fresh)
    await asking.worker.close()
    assert await asking.ask_again(fresh, asking.work()) == expected[::-1]
    new = Work(asking.story.heads["main"])
    with pytest.raises(Unavailable):
        await asking.ask_again(asking.work(), new)


async def test_a_killed_worker_is_started_again(asking: Asking) -> None:
    first = await asking.ask()
    pid = asking.pid
    os.kill(pid, signal.SIGKILL)
    assert await asking.ask() == first
    assert asking.pid != pid


async def test_killed_in_mid_question_it_is_asked_again(asking: Asking) -> None:
    expected = await asking.ask()
    pid = asking.pid
    os.kill(pid, signal.SIGSTOP)  # so that the question is certainly not answered yet
    question = await asking.begin_to_ask()
    os.kill(pid, signal.SIGKILL)
    assert await question == expected
    assert asking.pid != pid


async def test_two_questions_at_once_get_their_own_answers(asking: Asking) -> None:
    fresh = Work(asking.story.base, asking.story.base)
    merged, unbegun = await asyncio.gather(asking.ask(), asking.ask(fresh))
    assert merged[0].verdict.kind == "merged"
    assert unbegun[0].verdict.kind == "no-commits"


async def test_a_cancelled_caller_leaves_it_usable(asking: Asking) -> None:
    await asking.ask()
    pid = asking.pid
    os.kill(pid, signal.SIGSTOP)
    (await asking.begin_to_ask()).cancel()
    os.kill(pid, signal.SIGCONT)
    fresh = Work(asking.story.base, asking.story.base)
    assert (await asking.ask(fresh))[0].verdict.kind == "no-commits"
    assert asking.pid == pid


async def test_a_branch_that_crashes_it_does_not_hide_the_others(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real git that kills whoever started it, as soon as it is asked to merge one branch."""
    story = asking.story
    story.branch("poison", story.base)
    story.rename("poison", "f", "f2")
    poison = story.edited("poison", 3, "P", "f2")
    story.rename("main", "f", "f2")
    story.edited("main", 30, "Q", "f2")
    git = asking.folder / "bin" / "git"
    git.parent.mkdir()
    script = f'case "$*" in *{poison}*) kill -9 $PPID;; esac\nexec {shutil.which("git")} "$@"\n'
    git.write_text(f"#!/bin/sh\n{script}")
    git.chmod(0o755)
    monkeypatch.setenv("PATH", f"{git.parent}:{os.environ['PATH']}")
    crashed, other = await asking.ask(Work(poison), asking.work())
    assert (crashed.verdict.kind, other.verdict.kind) == ("unknown", "merged")


async def test_closed_in_mid_question_it_stays_closed(asking: Asking) -> None:
    await asking.ask()
    os.kill(asking.pid, signal.SIGSTOP)
    question = await asking.begin_to_ask()
    await asking.worker.close()
    with pytest.raises(Unavailable):
        await question


async def test_what_cannot_be_proven_at_all_is_one_clear_line(asking: Asking) -> None:
    (asking.folder / "cache").write_text("a file where the folder should be")
    with pytest.raises(ExternalFailure, match="is not a folder of yours"):
        await asking.ask()


_PARENT = """
import asyncio, os, sys
from pathlib import Path
from ctui.git.repository.repository import Repository, Target
from ctui.worktrees.model import Work
from ctui.worktrees.proof.worker import ProofWorker

async def main():
    folder, main, tip = sys.argv[1:]
    worker = ProofWorker(Path(folder) / "cache")
    repository = Repository(Path(folder) / "repository/.git", None)
    await worker.prove(repository, [Target("refs/heads/main", main)], [Work(tip)])
    print(worker._process.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@_LINUX
async def test_it_ends_with_its_parent(asking: Asking) -> None:
    heads = asking.story.heads
    parent = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", _PARENT, str(asking.folder), heads["main"], heads["b"]),
        stdout=asyncio.subprocess.PIPE,
    )
    assert parent.stdout is not None
    # A descriptor that is readable when that process, no child of ours, has ended.
    ended = os.pidfd_open(int(await parent.stdout.readline()))
    gone = asyncio.Event()
    asyncio.get_running_loop().add_reader(ended, gone.set)
    parent.kill()
    await parent.wait()
    await asyncio.wait_for(gone.wait(), 20)
    asyncio.get_running_loop().remove_reader(ended)
    os.close(ended)


def test_the_front_end_s_side_loads_no_libgit2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", _SOURCE)
    # `make coverage` would measure this process too, and loads sqlite3 for that.
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    code = "import ctui.worktrees.proof.worker, sys; print({'pygit2', 'sqlite3'} & {*sys.modules})"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"
