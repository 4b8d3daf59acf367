"""Return of the focus to the next ask from where the last answer left the person. Pure."""

from __future__ import annotations


class FocusReturn:
    """Memory of who answered here and has not moved since: only to them the focus comes back."""

    def __init__(self) -> None:
        self.wanted = False
        self._leaving = False
        self._place: object = None

    def answered(self) -> None:
        """Want the focus for what is asked next: the person is here."""
        self.wanted, self._leaving, self._place = True, False, None

    def emptied(self) -> None:
        """Expect the focus to move, because nothing is asked any more."""
        self._leaving, self._place = True, None

    def moved(self, place: object) -> None:
        """Take note of a move of the focus; one that nobody expected ends the wish for it."""
        if self._leaving:
            self._leaving, self._place = False, place
        elif place is not self._place:
            self.wanted = False
