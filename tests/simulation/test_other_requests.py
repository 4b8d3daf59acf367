"""Requests with a subtype of their own: an ask where a kind takes them, and refused otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from ctui.claude.protocol import control, fields
from ctui.claude.protocol.events import OtherRequest
from ctui.tasks import asks, calls
from ctui.tasks.asks import AskEvent, Origin, registry
from ctui.tasks.asks.kind import Decision, Kind, given_of, new_ask
from ctui.tasks.asks.lines import INDENT, text_lines
from ctui.tasks.asks.permission_details import PermissionDetails
from ctui.tasks.model import Answer, Ask, AskKind, AskState, TaskState
from ctui.tasks.session import guard
from tests.simulation.hostile_world import pending, quiet, said, settled, state_line
from tests.simulation.sandbox import Sandbox
from tests.simulation.schedule import Schedule, in_world


class Leave(Kind):
    """`leave`, with a reason: a flavour of a permission that only this test has."""

    kind = AskKind.PERMISSION
    tool = "leave"

    def ask(self, event: AskEvent, origin: Origin, _agent: str) -> Ask | None:
        if not isinstance(event, OtherRequest) or event.subtype != "leave":
            return None
        given = {"why": fields.text(event.given, "why")}
        about = PermissionDetails()
        request = event.request_id
        return new_ask(
            self.kind, request, origin, tool=self.tool, title="leaves", given=given, details=about
        )

    def lines(self, ask: Ask) -> Iterator[str]:
        yield "? Claude wants to leave:"
        yield from (INDENT + line for line in text_lines(fields.text(given_of(ask), "why")))

    def decisions(self, _ask: Ask) -> tuple[Decision, ...]:
        return "allow", "deny"

    def reply(self, ask: Ask, answer: Answer) -> bytes:
        return control.respond(ask.request, {"leave": answer.decision == "allow"})


@pytest.fixture(autouse=True)
def leave(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = Leave()
    monkeypatch.setattr(asks, "KINDS", (kind, *registry.KINDS))
    monkeypatch.setitem(registry._BY_TOOL, (kind.kind, kind.tool), kind)


def request(name: str, **given: Any) -> dict[str, Any]:
    return {"type": "control_request", "request_id": name, "request": given}


async def answers(box: Sandbox, count: int) -> dict[str, Any]:
    """Return what the CLI heard of its requests, by their ids, when there are so many answers."""
    for _ in range(10_000):
        heard = [line["response"] for line in box.heard if line.get("type") == "control_response"]
        if len(heard) >= count:
            break
        await asyncio.sleep(0.05)
    return {one["request_id"]: one.get("response", one.get("error")) for one in heard}


def test_a_kind_takes_one_by_its_subtype() -> None:
    """It waits for the person, and the answer goes back in the form of the subtype."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        lines = [request("one", subtype="leave", why="done"), request("two", subtype="dance")]
        await said(schedule, box, state_line("running"), *lines)
        assert await answers(box, 1) == {"two": "ctui does not know this request"}
        assert pending(schedule) == ["one"]
        await settled(schedule, "one", TaskState.WAITING)
        [ask] = schedule.store.asks.list(AskState.PENDING)
        assert asks.ask_lines(ask) == ["? Claude wants to leave:", "    done"]
        await schedule.engine.answer(calls.AnswerAsk(ask.id, Answer("allow")))
        task = await settled(schedule, "one", TaskState.RUNNING)
        assert (await answers(box, 2))["one"] == {"leave": True}
        assert task.alarm_count == 0

    in_world(40, work)


def test_it_counts_among_the_asks_that_a_person_can_answer() -> None:
    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        lines = [request(f"r{number}", subtype="leave") for number in range(200)]
        await said(schedule, box, state_line("running"), *lines)
        waiting = pending(schedule)
        assert 0 < len(waiting) < 200
        told = await answers(box, 200 - len(waiting))
        assert len(told) == 200 - len(waiting)
        assert set(told.values()) == {guard.TOO_MANY}

    in_world(41, work)


def test_an_unattended_task_has_its_answer_at_once() -> None:
    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule, unattended=True)
        await said(schedule, box, state_line("running"), request("one", subtype="leave"))
        assert pending(schedule) == []
        assert await answers(box, 1) == {"one": {"leave": False}}

    in_world(42, work)
