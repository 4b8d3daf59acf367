"""Several questions that are answered one after the other. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ctui.tasks.asks.questions import Question


class QuestionsInTurn:
    """Questions of an ask, answered one after the other."""

    def __init__(self, questions: Sequence[Question]) -> None:
        """Begin without an answer.

        Args:
            questions: at least one; of two with the same text only one is asked.
        """
        self.questions = questions
        self._answers: dict[str, str] = {}

    @property
    def current(self) -> Question:
        """Return the question that is asked; the last one stays until the ask is gone."""
        open_ones = (item for item in self.questions if item.text not in self._answers)
        return next(open_ones, self.questions[-1])

    @property
    def place(self) -> str:
        """Return the question's place, such as `2 of 3`; "" for a single question."""
        count = len(self.questions)
        return f"{min(count, self.done + 1)} of {count}" if count > 1 else ""

    @property
    def done(self) -> int:
        """Return the number of questions that are answered."""
        return sum(item.text in self._answers for item in self.questions)

    def answer(self, text: str) -> dict[str, str] | None:
        """Answer the current question; return all answers by question after the last, else None."""
        self._answers[self.current.text] = text
        complete = all(item.text in self._answers for item in self.questions)
        return dict(self._answers) if complete else None
