"""One ask on the screen: which keys it takes, and what they mean. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from ctui.tasks.asks import ask_lines, kind_of
from ctui.tasks.asks.in_turn import QuestionsInTurn
from ctui.tasks.asks.lines import cut, shortened
from ctui.tasks.asks.questions import SECRET_WARNING
from ctui.tasks.model import Answer, Ask
from ctui.text import one_line, sanitise

_BY = "screen"
_KEYS = {"allow": "y", "session": "s", "always": "w", "deny": "d", "cancel": "C"}
_ANSWERS = {
    "y": Answer("allow", by=_BY),
    "s": Answer("session", by=_BY),
    "w": Answer("always", by=_BY),
    "d": Answer("deny", by=_BY),
    "C": Answer("cancel", by=_BY),
}
"""Keys that are a whole answer."""

_DIGITS = frozenset("0123456789")
_MOST_KEYS = 9
"""Options that a single digit chooses."""

_LABEL_WIDTH = 300
_DEFAULT_WIDTH = 40
_LONGEST = 2000
"""Characters of a question, a label or a description that are shown."""


class Wants(Enum):
    """Words that a key asks for before there is an answer."""

    NOTHING = "nothing"
    REASON = "why it is denied"
    TEXT = "your own answer"


class Choice(NamedTuple):
    """A key, and what it does."""

    key: str
    label: str


class AskForm:
    """Collector of the answer to one ask."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.problem = ""
        """Reason why what was given last does not fit."""
        self._kind = kind_of(ask)
        self._questions = self._kind.questions(ask)
        self._turn = QuestionsInTurn(self._questions)
        self._chosen: set[int] = set()
        self._lines: list[str] | None = None

    @property
    def done(self) -> int:
        """Return the number of questions that are answered."""
        return self._turn.done

    def lines(self) -> list[str]:
        """Return what is asked, in full and sanitised; the same list until something is chosen."""
        if self._lines is None:
            asked = self._questions
            lines = cut(self._question_lines(), self.ask.task) if asked else ask_lines(self.ask)
            self._lines = lines
        return self._lines

    def choices(self) -> list[Choice]:
        """Return the keys that mean something now."""
        if self._questions:
            return self._question_choices()
        found = [
            Choice(_KEYS[decision], one_line(self._kind.label(self.ask, decision), _LABEL_WIDTH))
            for decision in self._kind.decisions(self.ask)
        ]
        return [*found, Choice("D", "deny and say why")] if self._kind.explains else found

    def takes(self, key: str) -> bool:
        """Return True if a key is for an ask; a digit is, also where there is no such option."""
        return key in _DIGITS or any(choice.key == key for choice in self.choices())

    def marks(self, key: str) -> bool:
        """Return True if a key only marks an option, and takes that back when it comes again."""
        return key in _DIGITS and bool(self._questions) and self._turn.current.multiple

    def press(self, key: str) -> Answer | Wants:
        """Return what a key means; one that is no choice means nothing."""
        if self._questions and key in _DIGITS:
            return self._pick(int(key))
        if all(choice.key != key for choice in self.choices()):
            return Wants.NOTHING
        if key in _ANSWERS:
            return _ANSWERS[key]
        match key:
            case "D":
                return Wants.REASON
            case "t":
                return Wants.TEXT
            case "enter":
                return self._confirm()
        return Wants.NOTHING

    def hint(self, wanted: Wants) -> str:
        """Return what stands in the line before anything is written."""
        if wanted is not Wants.TEXT:
            return str(wanted.value)
        own = "the value" if self._kind.is_form else "your own answer"
        return f"a number, or {own}" if self._takes_numbers else own

    def write(self, wanted: Wants, text: str) -> Answer | Wants:
        """Return what a typed text means where words were wanted; `problem` says what is wrong."""
        text = text.strip()
        if wanted is Wants.REASON:
            return Answer("deny", message=text, by=_BY)
        if numbers := self._numbers(text):
            return [self._pick(number) for number in numbers][-1]
        return self._answered(text) if text else Wants.NOTHING

    # -- questions

    @property
    def _beyond_keys(self) -> bool:
        """Return True if there are options that no single digit chooses."""
        return len(self._turn.current.options) > _MOST_KEYS

    @property
    def _takes_numbers(self) -> bool:
        """Return True if a written number is an option's; else it can be an answer in itself."""
        return self._beyond_keys or (self._kind.is_form and bool(self._turn.current.options))

    def _question_lines(self) -> Iterator[str]:
        yield from self._kind.heading(self.ask)
        question = self._turn.current
        place = f" ({self._turn.place})" if self._turn.place else ""
        about = f": {_shown(question.about)}" if question.about else ""
        yield f"? {_shown(question.text)}{about}{place}"
        if question.secret:
            yield SECRET_WARNING
        for number, option in enumerate(question.options, 1):
            mark = ("[x] " if number in self._chosen else "[ ] ") if question.multiple else ""
            about = f" - {_shown(option.description)}" if option.description else ""
            yield f"    {number}  {mark}{_shown(option.label)}{about}"
        if question.default:
            yield f"    if it is left: {_shown(question.default)}"

    def _question_choices(self) -> list[Choice]:
        question = self._turn.current
        found = [Choice("t", "write it" if self._kind.is_form else "your own answer")]
        found += [
            Choice(_KEYS[decision], self._kind.label(self.ask, decision))
            for decision in self._kind.decisions(self.ask)
            if decision != "allow"
        ]
        if self._beyond_keys:
            found[0] = Choice("t", f"{found[0].label}, or 1-{len(question.options)}")
        if count := min(len(question.options), _MOST_KEYS):
            verb = "choose several" if question.multiple else "choose"
            found.insert(0, Choice(f"1-{count}" if count > 1 else "1", verb))
        if self._chosen:
            found.insert(1, Choice("enter", "that is all"))
        elif question.optional:
            default = one_line(question.default, _DEFAULT_WIDTH)
            found.insert(1, Choice("enter", f"leave it: {default}" if default else "leave it"))
        return found

    def _numbers(self, text: str) -> list[int]:
        """Return the options that typed numbers mean, or none if the text is an option's label."""
        question = self._turn.current
        if not self._takes_numbers or any(text == option.label for option in question.options):
            return []
        parts = text.split(",") if question.multiple else [text]
        known = {str(number): number for number in range(1, len(question.options) + 1)}
        found = [known.get(part.strip(), 0) for part in parts]
        return found if all(found) else []

    def _pick(self, number: int) -> Answer | Wants:
        question = self._turn.current
        if not 1 <= number <= len(question.options):
            return Wants.NOTHING
        if question.multiple:
            self._chosen ^= {number}
            self.problem, self._lines = "", None
            return Wants.NOTHING
        return self._answered(question.options[number - 1].label)

    def _confirm(self) -> Answer | Wants:
        options = self._turn.current.options
        labels = [options[number - 1].label for number in sorted(self._chosen)]
        return self._answered(self._kind.joined(labels))

    def _answered(self, text: str) -> Answer | Wants:
        self.problem = one_line(
            self._kind.problem(self.ask, self._turn.current.text, text), _LABEL_WIDTH
        )
        if self.problem:
            return Wants.NOTHING
        self._chosen, self._lines = set(), None
        answers = self._turn.answer(text)
        return Answer("allow", answers=answers, by=_BY) if answers else Wants.NOTHING


def _shown(text: str) -> str:
    return shortened(sanitise(text), _LONGEST)
