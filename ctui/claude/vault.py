"""The platform's keyring, asked in bounded time.

A keyring that is locked, or a D-Bus that does not answer, can wait for ever; and merely choosing
among the backends already talks to them. So all of it happens in a thread that may be left behind.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")

_SERVICE = "ctui"
_PATIENCE = 5.0
"""Seconds; a keyring that works answers in a few milliseconds."""

_PATIENCE_WITH_PERSON = 60.0
"""Seconds to unlock it, where somebody sits in front of it."""


def read(account: str) -> str | None:
    """The secret, or None if there is none or no keyring answers."""
    return _ask(lambda keyring: keyring.get_password(_SERVICE, account), _PATIENCE)


def write(account: str, secret: str) -> bool:
    """Whether a keyring took the secret and gives it back."""

    def ask(keyring: ModuleType) -> bool:
        keyring.set_password(_SERVICE, account, secret)
        return bool(keyring.get_password(_SERVICE, account) == secret)

    return bool(_ask(ask, _PATIENCE_WITH_PERSON))


def forget(account: str) -> None:
    """Remove the secret, if a keyring answers that has it."""
    _ask(lambda keyring: keyring.delete_password(_SERVICE, account), _PATIENCE)


def _ask(question: Callable[[ModuleType], T], patience: float) -> T | None:
    answers: list[T] = []

    def run() -> None:
        try:
            import keyring

            if getattr(keyring.get_keyring(), "priority", 0) > 0:
                answers.append(question(keyring))
        except Exception:  # noqa: BLE001, S110 - backends raise whatever their platform does
            pass

    # A daemon thread: the interpreter waits at its end for every thread of an executor.
    thread = threading.Thread(target=run, name="keyring", daemon=True)
    thread.start()
    thread.join(patience)
    return answers[0] if answers else None
