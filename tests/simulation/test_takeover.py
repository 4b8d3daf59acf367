"""What a driver owes to a run that an earlier one began."""

from __future__ import annotations

import asyncio

import pytest

from ctui.redaction.redactor import Redactor
from ctui.tasks.mailbox.ports import Account
from ctui.tasks.model import Task
from tests.simulation import driver_parts
from tests.simulation.driver_parts import SimulatedLogins
from tests.simulation.hostile_world import quiet
from tests.simulation.schedule import Schedule, in_world


def test_what_a_run_said_between_two_drivers_is_redacted(monkeypatch: pytest.MonkeyPatch) -> None:
    redactors: list[Redactor] = []
    of = SimulatedLogins.of

    async def found(self: SimulatedLogins, task: Task, *, needed: bool) -> Account:
        account = await of(self, task, needed=needed)
        for redactor in redactors:
            redactor.add("sk-ant-api-0123456789")
        return account

    def redactor_of_a_driver(_secrets: object) -> Redactor:
        redactors.append(Redactor(()))
        return redactors[-1]

    monkeypatch.setattr(SimulatedLogins, "of", found)
    monkeypatch.setattr(driver_parts, "Redactor", redactor_of_a_driver)

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        await schedule.kill_driver()
        redactors.clear()
        box.forge(b'{"type":"x","said":"sk-ant-api-0123456789"}')
        schedule.start_driver()
        await asyncio.sleep(20.0)
        kept = (schedule.folder / "one" / "journal.jsonl").read_text()
        assert "sk-ant-api-0123456789" not in kept
        assert "[redacted]" in kept

    in_world(16, work)


def test_a_sealed_run_keeps_the_login_that_it_began_with() -> None:
    """The next driver may find another one, which counts only if the gateway has none."""

    async def work(schedule: Schedule) -> None:
        schedule.world.sealed = True
        box = await quiet(schedule)
        assert schedule.world.told_logins == {f"one/{box.run}": False}
        await schedule.kill_driver()
        schedule.start_driver()
        await asyncio.sleep(20.0)
        assert schedule.world.told_logins == {f"one/{box.run}": True}

    in_world(17, work)
