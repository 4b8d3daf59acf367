"""Whether the next ask may have the focus back from where the last answer left the person. Pure."""

from __future__ import annotations


class FocusReturn:
    """The focus comes back only to somebody who answered here and has not moved since."""

    def __init__(self) -> None:
        self.wanted = False
        self._leaving = False
        self._place: object = None

    def answered(self) -> None:
        """The person is here, and waits for what is asked next."""
        self.wanted, self._leaving, self._place = True, False, None

    def emptied(self) -> None:
        """Nothing is asked; whoever hears of it puts the focus somewhere."""
        self._leaving, self._place = True, None

    def moved(self, place: object) -> None:
        """Something else has the focus now."""
        if self._leaving:
            self._leaving, self._place = False, place
        elif place is not self._place:
            self.wanted = False
