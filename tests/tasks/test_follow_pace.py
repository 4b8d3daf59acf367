"""How fast a run's lines are taken: between two portions the driver is there for others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import cast

import pytest

from ctui.sandbox.runner import NOTHING, LogLine, Seen
from ctui.tasks.mailbox.mail import Lines
from ctui.tasks.runs.actor import TaskActor
from ctui.tasks.runs.jobs.follow import read
from tests.simulation.virtual_loop import VirtualLoop

_LINES = [LogLine(0, "out", b"%d" % number) for number in range(1000)]


class _Actor:
    """A task that takes its lines, each portion in so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.standing = SimpleNamespace(view=SimpleNamespace(seen=NOTHING))
        self.services = SimpleNamespace(runner=self)
        self.taken: list[LogLine] = []
        self.begun: list[float] = []

    async def journal(
        self, _sandbox: str, _after: Seen, *, follow: bool
    ) -> AsyncIterator[list[LogLine]]:
        del follow
        yield _LINES

    async def put_lines(self, lines: Lines) -> None:
        self.begun.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self._seconds)
        self.taken += lines.lines


@pytest.mark.parametrize(
    ("took", "follow", "apart"),
    [(0.01, True, 0.02), (8.0, True, 8.05), (0.01, False, 0.01)],
    ids=["a flood", "a locked store", "what was there before"],
)
def test_a_run_s_lines_leave_time_for_others(took: float, follow: bool, apart: float) -> None:
    actor = _Actor(took)
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(read(cast("TaskActor", actor), "box", 1, follow=follow))
    assert actor.taken == _LINES
    assert len(actor.begun) >= 10
    assert actor.begun == pytest.approx([apart * number for number in range(len(actor.begun))])
