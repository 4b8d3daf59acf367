"""The platform's keyring, asked in bounded time.

A keyring that is locked, or a D-Bus that does not answer, can wait for ever; and merely choosing
among the backends already talks to them. So all of it happens in a thread that may be left behind.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import ModuleType
from typing import TypeVar

from ctui.errors import Unavailable

T = TypeVar("T")

_SERVICE = "ctui"
_PATIENCE = 5.0
"""Seconds; a keyring that works answers in a few milliseconds."""

_PATIENCE_WITH_PERSON = 15.0
"""Seconds to unlock it, where somebody sits in front of it."""


def read(account: str) -> str | None:
    """Return the secret, or None if there is no keyring here, or nothing in it.

    Raises:
        Unavailable: there is one, and it is locked, broken or does not answer.
    """
    return _ask(lambda keyring: keyring.get_password(_SERVICE, account), _PATIENCE)


def write(account: str, secret: str) -> bool:
    """Store the secret, and return True if there is a keyring that gives it back.

    Raises:
        Unavailable: as for `read`.
    """

    def ask(keyring: ModuleType) -> bool:
        keyring.set_password(_SERVICE, account, secret)
        return bool(keyring.get_password(_SERVICE, account) == secret)

    return bool(_ask(ask, _PATIENCE_WITH_PERSON))


def forget(account: str) -> bool:
    """Remove the secret, if there is a keyring that has it; return False if none has.

    Raises:
        Unavailable: as for `read`; what it has is still there.
    """

    def ask(keyring: ModuleType) -> bool:
        if keyring.get_password(_SERVICE, account) is None:
            return False
        keyring.delete_password(_SERVICE, account)
        return True

    return bool(_ask(ask, _PATIENCE))


def _ask(question: Callable[[ModuleType], T], patience: float) -> T | None:
    answers: list[T] = []
    problems: list[str] = []

    def run() -> None:
        try:
            import keyring

            if getattr(keyring.get_keyring(), "priority", 0) > 0:
                answers.append(question(keyring))
        except BaseException as error:  # noqa: BLE001 - backends raise whatever their platform does
            # Not what it says: nobody knows whether that holds the secret.
            problems.append(f"the keyring cannot be used ({type(error).__name__})")

    # A daemon thread: the interpreter waits at its end for every thread of an executor.
    thread = threading.Thread(target=run, name="keyring", daemon=True)
    thread.start()
    thread.join(patience)
    if thread.is_alive():
        problems.append(f"the keyring does not answer within {patience:.0f} s")
    if problems:
        raise Unavailable(problems[0], hint="unlock it, or set the token in the environment")
    return answers[0] if answers else None
