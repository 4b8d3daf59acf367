"""The base of every kind of ask, and what the kinds share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple, TypeVar

import msgspec

from ctui.claude.protocol import fields
from ctui.claude.protocol.events import Elicitation, OtherRequest, PermissionRequest
from ctui.errors import InvalidInput
from ctui.redaction.redactor import MARK
from ctui.tasks.asks.questions import Question, chosen, question_lines
from ctui.tasks.model import Answer, Ask, AskKind
from ctui.text import one_line

AskEvent = PermissionRequest | Elicitation | OtherRequest
"""Request of the CLI that can become an ask; one whose subtype has no event is the last."""

Decision = Literal["allow", "session", "always", "deny", "cancel"]

_TITLE_WIDTH = 200
_TOOL_WIDTH = 80

Details = TypeVar("Details", bound=msgspec.Struct)


class Origin(NamedTuple):
    """Whose ask it is, and when it came."""

    task: str
    run: int
    time: int
    """Nanoseconds since the epoch."""


class Kind(ABC):
    """One kind of ask: how it comes from a request, what it shows, what it takes.

    A subclass has a file of its own in `kinds`, with one instance of it called `KIND`. Front ends
    ask that instance and test neither `Ask.kind` nor `Ask.tool`. No method changes anything, and
    none but `check` raises for an ask that `ask` has made and an answer that `check` has passed.
    """

    kind: ClassVar[AskKind]
    tool: ClassVar[str] = ""
    """Set by a flavour of a kind: it is only for asks of this tool."""
    words: ClassVar[Mapping[Decision, str]] = {"allow": "once", "deny": "deny"}
    """A few words for each decision; those for `session` and `always` come from `allows`."""
    outcomes: ClassVar[Mapping[Decision, str]] = {
        "allow": "allowed",
        "session": "allowed for the session",
        "always": "allowed for good",
        "deny": "denied",
        "cancel": "cancelled",
    }
    """The same, once it was decided."""
    is_form: ClassVar[bool] = False
    """Its questions take values that have to fit; otherwise any words beside the options."""
    takes_the_rest: ClassVar[bool] = False
    """It makes asks of requests that no other kind knows, and so is asked last."""
    goes_to_cli: ClassVar[bool] = True
    """Its answer is a line to the CLI, which echoes it; otherwise it is the driver's business."""
    explains: ClassVar[bool] = True
    """Somebody reads the message of a denial."""
    unattended: ClassVar[Decision] = "deny"
    """Decision where nobody is there to be asked."""

    # -- how it comes

    def ask(self, _event: AskEvent, _origin: Origin, _agent: str) -> Ask | None:
        """Make the ask of a request that is of this kind; None for any other request."""
        return None

    # -- what it shows

    @abstractmethod
    def lines(self, ask: Ask) -> Iterable[str]:
        """Yield all that is asked, sanitised; the first line says what it is about."""

    def heading(self, _ask: Ask) -> Iterable[str]:
        """Yield what is shown above each of its questions where they are asked one by one."""
        return ()

    def questions(self, _ask: Ask) -> list[Question]:
        """Return what it wants to know; nothing is sanitised."""
        return []

    def allows(self, _ask: Ask, _decision: Decision) -> str:
        """Return what `session` or `always` allows beyond this once, in words; "" for nothing."""
        return ""

    def accepts_edits(self, _ask: Ask) -> bool:
        """Return True if `session` lets the run make all edits unasked."""
        return False

    def label(self, ask: Ask, decision: Decision) -> str:
        """Return what a decision does, in the words that stand beside its key."""
        return self.allows(ask, decision) or self.words.get(decision, decision)

    # -- what it takes

    @abstractmethod
    def decisions(self, ask: Ask) -> tuple[Decision, ...]:
        """Return what an answer may decide, in the order in which it is offered."""

    def check(self, ask: Ask, answer: Answer) -> None:
        """Refuse words that do not fit; the decision fits already.

        Raises:
            InvalidInput: with what would fit.
        """
        if answer.text or answer.answers:
            raise InvalidInput(
                f"an answer in words is for a question, not for {answer.decision} of a {ask.kind}",
                hint="deny takes a message",
            )

    def problem(self, _ask: Ask, _name: str, _text: str) -> str:
        """Return why a text does not fit the question of that name; "" if it does."""
        return ""

    def joined(self, labels: Sequence[str]) -> str:
        """Return several chosen labels as one answer."""
        return ", ".join(labels)

    @abstractmethod
    def reply(self, ask: Ask, answer: Answer) -> bytes:
        """Make the line that carries the answer to the CLI."""


class QuestionKind(Kind):
    """Base of the kinds that are questions with options and words of the person's own."""

    kind = AskKind.QUESTION
    words: ClassVar[Mapping[Decision, str]] = {"allow": "answer", "deny": "do not answer"}
    outcomes: ClassVar[Mapping[Decision, str]] = {**Kind.outcomes, "allow": "answered"}

    def lines(self, ask: Ask) -> Iterator[str]:
        for question in self.questions(ask):
            yield from question_lines(question)

    def decisions(self, _ask: Ask) -> tuple[Decision, ...]:
        return "allow", "deny"

    def check(self, ask: Ask, answer: Answer) -> None:
        if answer.decision == "allow":
            chosen(ask, self.questions(ask), answer)
        else:
            super().check(ask, answer)


def new_ask(
    kind: AskKind,
    request_id: str,
    origin: Origin,
    *,
    tool: str,
    title: str,
    given: Mapping[str, Any] | msgspec.Raw,
    details: msgspec.Struct,
) -> Ask:
    """Return an ask that the store has not seen yet."""
    raw = given if isinstance(given, msgspec.Raw) else msgspec.Raw(msgspec.json.encode(given))
    return Ask(
        id=0,
        task=origin.task,
        run=origin.run,
        request=request_id,
        kind=kind,
        tool=one_line(tool, _TOOL_WIDTH),
        title=one_line(title, _TITLE_WIDTH),
        input=raw,
        details=msgspec.Raw(msgspec.json.encode(details)),
        created=origin.time,
    )


def given_of(ask: Ask) -> dict[str, Any]:
    """Return the input of an ask; of a damaged store an empty one."""
    return fields.json_object(bytes(ask.input)) or {}


def run_input(ask: Ask) -> msgspec.Raw:
    """Return the input that an allowed call runs with: what was shown.

    Of what was shown without a secret nobody but the CLI has the whole: an empty input is its own.
    """
    return msgspec.Raw(b"{}") if MARK.encode() in bytes(ask.input) else ask.input


def details_of(ask: Ask, shape: type[Details]) -> Details:
    """Return what the kind keeps beside the input; of a damaged store what it has by default."""
    try:
        return msgspec.json.decode(ask.details, type=shape)
    except (ValueError, RecursionError):
        return shape()
