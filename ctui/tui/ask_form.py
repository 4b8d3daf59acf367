"""One ask on the screen: which keys it takes, and what they mean. Pure."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from ctui.tasks.ask_text import ask_lines, form_heading, session_words, shortened
from ctui.tasks.asks import field_problem, question_items
from ctui.tasks.in_turn import QuestionsInTurn
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


_NO_FORM = (Choice("d", "decline"), Choice("c", "cancel"))


class AskForm:
    """Collects the answer to one ask."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self._questions = question_items(ask)
        self._turn = QuestionsInTurn(self._questions)
        self._chosen: set[int] = set()
        self._problem = ""

    def lines(self) -> list[str]:
        """What is asked, in full and sanitised; the first line is the heading."""
        if not self._questions:
            return ask_lines(self.ask)
        question = self._turn.current
        place = f" ({self._turn.place})" if self._turn.place else ""
        about = f": {_shown(question.about)}" if question.about else ""
        lines = [f"? {_shown(question.text)}{about}{place}"]
        if self.ask.kind is AskKind.ELICITATION:
            lines = [*form_heading(self.ask), *lines]
        for number, option in enumerate(question.options[:_MOST_OPTIONS], 1):
            mark = ("[x] " if number in self._chosen else "[ ] ") if question.multiple else ""
            about = f" - {_shown(option.description)}" if option.description else ""
            lines.append(f"    {number}  {mark}{_shown(option.label)}{about}")
        if (more := len(question.options) - _MOST_OPTIONS) > 0:
            lines.append(f"    … {more} more, which no key chooses: t takes their words")
        return [*lines, f"- {self._problem}"] if self._problem else lines

    def choices(self) -> list[Choice]:
        """The keys that mean something now."""
        if self._questions:
            return self._question_choices()
        if self.ask.kind is AskKind.ELICITATION:
            return [Choice("y", "accept"), *_NO_FORM]
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
        """What was typed where a key asked for words; what does not fit is asked again."""
        if wanted is Wants.REASON:
            return Answer("deny", message=text.strip(), by=_BY)
        return self._answered(text.strip()) if text.strip() else Wants.NOTHING

    # -- questions

    def _question_choices(self) -> list[Choice]:
        question = self._turn.current
        is_form = self.ask.kind is AskKind.ELICITATION
        found = [Choice("t", "your own answer"), Choice("d", "do not answer")]
        if is_form:
            found = [Choice("t", "write it"), *_NO_FORM]
        count = min(len(question.options), _MOST_OPTIONS)
        if count:
            verb = "choose several, enter confirms" if question.multiple else "choose"
            found.insert(0, Choice(f"1-{count}" if count > 1 else "1", verb))
        if self._chosen:
            found.insert(1, Choice("enter", "that is all"))
        elif question.optional:
            found.insert(1, Choice("enter", "leave it"))
        return found

    def _pick(self, number: int) -> Answer | Wants:
        question = self._turn.current
        if not 1 <= number <= min(len(question.options), _MOST_OPTIONS):
            return Wants.NOTHING
        if question.multiple:
            self._chosen ^= {number}
            return Wants.NOTHING
        return self._answered(question.options[number - 1].label)

    def _confirm(self) -> Answer | Wants:
        options = self._turn.current.options
        return self._answered(
            ", ".join(options[number - 1].label for number in sorted(self._chosen))
        )

    def _answered(self, text: str) -> Answer | Wants:
        self._chosen = set()
        self._problem = field_problem(self.ask, self._turn.current.text, text)
        if self._problem:
            return Wants.NOTHING
        answers = self._turn.answer(text)
        return Answer("allow", answers=answers, by=_BY) if answers else Wants.NOTHING


def _shown(text: str) -> str:
    return shortened(sanitise(text), _LONGEST)
