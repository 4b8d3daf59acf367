"""Mistakes of our own that a connection met: logged without their words, and once a minute each."""

from __future__ import annotations

import logging
import time
import traceback

_AGAIN_SECONDS = 60.0
_PLACES = 100

log = logging.getLogger(__name__)


class Mistakes:
    """The log of them, which nobody can fill who has found the way to one."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}

    def tell(self, error: Exception) -> None:
        """Log where it was, and not its words: nobody knows what a library quotes in them."""
        now = time.monotonic()
        place = _place_of(error)
        recent = {one: at for one, at in self._told.items() if now - at < _AGAIN_SECONDS}
        if place not in recent and len(recent) < _PLACES:
            recent[place] = now
            log.error("a request ended by a mistake: %s", place)
        self._told = recent


def _place_of(error: Exception) -> str:
    """Return the kind of an error, and the lines of code that led to it."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    where = " > ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames)
    return f"{type(error).__name__} at {where}"


MISTAKES = Mistakes()
