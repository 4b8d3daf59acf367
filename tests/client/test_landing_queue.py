"""Turns of checked landings: in order, one at a time, and no dead one holds the others up."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from ctui.client.landing.queue import turn


class Waiting:
    """One process of the queue."""

    def __init__(self, folder: Path, name: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.client.queue_process", str(folder), name],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def said(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def tell(self, word: str) -> int:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        return self.process.wait(60)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(60)


class Start(Protocol):
    def __call__(self, name: str) -> Waiting: ...


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    (tmp_path / "queues").mkdir(mode=0o700)
    with ExitStack() as stack:

        def begin(name: str) -> Waiting:
            waiting = Waiting(tmp_path / "queues", name)
            stack.enter_context(waiting.process)
            stack.callback(waiting.process.kill)
            return waiting

        yield begin


def left(tmp_path: Path) -> list[str]:
    return [path.name for path in tmp_path.rglob("*.ticket")]


def test_they_come_in_order_also_behind_one_that_fails(start: Start, tmp_path: Path) -> None:
    first = start("one")
    assert first.said() == "turn"
    second = start("two")
    assert second.said() == "waits for one"
    third = start("three")
    assert third.said() == "waits for one"
    assert first.tell("fail") == 1
    assert second.said() == "turn"
    assert third.said() == "waits for two"
    assert second.tell("land") == 0
    assert third.said() == "turn"
    assert third.tell("land") == 0
    assert left(tmp_path) == []


def test_a_dead_one_is_passed_over(start: Start, tmp_path: Path) -> None:
    first = start("one")
    assert first.said() == "turn"
    second = start("two")
    assert second.said() == "waits for one"
    third = start("three")
    assert third.said() == "waits for one"
    second.kill()
    first.kill()
    assert third.said() == "turn"
    assert third.tell("land") == 0
    assert left(tmp_path) == []


async def test_another_target_or_repository_has_a_queue_of_its_own(tmp_path: Path) -> None:
    queues = tmp_path / "queues"
    queues.mkdir(mode=0o700)
    waited: list[str] = []
    async with (
        asyncio.timeout(20),
        turn(queues, Path("/a"), "refs/heads/main", "one", waited.append),
        turn(queues, Path("/a"), "refs/heads/dev", "two", waited.append),
        turn(queues, Path("/b"), "refs/heads/main", "three", waited.append),
    ):
        pass
    assert waited == []
