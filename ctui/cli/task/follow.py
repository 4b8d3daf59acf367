"""Following one turn of a task on a plain terminal, and answering what it asks there."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING

from ctui.cli.output import warn
from ctui.cli.task.exit_codes import INTERRUPTED, told_exit_code
from ctui.cli.task.printing import Printer, Turn, cancel
from ctui.cli.task.watching import Watcher
from ctui.tasks.calls import StopTask
from ctui.tasks.journal.archive import FILE_NAME
from ctui.tasks.model import Task

if TYPE_CHECKING:
    from ctui.client.client import Client
    from ctui.paths import Paths
    from ctui.tasks.store import Store


def turn_from_here(store: Store, paths: Paths, task_id: str, message: str = "") -> Turn:
    """Return the turn that a message begins which is sent now, or that is going on."""
    # First: what is delivered after this is behind the end of the journal.
    echoed = frozenset(one.id for one in store.messages.of(task_id) if one.delivered is not None)
    costs = costs_before(store, task_id)
    journal = paths.task(task_id) / FILE_NAME
    start = journal.stat().st_size if journal.is_file() else 0
    return Turn(task_id, start, message, echoed, costs)


def costs_before(store: Store, task_id: str) -> dict[int, float]:
    """Return what the task had cost when its last run began, and when the next one does."""
    run = store.runs.last(task_id)
    if run is None:
        return {}
    return {run.number: run.cost_before, run.number + 1: store.tasks.get(task_id).cost}


async def follow_turn(client: Client, turn: Turn, *, as_json: bool) -> int:
    """Print a task's journal and answer its asks until its turn is over; return the exit code.

    Ctrl-C stops a task that lives only for this command; any other one goes on.

    Args:
        client: connected to the driver.
        turn: which.
        as_json: print the CLI's own lines, and answer nothing.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, stop.set)
    watcher = Watcher(client, turn, interactive=sys.stdin.isatty() and not as_json)
    printer = Printer(client, turn, as_json=as_json)
    printing = asyncio.create_task(printer.follow())
    watching = asyncio.create_task(watcher.until_over())
    stopping = asyncio.create_task(stop.wait())
    listening = asyncio.create_task(printer.tell_of_silence())
    try:
        await asyncio.wait({watching, stopping}, return_when=asyncio.FIRST_COMPLETED)
        # The next Ctrl-C ends this command, whatever it waits for.
        loop.remove_signal_handler(signal.SIGINT)
        if not watching.done():
            await _leave(client, turn.task, watcher.task)
            return INTERRUPTED
        task = watching.result()
        await cancel(printing)
        printer.finish()
        return told_exit_code(task, printer.failure)
    finally:
        for job in (printing, watching, stopping, listening):
            await cancel(job)
        watcher.close()


async def _leave(client: Client, task_id: str, task: Task | None) -> None:
    if task is not None and task.detached:
        warn(f"{task_id} goes on: ctui task logs -f {task_id}")
        return
    await client.call(StopTask(task_id))
    warn(f"stopped {task_id}: `ctui task resume {task_id}` goes on with it")
