"""Questions of a task by the tool `ask_user`, which ctui gives it: answered as a tool's result."""

from __future__ import annotations

import msgspec

from ctui.claude.protocol import control, fields
from ctui.tasks.asks import toolbox
from ctui.tasks.asks.kind import Origin, QuestionKind, details_of, given_of, new_ask
from ctui.tasks.asks.questions import Option, Question, chosen
from ctui.tasks.asks.secrets import speaks_of_secret
from ctui.tasks.model import Answer, Ask

_SECOND = 1_000_000_000


class ToolboxDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """The open call of an `ask_user`."""

    call: int | str = 0
    expires: int | None = None
    """Nanoseconds since the epoch; None waits for ever."""
    urgent: bool = False


class AskUser(QuestionKind):
    """One question with options; it comes from a call of the tool, not from a request."""

    tool = "ask_user"

    def questions(self, ask: Ask) -> list[Question]:
        given = given_of(ask)
        text = fields.text(given, "question")
        options = tuple(map(Option, fields.texts(given, "options")))
        return [Question(text, options, secret=speaks_of_secret(text))]

    def reply(self, ask: Ask, answer: Answer) -> bytes:
        call = details_of(ask, ToolboxDetails).call
        if answer.decision == "deny":
            said = answer.message or "The person did not want to answer."
            return control.mcp_reply(ask.request, toolbox.refused(call, said))
        [text] = chosen(ask, self.questions(ask), answer).values()
        return control.mcp_reply(ask.request, toolbox.answered(call, text))


KIND = AskUser()


def toolbox_ask(request_id: str, asked: toolbox.AskPerson, origin: Origin) -> Ask:
    """Return the ask of a call of `ask_user`."""
    question = asked.question
    seconds = question.timeout_seconds
    return new_ask(
        KIND.kind,
        request_id,
        origin,
        tool=KIND.tool,
        title=question.question,
        given={"question": question.question, "options": question.options},
        details=ToolboxDetails(
            call=asked.call,
            expires=None if seconds is None else origin.time + seconds * _SECOND,
            urgent=question.priority == "urgent",
        ),
    )


def toolbox_details(ask: Ask) -> ToolboxDetails | None:
    """Return the open call of an ask; None for one that is not of `ask_user`."""
    if (ask.kind, ask.tool) != (KIND.kind, KIND.tool):
        return None
    return details_of(ask, ToolboxDetails)


def expired_reply(ask: Ask) -> bytes:
    """Return the reply to an `ask_user` that nobody answered in time."""
    call = details_of(ask, ToolboxDetails).call
    return control.mcp_reply(ask.request, toolbox.answered(call, "", timed_out=True))
