"""The files of a task are kept before each turn and at its end, and nothing waits for that long."""

from __future__ import annotations

import asyncio

import pytest

from ctui.tasks import calls
from ctui.tasks.model import TaskState
from ctui.tasks.session import turn_record
from tests.simulation.hostile_world import quiet, said, settled, state_line
from tests.simulation.schedule import Schedule, in_world


def test_each_turn_has_its_snapshot_and_its_words() -> None:
    async def work(schedule: Schedule) -> None:
        await schedule.start("one", detached=True)
        await settled(schedule, "one", TaskState.IDLE)
        await schedule.send("one")
        await settled(schedule, "one", TaskState.RUNNING)
        await settled(schedule, "one", TaskState.IDLE)
        await schedule.stop("one")
        turns = schedule.store.turns.of("one")
        said = [message.text for message in schedule.store.messages.of("one")]

        assert [turn.turn for turn in turns] == [1, 2]
        assert [turn.prompt for turn in turns] == said
        assert [turn.snapshot for turn in turns] == ["one/1", "one/2"]
        assert all(turn.ended and turn.ended >= turn.started for turn in turns)

    in_world(1, work)


def test_a_turn_that_is_stopped_has_its_snapshot_before_the_stop_is_said() -> None:
    async def work(schedule: Schedule) -> None:
        await schedule.start("one", detached=True)
        await settled(schedule, "one", TaskState.RUNNING)
        await schedule.stop("one")

        (turn,) = schedule.store.turns.of("one")
        assert turn.snapshot == "one/1"
        assert turn.ended is not None

    in_world(1, work)


def test_files_that_cannot_be_kept_keep_no_task_from_its_turn() -> None:
    async def work(schedule: Schedule) -> None:
        schedule.world.unreadable.add("one")
        await schedule.start("one", detached=True)
        await settled(schedule, "one", TaskState.IDLE)
        await schedule.send("one")
        await settled(schedule, "one", TaskState.RUNNING)
        await settled(schedule, "one", TaskState.IDLE)

        assert [turn.snapshot for turn in schedule.store.turns.of("one")] == ["", ""]

    in_world(1, work)


def test_a_driver_that_dies_in_a_snapshot_has_it_taken_by_the_next_before_another_turn() -> None:
    async def work(schedule: Schedule) -> None:
        await schedule.start("one", detached=True)
        await settled(schedule, "one", TaskState.RUNNING)
        schedule.world.snapshot_seconds = 5.0
        await settled(schedule, "one", TaskState.IDLE)
        assert [turn.snapshot for turn in schedule.store.turns.of("one")] == [""]
        await schedule.kill_driver()
        schedule.start_driver()
        await asyncio.sleep(30)  # of the world's time

        assert [turn.snapshot for turn in schedule.store.turns.of("one")] == ["one/1"]

    in_world(1, work)


def test_a_driver_that_dies_in_a_snapshot_has_it_taken_when_the_run_closes() -> None:
    async def work(schedule: Schedule) -> None:
        await schedule.start("one", detached=True)
        await settled(schedule, "one", TaskState.RUNNING)
        schedule.world.snapshot_seconds = 5.0
        await settled(schedule, "one", TaskState.IDLE)
        assert [turn.snapshot for turn in schedule.store.turns.of("one")] == [""]
        await schedule.kill_driver()
        schedule.start_driver()
        await schedule.stop("one")  # at once: no run is followed yet

        assert [turn.snapshot for turn in schedule.store.turns.of("one")] == ["one/1"]

    in_world(1, work)


def test_turns_that_a_task_forges_are_not_without_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn_record, "_MOST", 5)

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        for _ in range(10):
            await said(schedule, box, state_line("running"), state_line("idle"))
        assert len(schedule.store.turns.of("one")) == 5
        await schedule.send("one")
        await settled(schedule, "one", TaskState.RUNNING)
        await settled(schedule, "one", TaskState.IDLE)
        await schedule.stop("one")

        last = schedule.store.turns.of("one")[-1]
        assert (last.turn, last.snapshot) == (6, "one/6")
        assert last.prompt

    in_world(1, work)


def test_an_interrupt_right_behind_a_message_ends_the_turn_of_that_message() -> None:
    """It comes while the files are kept, and the message has not been said yet."""

    async def work(schedule: Schedule) -> None:
        await schedule.start("one", detached=True)
        await settled(schedule, "one", TaskState.IDLE)
        (box,) = schedule.world.running("one")
        before = len(box.heard)
        await schedule.send("one")
        await schedule.engine.interrupt(calls.InterruptTask("one"))
        await asyncio.sleep(5.0)

        kinds = [line["type"] for line in box.heard[before:]]
        assert kinds.index("user") < kinds.index("control_request")

    in_world(1, work)
