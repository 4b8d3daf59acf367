"""One ask at a plain terminal: what is shown, and what a typed line means. Pure."""

from __future__ import annotations

from ctui.tasks.asks import ask_lines, kind_of
from ctui.tasks.asks.in_turn import QuestionsInTurn
from ctui.tasks.asks.kind import Decision
from ctui.tasks.asks.lines import shortened
from ctui.tasks.asks.questions import Question
from ctui.tasks.model import Answer, Ask

_BY = "terminal"
_WIDTH = 200
_KEYS: dict[Decision, str] = {
    "allow": "y",
    "session": "s",
    "always": "w",
    "deny": "d",
    "cancel": "c",
}
_WORDS: dict[str, Decision] = {
    "y": "allow",
    "yes": "allow",
    "s": "session",
    "session": "session",
    "w": "always",
    "always": "always",
    "d": "deny",
    "deny": "deny",
    "n": "deny",
    "no": "deny",
    "c": "cancel",
    "cancel": "cancel",
}
"""Word that can be typed -> its decision."""


class AskPrompt:
    """An ask that waits for typed lines; several questions are answered one after the other."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self._kind = kind_of(ask)
        self.questions = self._kind.questions(ask)
        self.problem = ""
        """Reason why what was typed last does not fit."""
        self._turn = QuestionsInTurn(self.questions)

    def shown(self) -> list[str]:
        """Return what is asked, in full."""
        return ask_lines(self.ask)

    def choices(self) -> str:
        """Return what can be typed now."""
        if self.questions:
            return self._question_keys()
        keys = [
            f"{_KEYS[decision]} {self._kind.label(self.ask, decision)}"
            for decision in self._kind.decisions(self.ask)
        ]
        if self._kind.explains:
            keys.append("d MESSAGE deny and say why")
        return "  " + "   ".join(keys)

    def take(self, typed: str) -> Answer | None:
        """Return the answer, if the typed line completes it; None asks for another line."""
        if self.questions:
            return self._take_for_question(typed)
        word, _, rest = typed.partition(" ")
        decision = _WORDS.get(word.lower())
        if decision not in self._kind.decisions(self.ask) or (rest and decision != "deny"):
            return None
        return Answer(decision, message=rest, by=_BY)

    def _question_keys(self) -> str:
        question = self._turn.current
        number = "a number, " if question.options else ""
        number = "numbers (1,3), " if question.options and question.multiple else number
        about = f"{question.text}  " if len(self.questions) > 1 else ""
        if self._kind.is_form:
            left = f": {shortened(question.default, _WIDTH)}" if question.default else ""
            empty = f", nothing to leave it{left}" if question.optional else ""
            return f"  {question.text}  type {number}a value{empty}, or /decline, /cancel"
        return f"  {about}type {number}your own answer, or /deny MESSAGE"

    def _take_for_question(self, typed: str) -> Answer | None:
        if typed == "/deny" or typed.startswith("/deny "):
            return Answer("deny", message=typed[6:].strip(), by=_BY)
        if self._kind.is_form and typed in {"/decline", "/cancel"}:
            return Answer("deny" if typed == "/decline" else "cancel", by=_BY)
        question = self._turn.current
        chosen = self._chosen(question, typed) if typed else ""
        self.problem = self._kind.problem(self.ask, question.text, chosen)
        if self.problem or not (typed or question.optional):
            return None
        answers = self._turn.answer(chosen)
        return Answer("allow", answers=answers, by=_BY) if answers else None

    def _chosen(self, question: Question, typed: str) -> str:
        """Return the labels that typed numbers stand for; any other text is the answer itself."""
        parts = [part.strip() for part in typed.split(",")] if question.multiple else [typed]
        labels = {str(number): option.label for number, option in enumerate(question.options, 1)}
        if not all(part in labels for part in parts):
            return typed
        chosen = list(dict.fromkeys(labels[part] for part in parts))
        return self._kind.joined(chosen) if question.multiple else chosen[0]
