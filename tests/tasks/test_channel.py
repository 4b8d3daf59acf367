"""The way into a sandbox: what goes first, and what may be dropped."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from ctui.claude.protocol import control
from ctui.sandbox.runner import SandboxRunner
from ctui.tasks.runs.channel import Channel
from ctui.tasks.session.greeting import RELAY_GREETED

_INTERRUPT = control.interrupt("mine")


class _Input:
    """A sandbox that notes what it is told."""

    def __init__(self, runner: _Runner) -> None:
        self._runner = runner

    async def send(self, *lines: bytes) -> None:
        if self._runner.broken:
            self._runner.broken -= 1
            raise OSError
        self._runner.heard.extend(lines)
        self._runner.writes += 1
        self._runner.news.set()

    @property
    def broken(self) -> bool:
        return self._runner.ended

    def close(self) -> None: ...


class _Runner:
    """A runner with one sandbox."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.news = asyncio.Event()
        self.broken = 0
        """How many writes fail from now on."""
        self.ended = False
        """The runner has ended the connections so far."""
        self.writes = 0

    async def attach(self, sandbox: str, *, torn: bool) -> _Input:
        del sandbox, torn
        self.ended = False
        return _Input(self)

    async def until(self, line: bytes) -> None:
        """Wait until the sandbox was told this."""
        async with asyncio.timeout(10):
            while line not in self.heard:
                await self.news.wait()
                self.news.clear()


def _channel(runner: _Runner) -> Channel:
    return Channel(cast("SandboxRunner", runner), "box")


@pytest.mark.parametrize("broken", [0, 1])
async def test_an_interrupt_precedes_a_flood_of_refusals(broken: int) -> None:
    runner = _Runner()
    runner.broken = broken
    channel = _channel(runner)
    for number in range(6000):
        channel.send(control.refuse(str(number), "no"))
    channel.control(_INTERRUPT)
    await channel.open(torn=False)
    await runner.until(control.refuse("0", "no"))
    assert runner.heard[0] == _INTERRUPT
    await channel.close()


async def test_an_interrupt_waits_for_the_greeting_of_the_relay() -> None:
    """What comes before it the relay drops."""
    runner = _Runner()
    channel = _channel(runner)
    channel.send(b"greeting", key=RELAY_GREETED)
    channel.control(_INTERRUPT)
    channel.send(b"message", key="1")
    await channel.open(torn=False)
    await runner.until(b"message")
    assert runner.heard == [b"greeting", b"message"]
    channel.seen(RELAY_GREETED)
    await runner.until(_INTERRUPT)
    await channel.close()


@pytest.mark.parametrize("broken", [0, 1])
async def test_a_flood_of_refusals_is_few_writes(broken: int) -> None:
    runner = _Runner()
    runner.broken = broken
    channel = _channel(runner)
    refusals = [control.refuse(str(number), "no") for number in range(4000)]
    for line in refusals:
        channel.send(line)
    await channel.open(torn=False)
    await runner.until(refusals[-1])
    assert runner.heard == refusals
    assert runner.writes < 20
    await channel.close()


async def test_what_an_ended_connection_took_is_said_again_once() -> None:
    """Neighbour of S12: nothing was written since that could have failed."""
    runner = _Runner()
    channel = _channel(runner)
    await channel.open(torn=False)
    channel.send(b"hello", key="hello")
    await runner.until(b"hello")
    channel.renew_if_broken()
    runner.heard.clear()
    runner.ended = True
    channel.renew_if_broken()
    await runner.until(b"hello")
    channel.renew_if_broken()
    channel.send(b"more", key="more")
    await runner.until(b"more")
    assert runner.heard == [b"hello", b"more"]
    await channel.close()
