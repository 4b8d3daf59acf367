"""Asking a client by results: what goes to it, what comes back, and what is kept between two calls.

Since 2026-07-28 a server has no requests. A call that needs an answer returns with its asks, and
the client calls again with the answers and with `request_state`, of which it knows nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from mcp_types import ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequiredResult

from ctui.client.worktrees.worktrees import open_store
from ctui.errors import Conflict, InvalidInput
from ctui.mcp_server.protocol.elicit import answer_of, form_of
from ctui.tasks.calls import AnswerAsk
from ctui.tasks.model import Ask, AskState

if TYPE_CHECKING:
    from ctui.client.client import Client
    from ctui.mcp_server.protocol.call import Call

_MOST_ROUNDS = 9
"""The SDKs give up a call whose result asked for input ten times."""


class Round(msgspec.Struct):
    """State that `request_state` carries from one call to the next."""

    task: str
    number: int = 0
    """Number of times that the call has asked."""
    left_alone: list[int] = []
    """Asks that the client's person closed without an answer."""
    problems: dict[int, str] = {}
    """Id of an ask -> why what was filled in for it does not fit."""

    @property
    def last(self) -> bool:
        """Return True if the client would give up if it were asked once more."""
        return self.number >= _MOST_ROUNDS

    def asking(self, asks: Iterable[Ask]) -> InputRequiredResult:
        """Return the result that asks all that nobody has closed."""
        self.number += 1
        requests: dict[str, Any] = {}
        for ask in asks:
            if ask.id not in self.left_alone:
                form = form_of(ask, self.problems.pop(ask.id, ""))
                given = ElicitRequestFormParams(message=form.message, requested_schema=form.schema)
                requests[_key(ask)] = ElicitRequest(params=given)
        state = msgspec.json.encode(self).decode()
        return InputRequiredResult(input_requests=requests, request_state=state)


def earlier_round(call: Call) -> Round | None:
    """Return the round with which the call before left off; None for a first call.

    Raises:
        InvalidInput: `request_state` is not what this server gave.
    """
    if call.request_state is None:
        return None
    try:
        return msgspec.json.decode(call.request_state, type=Round)
    except msgspec.DecodeError as error:
        raise InvalidInput(
            "request_state is not what this server gave", hint="send it back as it came"
        ) from error


async def take_answers(call: Call, client: Client, earlier: Round) -> None:
    """Answer the asks of the task that the client was shown."""
    with open_store(call.paths) as store:
        pending = {_key(ask): ask for ask in store.asks.list(AskState.PENDING, task=earlier.task)}
    for key, filled in call.responses.items():
        if key not in pending or not isinstance(filled, ElicitResult):
            continue
        ask = pending[key]
        if filled.action == "cancel":
            earlier.left_alone.append(ask.id)
        elif problem := await send_answer(client, ask, filled):
            earlier.problems[ask.id] = problem


def _key(ask: Ask) -> str:
    return f"ask-{ask.id}"


async def send_answer(client: Client, ask: Ask, filled: ElicitResult) -> str:
    """Send what the form says; return the problem if it does not fit, else ""."""
    content: Mapping[str, Any] | None = filled.content
    try:
        answer = answer_of(ask, filled.action, content)
        if answer is not None:
            await client.call(AnswerAsk(ask.id, answer))
    except InvalidInput as error:
        return error.one_line()
    except Conflict:
        pass  # somebody else was first: that answer counts
    return ""
