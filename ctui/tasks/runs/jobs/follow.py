"""The job that follows a run: its journal's lines become mail, in order."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ctui.claude.protocol.events import is_partial
from ctui.errors import NotFound
from ctui.sandbox.runner import LogDamaged, LogLine
from ctui.tasks.mailbox.mail import Lines
from ctui.tasks.mailbox.step import RunOver
from ctui.tasks.runs.jobs.patience import PASSING, RETRY_SECONDS, insist, wait

if TYPE_CHECKING:
    from ctui.tasks.runs.actor import TaskActor

log = logging.getLogger(__name__)

_PORTION = 50
"""Lines that are taken at once: other mail, and other tasks, have their turn between two."""
_LONGEST_REST = 0.05
"""Seconds between two portions: one that waited for the store took long for another reason."""


async def follow(actor: TaskActor, sandbox: str, epoch: int) -> RunOver:
    """Take the journal's lines as they come; return when the sandbox does not run any more."""
    runner = actor.services.runner
    lost = False
    while True:
        try:
            await read(actor, sandbox, epoch, follow=True)
            state = await runner.state(sandbox)
            if state is not None and not state.running:
                # An engine that is busy ends the stream before it has told the last lines.
                await read(actor, sandbox, epoch)
        except NotFound:
            return RunOver(None, lost)
        except PASSING as error:
            lost = True
            await wait(actor, error)
            await insist(actor, lambda: runner.state(sandbox))
            actor.around.trouble_over(actor)
            actor.renew_channel()
            continue
        if state is None or not state.running:
            return RunOver(state, lost)
        await asyncio.sleep(RETRY_SECONDS)


async def follow_again(actor: TaskActor, sandbox: str, epoch: int) -> RunOver:
    """Follow a run in the place of a job that may have put lines into the mailbox until now."""
    await actor.put_lines(Lines(epoch, (), ()))
    return await follow(actor, sandbox, epoch)


async def read(
    actor: TaskActor,
    sandbox: str,
    epoch: int,
    archived: Counter[str] | None = None,
    *,
    follow: bool = False,
) -> None:
    """Put the lines of a journal that are not taken yet into the mailbox.

    Args:
        actor: whose mailbox.
        sandbox: whose journal.
        epoch: of the phase that reads it.
        archived: how many lines of each stream the archive holds already; counted down on the way.
        follow: go on until the journal ends, not only to its present end.

    Raises:
        LogDamaged: what a sandbox says that runs is lost. What is lost of one that does not run
            is the end of a log that was read as far as there is one.
    """
    try:
        await _read(actor, sandbox, epoch, archived, follow=follow)
    except LogDamaged as error:
        state = await actor.services.runner.state(sandbox)
        if state is not None and state.running:
            hint = f"was its disk full? then `ctui task resume {actor.id}` goes on with it"
            raise LogDamaged(error.message, hint=hint) from error
        log.warning("the end of the log of %s is lost: %s", actor.id, error)


async def _read(
    actor: TaskActor, sandbox: str, epoch: int, archived: Counter[str] | None, *, follow: bool
) -> None:
    after, clock = actor.standing.view.seen, asyncio.get_running_loop().time
    async for batch in actor.services.runner.journal(sandbox, after, follow=follow):
        for start in range(0, len(batch), _PORTION):
            portion = batch[start : start + _PORTION]
            new = portion if archived is None else _beyond(portion, archived)
            began = clock()
            await actor.put_lines(Lines(epoch, portion, new))
            if follow:
                # As long as that took the driver is there for others. Of a flood more lines come
                # meanwhile, whose effects are stored together.
                await asyncio.sleep(min(clock() - began, _LONGEST_REST))


def _beyond(lines: Sequence[LogLine], archived: Counter[str]) -> list[LogLine]:
    """Return the lines that the archive lacks; `archived` is counted down on the way."""
    new: list[LogLine] = []
    for line in lines:
        if archived[line.stream] <= 0:
            new.append(line)
        elif line.stream == "err" or not is_partial(line.data):
            archived[line.stream] -= 1
    return new
