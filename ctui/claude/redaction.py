"""Keeping known secrets out of the journal: a task can print its own environment."""

from __future__ import annotations

import json
from collections.abc import Iterable

_SHORTEST = 8
"""Characters: something shorter is no secret, and would be found in every other line."""


class Redactor:
    """Replaces known secrets wherever they turn up, plain or inside JSON strings."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: list[bytes] = []
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Redact this one too, from now on."""
        if len(secret) < _SHORTEST:
            return
        once = json.dumps(secret)[1:-1]
        # A tool's input is streamed as JSON text inside a JSON line.
        twice = json.dumps(once)[1:-1]
        forms = {*self._forms, secret.encode(), once.encode(), twice.encode()}
        # A secret that begins another one must not leave the other one's end.
        self._forms = sorted(forms, key=len, reverse=True)

    def redact(self, line: bytes) -> bytes:
        """The line without any known secret; the same object where there was none."""
        for form in self._forms:
            if form in line:
                line = line.replace(form, b"[redacted]")
        return line
