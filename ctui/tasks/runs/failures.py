"""Errors of jobs and handlers, as a person reads them."""

from __future__ import annotations

from asyncio import CancelledError

from ctui.errors import CtuiError, Unavailable


def as_error(error: BaseException) -> CtuiError:
    """Return what to say of the error that a job ended with."""
    if isinstance(error, CtuiError):
        return error
    if isinstance(error, CancelledError):
        return Unavailable("it was given up", hint="try again")
    if isinstance(error, TimeoutError):
        return Unavailable(
            "the sandbox was not made in time", hint="`ctui doctor` looks at the engine"
        )
    return mistake(error)


def mistake(error: BaseException) -> CtuiError:
    """Return what to say of an error that this program should not have made."""
    return CtuiError(f"ctui made a mistake: {error!r}", hint="see driver.log")
