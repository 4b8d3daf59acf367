"""Plans: the task has made one and wants to begin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import msgspec

from ctui.claude.protocol import control, fields
from ctui.claude.protocol.events import PermissionRequest
from ctui.tasks.asks.kind import (
    AskEvent,
    Decision,
    Kind,
    Origin,
    details_of,
    given_of,
    new_ask,
    run_input,
)
from ctui.tasks.asks.limits import input_problem
from ctui.tasks.asks.lines import INDENT, text_lines
from ctui.tasks.asks.permission_details import (
    NO_REASON,
    PermissionDetails,
    agent_lines,
    permission_details,
)
from ctui.tasks.model import Answer, Ask, AskKind


class Plan(Kind):
    """`ExitPlanMode`."""

    kind = AskKind.PLAN
    words: ClassVar[Mapping[Decision, str]] = {"allow": "approve", "deny": "deny"}

    def ask(self, event: AskEvent, origin: Origin, agent: str) -> Ask | None:
        if not isinstance(event, PermissionRequest) or event.tool != "ExitPlanMode":
            return None
        if input_problem(event.given):
            return None
        return new_ask(
            self.kind,
            event.request_id,
            origin,
            tool=event.tool,
            title=f"Claude has a plan: {fields.text(event.given, 'plan')}",
            given=event.given,
            details=permission_details(event, agent),
        )

    def lines(self, ask: Ask) -> Iterator[str]:
        yield "? Claude has a plan:"
        yield from (INDENT + line for line in text_lines(fields.text(given_of(ask), "plan")))
        yield from agent_lines(details_of(ask, PermissionDetails))

    def allows(self, _ask: Ask, decision: Decision) -> str:
        return "approve, and accept all edits in this task" if decision == "session" else ""

    def accepts_edits(self, _ask: Ask) -> bool:
        return True

    def decisions(self, _ask: Ask) -> tuple[Decision, ...]:
        return "allow", "session", "deny"

    def reply(self, ask: Ask, answer: Answer) -> bytes:
        if answer.decision == "deny":
            return control.deny(ask.request, answer.message or NO_REASON)
        given = msgspec.json.decode(run_input(ask), type=dict[str, msgspec.Raw])
        return control.approve_plan(ask.request, given, accept_edits=answer.decision == "session")


KIND = Plan()
