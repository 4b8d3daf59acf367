"""A task's activity: what front ends know of it without reading its journal."""

from __future__ import annotations

import asyncio
from typing import Any

from ctui.claude.protocol.todos import Todo
from ctui.tasks import calls
from ctui.tasks.activity import Activity
from ctui.tasks.model import TaskState
from tests.simulation.hostile_world import (
    live,
    quiet,
    result_line,
    said,
    settled,
    state_line,
    stopped,
    told_line,
    tool_call,
    use_line,
)
from tests.simulation.schedule import Schedule, in_world


def use(call: str, tool: str, **given: Any) -> dict[str, Any]:
    block = {"type": "tool_use", "id": call, "name": tool, "input": given}
    return {"type": "assistant", "message": {"id": f"m-{call}", "content": [block]}}


async def kill_driver(schedule: Schedule) -> None:
    await schedule.kill_driver()
    schedule.start_driver()
    await asyncio.sleep(60)


def test_the_call_that_runs_is_told_and_none_is_told_at_rest() -> None:
    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        task = await said(schedule, box, state_line("running"), use_line("c1"))
        await asyncio.sleep(2)
        task = schedule.store.tasks.get("one")
        assert task.activity.call == "Bash: ls"
        assert task.activity.began > task.activity.rested
        await kill_driver(schedule)
        assert schedule.store.tasks.get("one").activity.call == "Bash: ls"
        await said(schedule, box, told_line("c1"), use("c2", "Read", file_path="/workspace/a"))
        await asyncio.sleep(2)
        assert schedule.store.tasks.get("one").activity.call == "Read: a"
        task = await said(schedule, box, result_line(), state_line("idle"))
        assert task.activity.call == ""
        assert task.unread

    in_world(1, work)


def test_a_flood_of_calls_is_told_once_a_second() -> None:
    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        await said(schedule, box, state_line("running"))
        began, told = schedule.world.time(), set()
        for number in range(100):
            for line in (
                use(f"c{number}", "Bash", command=f"echo {number}"),
                told_line(f"c{number}"),
            ):
                activity = (await said(schedule, box, line)).activity
                told.add((activity.call, activity.since))
        seconds = (schedule.world.time() - began) / 1e9
        assert 2 < len(told) <= seconds + 2

    in_world(2, work)


def test_a_to_do_list_outlives_runs_and_drivers() -> None:
    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        items = [{"content": "Find", "status": "completed"}, {"content": "Replace"}]
        await said(schedule, box, state_line("running"), use("t1", "TodoWrite", todos=items))
        assert schedule.store.tasks.get("one").activity.todos == ()
        task = await said(schedule, box, told_line("t1"))
        todos = (Todo("1", "Find", "completed"), Todo("2", "Replace"))
        assert task.activity.todos == todos
        await said(schedule, box, use("t2", "TaskUpdate", taskId="2", status="in_progress"))
        await kill_driver(schedule)
        task = await said(schedule, box, told_line("t2"), result_line(), state_line("idle"))
        assert task.activity.todos == (todos[0], Todo("2", "Replace", "in_progress"))
        await stopped(schedule, "one")
        box = await live_again(schedule)
        lines = use("t3", "TaskUpdate", taskId="2", status="completed"), told_line("t3")
        task = await said(schedule, box, *lines)
        assert [todo.state for todo in task.activity.todos] == ["completed", "completed"]

    async def live_again(schedule: Schedule) -> Any:
        schedule.world.tool_counts = [0]
        message = "00000000-0000-4000-8000-000000000001"
        await schedule.engine.send(calls.SendMessage("one", message, "go on"))
        await asyncio.sleep(30)
        return schedule.world.running("one")[0]

    in_world(3, work)


def test_what_a_task_did_is_unread_until_somebody_reads_it() -> None:
    async def work(schedule: Schedule) -> None:
        await quiet(schedule)
        task = schedule.store.tasks.get("one")
        assert task.unread
        updated = task.updated
        await schedule.engine.mark_read(calls.MarkRead("one", task.activity.rested - 1))
        assert schedule.store.tasks.get("one").unread
        await schedule.engine.mark_read(calls.MarkRead("one", task.activity.rested))
        task = schedule.store.tasks.get("one")
        assert not task.unread
        assert task.updated == updated
        await kill_driver(schedule)
        assert not schedule.store.tasks.get("one").unread

    in_world(4, work)


def test_a_turn_that_somebody_follows_or_ends_is_no_news() -> None:
    async def work(schedule: Schedule) -> None:
        schedule.world.tool_counts = [0]
        await live(schedule, detached=False)
        assert not (await settled(schedule, "one", TaskState.ENDED)).unread
        schedule.world.tool_counts = [3]
        await live(schedule, "two")
        assert not (await stopped(schedule, "two")).unread

    in_world(5, work)


def test_what_a_task_tells_is_kept_until_it_is_read() -> None:
    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        await said(schedule, box, state_line("running"))
        for number in range(12):
            call = tool_call(f"n{number}", "notify_user", message=f"{number}\nmore\x1b")
            await said(schedule, box, call)
        urgent = tool_call("u", "notify_user", message="now", priority="urgent")
        task = await said(schedule, box, urgent)
        notes = task.unread_notes
        assert [note.text for note in notes][-2:] == ["11 more␛", "now"]
        assert len(notes) == 10
        assert [note.urgent for note in notes] == [*[False] * 9, True]
        await schedule.engine.mark_read(calls.MarkRead("one", notes[-2].at))
        assert [note.text for note in schedule.store.tasks.get("one").unread_notes] == ["now"]
        both = (tool_call(f"b{number}", "notify_user", message=f"b{number}") for number in range(2))
        notes = (await said(schedule, box, *both)).unread_notes
        assert [note.text for note in notes] == ["now", "b0", "b1"]
        assert len({note.at for note in notes}) == 3

    in_world(6, work)


def test_a_turn_that_began_under_an_earlier_version_is_news_when_it_is_over() -> None:
    """Its record has no activity yet, and nobody has looked at what it did."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        await said(schedule, box, state_line("running"))
        await schedule.kill_driver()
        task = schedule.store.tasks.get("one")
        task.activity, task.read = Activity(), 0
        schedule.store.tasks.save(task)
        schedule.start_driver()
        await asyncio.sleep(60)
        assert (await said(schedule, box, result_line(), state_line("idle"))).unread

    in_world(7, work)
