"""What a person says to one task is said to it, and its receipt is that task's."""

from __future__ import annotations

import asyncio

import pytest

from ctui.errors import Conflict
from ctui.tasks import calls
from tests.simulation.hostile_world import quiet, said
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
