"""One ask on the screen: which keys it takes, and what they mean. Pure."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from ctui.tasks.ask_text import ask_lines, session_words
from ctui.tasks.asks import Question, question_items
from ctui.tasks.model import Answer, Ask, AskKind
from ctui.text import one_line, sanitise

_BY = "screen"
_MOST_OPTIONS = 9
_LABEL_WIDTH = 300
_LONGEST = 2000
"""Characters of a question, a label or a description that are shown."""


class Wants(Enum):
    """What a key asks for before there is an answer."""

    NOTHING = "nothing"
    REASON = "why it is denied"
    TEXT = "your own answer"


class Choice(NamedTuple):
    """A key, and what it does."""

    key: str
    label: str


class AskForm:
    """Collects the answer to one ask."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self._questions = question_items(ask) if ask.kind is AskKind.QUESTION else []
        self._answers: dict[str, str] = {}
        self._chosen: set[int] = set()

    def lines(self) -> list[str]:
        """What is asked, in full and sanitised; the first line is the heading."""
        if not self._questions:
            return ask_lines(self.ask)
        question = self._question
        count = len(self._questions)
        place = f" ({min(count, count - self._left + 1)} of {count})" if count > 1 else ""
        lines = [f"? {sanitise(question.text[:_LONGEST])}{place}"]
        for number, option in enumerate(question.options[:_MOST_OPTIONS], 1):
            mark = ("[x] " if number in self._chosen else "[ ] ") if question.multiple else ""
            about = sanitise(option.description[:_LONGEST])
            label = sanitise(option.label[:_LONGEST])
            lines.append(f"    {number}  {mark}{label}" + (f" - {about}" if about else ""))
        return lines

    def choices(self) -> list[Choice]:
        """The keys that mean something now."""
        if self._questions:
            return self._question_choices()
        if self.ask.kind is AskKind.ELICITATION:
            return [Choice("d", "decline"), Choice("c", "cancel")]
        once = "approve" if self.ask.kind is AskKind.PLAN else "once"
        found = [Choice("y", once), Choice("d", "deny"), Choice("D", "deny and say why")]
        if words := session_words(self.ask):
            found.insert(1, Choice("s", one_line(words, _LABEL_WIDTH)))
        return found

    def press(self, key: str) -> Answer | Wants:
        """What a key means; one that is no choice means nothing."""
        known = {choice.key for choice in self.choices()}
        if key not in known and not (self._questions and key.isdigit()):
            return Wants.NOTHING
        match key:
            case "y":
                return Answer("allow", by=_BY)
            case "s":
                return Answer("session", by=_BY)
            case "d":
                return Answer("deny", by=_BY)
            case "c":
                return Answer("cancel", by=_BY)
            case "D":
                return Wants.REASON
            case "t":
                return Wants.TEXT
            case "enter":
                return self._confirm()
        return self._pick(int(key)) if key.isdigit() else Wants.NOTHING

    def write(self, wanted: Wants, text: str) -> Answer | Wants:
        """What was typed where a key asked for words."""
        if wanted is Wants.REASON:
            return Answer("deny", message=text.strip(), by=_BY)
        return self._answered(text.strip()) if text.strip() else Wants.NOTHING

    # -- questions

    @property
    def _left(self) -> int:
        return sum(item.text not in self._answers for item in self._questions)

    @property
    def _question(self) -> Question:
        """The one that is answered now; when all are, the last one stays until the ask is gone."""
        open_ones = (item for item in self._questions if item.text not in self._answers)
        return next(open_ones, self._questions[-1])

    def _question_choices(self) -> list[Choice]:
        question = self._question
        found = [Choice("t", "your own answer"), Choice("d", "do not answer")]
        count = min(len(question.options), _MOST_OPTIONS)
        if count:
            verb = "choose several, enter confirms" if question.multiple else "choose"
            found.insert(0, Choice(f"1-{count}" if count > 1 else "1", verb))
        if self._chosen:
            found.insert(1, Choice("enter", "that is all"))
        return found

    def _pick(self, number: int) -> Answer | Wants:
        question = self._question
        if not 1 <= number <= min(len(question.options), _MOST_OPTIONS):
            return Wants.NOTHING
        if question.multiple:
            self._chosen ^= {number}
            return Wants.NOTHING
        return self._answered(question.options[number - 1].label)

    def _confirm(self) -> Answer | Wants:
        options = self._question.options
        return self._answered(
            ", ".join(options[number - 1].label for number in sorted(self._chosen))
        )

    def _answered(self, text: str) -> Answer | Wants:
        self._answers[self._question.text] = text
        self._chosen = set()
        if self._left:
            return Wants.NOTHING
        return Answer("allow", answers=dict(self._answers), by=_BY)
