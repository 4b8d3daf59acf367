"""Ways in which a landing is not checked, or does not pass; nothing was moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctui.errors import CtuiError, InvalidInput

if TYPE_CHECKING:
    from ctui.client.landing.records import Check


class NoCheck(InvalidInput):
    """A check that is wanted, and named nowhere."""


class CheckFailed(CtuiError):
    """A check that did not pass; nothing was moved."""

    def __init__(self, message: str, *, hint: str = "", check: Check | None = None) -> None:
        super().__init__(message, hint=hint)
        self.check = check


class CheckTimedOut(CheckFailed):
    """A check that took too long; nothing was moved."""
