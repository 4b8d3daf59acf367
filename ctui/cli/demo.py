"""`ctui demo`: everything with a scripted model, without an account."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Coroutine
from typing import Any

import click

from ctui.errors import CtuiError, Refused

_ENDED = 143
"""Exit code that a shell gives to a program that SIGTERM ended."""


@click.command("demo")
@click.option(
    "--headless", is_flag=True, help="No screen: walk through the main job and print each step."
)
def command(*, headless: bool) -> int:
    """Try ctui on a throwaway repository. The model is scripted: no account is needed.

    With --headless the exit code is 0 only if every step was seen.
    """
    click.echo("The model of this demo is scripted; all else is real.")
    return asyncio.run(_cleaned_up(_walk() if headless else _show()))


async def _cleaned_up(work: Coroutine[Any, Any, int]) -> int:
    """Do it, and leave nothing behind also when the terminal is closed in the middle of it."""
    job = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGHUP, signal.SIGTERM):
        loop.add_signal_handler(number, job.cancel)
    try:
        return await job
    except asyncio.CancelledError:
        return _ENDED


async def _show() -> int:
    from ctui.demo.screen import show_demo
    from ctui.demo.world import demo_world

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Refused("the dashboard needs a terminal", hint="`ctui demo --headless` needs none")
    async with demo_world() as world:
        return await show_demo(world)


async def _walk() -> int:
    from ctui.demo.walk import Walk
    from ctui.demo.world import demo_world

    try:
        async with demo_world() as world:
            await Walk(world, click.echo).run()
    except TimeoutError:
        raise CtuiError("a step of the demo was not seen in time") from None
    click.echo("every step was seen")
    return 0
