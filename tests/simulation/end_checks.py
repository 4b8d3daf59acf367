"""What has to hold when a schedule is over, and nothing is left to do in a world without faults."""

from __future__ import annotations

import asyncio

from ctui.tasks.journal.archive import FILE_NAME, read_entries
from ctui.tasks.model import AskState, TaskState
from tests.simulation.front_ends import FrontEnds
from tests.simulation.runner import PASSING
from tests.simulation.sandbox import Sandbox


def check_end(schedule: FrontEnds) -> None:
    """Raise Broken if a task, a sandbox, a message or a command was left behind."""
    tasks = schedule.store.tasks.list()
    for task in tasks:
        running = schedule.world.running(task.id)
        if task.state.live:
            raise schedule.world.breaks(f"{task.id} is {task.state} for ever: {task.problem!r}")
        passing = task.problem.startswith(PASSING)
        if passing or (task.state is TaskState.IDLE and task.cause in {"engine", "store"}):
            raise schedule.world.breaks(f"{task.id} says for ever that {task.problem!r}")
        if task.id in schedule.to_be_stopped and task.state is not TaskState.ENDED:
            raise schedule.world.breaks(f"{task.id} was to be stopped, and is {task.state}")
        if task.state is TaskState.ENDED and running:
            raise schedule.world.breaks(f"{task.id} has ended, and {running[0].id} runs")
        check_journal(schedule, task.id)
    for task_id in schedule.removed - {task.id for task in tasks}:
        if schedule.world.running(task_id):
            raise schedule.world.breaks(f"{task_id} was removed, and has a sandbox")
    served = {run.partition("/")[0] for run in schedule.world.open_runs}
    if left := served - {box.task for box in schedule.world.sandboxes.values() if box.running}:
        raise schedule.world.breaks(f"the gateway still serves {sorted(left)}")
    check_services(schedule)
    check_words(schedule)
    if schedule.commands:
        raise schedule.world.breaks("a command was never answered")


def check_services(schedule: FrontEnds) -> None:
    """Raise Broken if a service is there without the sandbox that it was started for."""
    for one in schedule.world.services.left():
        if not schedule.world.running(one.task):
            raise schedule.world.breaks(f"{one.task} has no sandbox, and still its {one.name}")


def check_words(schedule: FrontEnds) -> None:
    """Raise Broken unless what was said was heard once, or somebody was told that it was not."""
    for message, (task_id, before) in schedule.accepted.items():
        count = schedule.world.consumed[message]
        if count > 1:
            raise schedule.world.breaks(f"{message} was read {count} times")
        told = schedule.hurt[task_id] > before or schedule.store.tasks.get(task_id).failed
        if count == 0 and not told:
            raise schedule.world.breaks(f"{message} to {task_id} was accepted, and never read")
    if stuck := schedule.store.asks.list(AskState.PENDING, AskState.ANSWERED):
        ask = stuck[0]
        raise schedule.world.breaks(f"ask {ask.id} of {ask.task} is {ask.state} for ever")
    for (task_id, run, request), count in schedule.world.answers_taken.items():
        if count > 1:
            raise schedule.world.breaks(f"{request} of {task_id}, run {run}, was answered twice")


def check_journal(schedule: FrontEnds, task_id: str) -> None:
    """Raise Broken unless the archive has every line of every run once, in order."""
    kept: dict[int, list[str]] = {}
    for entry in read_entries(schedule.folder / task_id / FILE_NAME):
        if entry.stream == "out":
            kept.setdefault(entry.run, []).append(entry.line)
    for box in schedule.world.sandboxes.values():
        if box.task != task_id or not box.started or only_for_shells(schedule, box):
            continue
        said = [line.data.decode() for line in box.log if line.stream == "out"]
        if kept.get(box.run, []) != said:
            raise schedule.world.breaks(
                f"the archive of {task_id} run {box.run} has {len(kept.get(box.run, []))} "
                f"lines, and the CLI said {len(said)}"
            )


def only_for_shells(schedule: FrontEnds, box: Sandbox) -> bool:
    """Return True for a sandbox that a shell had, and whose number the next run got."""
    others = (one for one in schedule.world.sandboxes.values() if one is not box and one.started)
    same = any((one.task, one.run) == (box.task, box.run) for one in others)
    return same and not box.greeted and not box.log


async def check_restart(schedule: FrontEnds) -> None:
    """Raise Broken if a driver that starts in a quiet world changes anything."""
    before = {task.id: (task.state, task.reason) for task in schedule.store.tasks.list()}
    await schedule.kill_driver()
    schedule.start_driver()
    await asyncio.sleep(30.0)
    after = {task.id: (task.state, task.reason) for task in schedule.store.tasks.list()}
    if before != after:
        raise schedule.world.breaks(f"a restarted driver makes {after} of {before}")
