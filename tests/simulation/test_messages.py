"""What a person says to one task is said to it, and its receipt is that task's."""

from __future__ import annotations

import asyncio

import pytest

from ctui.errors import Conflict
from ctui.tasks import calls
from ctui.tasks.model import TaskState
from tests.simulation.hostile_world import quiet, said, settled
from tests.simulation.schedule import Schedule, in_world


def _waiting(schedule: Schedule, task: str) -> list[str]:
    return [message.id for message in schedule.store.messages.undelivered(task)]


def test_an_id_that_another_task_knows_is_refused() -> None:
    async def work(schedule: Schedule) -> None:
        await quiet(schedule, "one")
        await quiet(schedule, "two")
        await schedule.engine.send(calls.SendMessage("one", "id-1", "hello one"))
        await asyncio.sleep(20.0)
        with pytest.raises(Conflict, match="id-1"):
            await schedule.engine.send(calls.SendMessage("two", "id-1", "hello two"))
        # The same call once more is the same message, as ever.
        await schedule.engine.send(calls.SendMessage("one", "id-1", "hello one"))
        assert schedule.world.consumed["id-1"] == 1

    in_world(18, work)


def test_a_task_gives_no_receipt_for_another_one() -> None:
    async def work(schedule: Schedule) -> None:
        one, two = await quiet(schedule, "one"), await quiet(schedule, "two")
        two.freeze()
        await schedule.engine.send(calls.SendMessage("two", "id-2", "do it"))
        await said(
            schedule,
            one,
            {
                "type": "user",
                "uuid": "id-2",
                "isReplay": True,
                "message": {"role": "user", "content": "do it"},
            },
        )
        assert _waiting(schedule, "two") == ["id-2"]
        two.thaw()
        await asyncio.sleep(20.0)
        assert _waiting(schedule, "two") == []
        assert schedule.world.consumed["id-2"] == 1

    in_world(18, work)


@pytest.mark.parametrize("seed", range(3))
def test_what_a_run_read_and_was_cut_off_from_is_said_anew(seed: int) -> None:
    """The CLI wrote it into its session, and was killed before it echoed it: the model was slow."""

    async def work(schedule: Schedule) -> None:
        schedule.world.tool_counts = [0]
        await quiet(schedule)
        await schedule.engine.stop(calls.StopTask("one"))
        schedule.world.sessions["one"].add("cut-off")
        await schedule.engine.send(calls.SendMessage("one", "cut-off", "and this"))
        await live_again(schedule)
        task = await settled(schedule, "one", TaskState.IDLE)
        assert task.turns == 2
        said_anew = [m for m in schedule.store.messages.of("one") if m.text == "and this"]
        assert [m.id == "cut-off" for m in said_anew] == [True, False]
        assert schedule.world.consumed[said_anew[1].id] == 1

    in_world(seed, work)


async def live_again(schedule: Schedule) -> None:
    """Wait until another run has ended a turn."""
    for _ in range(1000):
        if schedule.store.tasks.get("one").turns == 2:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the message was passed over")
