"""Answers: which an ask takes, and the line that carries one to the CLI."""

from __future__ import annotations

from collections.abc import Mapping

from ctui.errors import InvalidInput
from ctui.tasks.asks.kind import Decision
from ctui.tasks.asks.registry import kind_of
from ctui.tasks.model import Answer, Ask

_REFUSED: Mapping[Decision, str] = {
    "allow": "it cannot be allowed",
    "session": "nothing can be allowed for the session here",
    "always": "only a plain command can be allowed for good",
    "cancel": "only a form can be cancelled",
}


def decisions(ask: Ask) -> tuple[Decision, ...]:
    """Return what an answer to this ask may decide, in the order in which it is offered."""
    return kind_of(ask).decisions(ask)


def check(ask: Ask, answer: Answer) -> None:
    """Refuse an answer that does not fit the ask, before it is accepted.

    Raises:
        InvalidInput: with what would fit.
    """
    kind = kind_of(ask)
    taken = kind.decisions(ask)
    if answer.decision not in taken:
        raise InvalidInput(
            _REFUSED.get(answer.decision, f"a {ask.kind} has no {answer.decision}"),
            hint=f"answer {' or '.join(taken)}",
        )
    if answer.message and answer.decision != "deny":
        raise InvalidInput("a message goes with a denial", hint="answer deny, or leave it out")
    if answer.content and not (kind.is_form and answer.decision == "allow"):
        raise InvalidInput("content is for a form that is accepted", hint="leave it out")
    kind.check(ask, answer)
    # What cannot be said to the CLI must not be accepted: nobody could ask the person again.
    kind.reply(ask, answer)


def reply(ask: Ask, answer: Answer) -> bytes:
    """Return the control response that carries an accepted answer to the CLI, one whole line."""
    return kind_of(ask).reply(ask, answer)
