"""Reading of a review's files: those that are looked at first, the others while nobody waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from ctui.client.review.reviewing import Review
from ctui.tui.review.diff_view import DiffView
from ctui.tui.review.review_actions import ReviewActions

_FIRST_LINES = 400
"""Lines that are read together where somebody waits for them."""
_MORE_LINES = 2_000
_MOST_FILES = 64
_MOST_AHEAD = 50_000
"""Lines that are read before somebody comes near them."""


class Loading:
    """Reader of one review's files."""

    def __init__(
        self, view: DiffView, actions: ReviewActions, review: Review, taken: Callable[[], None]
    ) -> None:
        """Prepare to read.

        Args:
            view: shows the review's files, and says which are near.
            actions: read them.
            review: whose files they are.
            taken: called when the view has got some.
        """
        self._view = view
        self._actions = actions
        self._review = review
        self._taken = taken
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Look again for what is wanted: something else is near."""
        self._wake.set()

    async def run(self) -> None:
        """Read until cancelled. Raises CtuiError if git cannot."""
        window = self._view.window
        while True:
            self._wake.clear()
            if wanted := self._near(_FIRST_LINES) or self._ahead():
                files = [self._review.files[index] for index in wanted]
                found = await self._actions.read(self._review, files)
                with self._view.changing():
                    for index, diff in zip(wanted, found, strict=True):
                        window.take(index, diff)
                self._taken()
            elif (plain := self._plain()) is not None:
                window.take(plain, await self._actions.colour(window.diffs[plain]))
                self._view.refresh()
            else:
                await self._wake.wait()

    def _near(self, lines: int) -> list[int]:
        """Return files that are in sight, or soon will be, and were not read."""
        view = self._view
        height = max(20, view.size.height)
        near = view.window.near(view.scroll_offset.y - height, 3 * height)
        first = view.window.near(view.scroll_offset.y, height)
        return self._unread([*first, *near], lines)

    def _ahead(self) -> list[int]:
        """Return further files, once those that are in sight have their colours."""
        window = self._view.window
        if self._plain() is not None:
            return []
        if sum(len(diff.lines) for diff in window.diffs.values()) > _MOST_AHEAD:
            return []
        return self._unread(range(len(window.files)), _MORE_LINES)

    def _unread(self, indexes: Sequence[int], lines: int) -> list[int]:
        window = self._view.window
        found: list[int] = []
        for index in dict.fromkeys(indexes):
            if index in window.diffs:
                continue
            if found and (lines <= 0 or len(found) >= _MOST_FILES):
                break
            found.append(index)
            lines -= window.files[index].lines
        return found

    def _plain(self) -> int | None:
        """Return a file in sight that has no colours yet."""
        view = self._view
        for index in view.window.near(view.scroll_offset.y, max(1, view.size.height)):
            diff = view.window.diffs.get(index)
            if diff is not None and diff.lines and not diff.colours:
                return index
        return None
