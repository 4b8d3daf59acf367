"""One attempt of a task to reach a host, and what the log is told of it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

import msgspec

from ctui.gateway.egress.names import Target
from ctui.gateway.egress.policy import Record


class Pace:
    """Refusals of one run: a number of them at once, and then some in a second.

    A program that tries all hosts there are is told so more and more slowly, and keeps neither the
    log nor anybody else's connections busy.
    """

    def __init__(self, burst: int = 100, rate: float = 20.0) -> None:
        self._burst, self._rate = burst, rate
        self._left = float(burst)
        self._at = time.monotonic()

    def delay(self) -> float:
        """Count one more, and return the seconds after which it may be told."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate) - 1
        self._at = now
        return max(0.0, -self._left / self._rate)


class Tracked:
    """An attempt under way; how it ended is said once, by whoever says it first."""

    def __init__(self, record: Callable[[Record], None], target: Target, program: str) -> None:
        self.target = target
        self.program = program
        self._tell = record
        self._over = False
        self._record = Record(
            secrets.token_hex(8),
            time.time(),
            target.host,
            target.port,
            "allowed",
            "",
            over=False,
            program=program,
        )

    def began(self, rule: str) -> None:
        """Say that it is connected, by this rule."""
        self._record = msgspec.structs.replace(self._record, rule=rule)
        self._tell(self._record)

    def lend(self, credential: str) -> None:
        """Say that requests get a credential of this name."""
        if self._record.credential != credential:
            self._record = msgspec.structs.replace(self._record, credential=credential)
            self._tell(self._record)

    def refused(self, rule: str) -> None:
        """Say that a rule forbids it."""
        self._end(verdict="refused", rule=rule)

    def failed(self, why: str, up: int = 0, down: int = 0, *, anomaly: str = "") -> None:
        """Say that it came to nothing, or broke off."""
        self._end(verdict="failed", rule=why, up=up, down=down, anomaly=anomaly)

    def finished(self, up: int, down: int) -> None:
        """Say that it is over."""
        self._end(up=up, down=down)

    def _end(self, **changes: object) -> None:
        if not self._over:
            self._over = True
            self._tell(msgspec.structs.replace(self._record, over=True, **changes))
