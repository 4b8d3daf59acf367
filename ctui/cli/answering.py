"""One ask at a plain terminal: what is shown, and what a typed line means. Pure."""

from __future__ import annotations

from ctui.tasks.ask_text import ask_lines, session_words, shortened
from ctui.tasks.grants import always_words
from ctui.tasks.in_turn import QuestionsInTurn
from ctui.tasks.model import Answer, Ask, AskKind
from ctui.tasks.questions import Question, field_problem, joined, question_items

_BY = "terminal"
_WIDTH = 200


class AskPrompt:
    """An ask that waits for typed lines; several questions are answered one after the other."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.questions = question_items(ask)
        self.problem = ""
        """Why what was typed last does not fit."""
        self._turn = QuestionsInTurn(self.questions)

    def shown(self) -> list[str]:
        """What is asked, in full."""
        return ask_lines(self.ask)

    def choices(self) -> str:
        """What can be typed now."""
        if self.questions:
            return self._question_keys()
        if self.ask.kind is AskKind.ELICITATION:
            return "  y accept   d decline   c cancel"
        session, always = session_words(self.ask), always_words(self.ask)
        keys = [
            "  y once",
            f"s {session}" if session else "",
            f"w {always}" if always else "",
            "d deny",
            "d MESSAGE deny and say why",
        ]
        return "   ".join(key for key in keys if key)

    def take(self, typed: str) -> Answer | None:
        """The answer, if the typed line completes it; None asks for another line."""
        if self.questions:
            return self._take_for_question(typed)
        word, _, rest = typed.partition(" ")
        match word.lower():
            case "y" | "yes" if not rest:
                return Answer("allow", by=_BY)
            case "s" | "session" if not rest and session_words(self.ask):
                return Answer("session", by=_BY)
            case "w" | "always" if not rest and always_words(self.ask):
                return Answer("always", by=_BY)
            case "d" | "deny" | "n" | "no":
                return Answer("deny", message=rest, by=_BY)
            case "c" | "cancel" if self.ask.kind is AskKind.ELICITATION:
                return Answer("cancel", by=_BY)
        return None

    def _question_keys(self) -> str:
        question = self._turn.current
        number = "a number, " if question.options else ""
        number = "numbers (1,3), " if question.options and question.multiple else number
        about = f"{question.text}  " if len(self.questions) > 1 else ""
        if self.ask.kind is AskKind.ELICITATION:
            left = f": {shortened(question.default, _WIDTH)}" if question.default else ""
            empty = f", nothing to leave it{left}" if question.optional else ""
            return f"  {question.text}  type {number}a value{empty}, or /decline, /cancel"
        return f"  {about}type {number}your own answer, or /deny MESSAGE"

    def _take_for_question(self, typed: str) -> Answer | None:
        if typed == "/deny" or typed.startswith("/deny "):
            return Answer("deny", message=typed[6:].strip(), by=_BY)
        if self.ask.kind is AskKind.ELICITATION and typed in {"/decline", "/cancel"}:
            return Answer("deny" if typed == "/decline" else "cancel", by=_BY)
        question = self._turn.current
        chosen = self._chosen(question, typed) if typed else ""
        self.problem = field_problem(self.ask, question.text, chosen)
        if self.problem or not (typed or question.optional):
            return None
        answers = self._turn.answer(chosen)
        return Answer("allow", answers=answers, by=_BY) if answers else None

    def _chosen(self, question: Question, typed: str) -> str:
        """The labels that typed numbers stand for; any other text is the answer itself."""
        parts = [part.strip() for part in typed.split(",")] if question.multiple else [typed]
        labels = {str(number): option.label for number, option in enumerate(question.options, 1)}
        if not all(part in labels for part in parts):
            return typed
        chosen = list(dict.fromkeys(labels[part] for part in parts))
        return joined(self.ask, chosen) if question.multiple else chosen[0]
