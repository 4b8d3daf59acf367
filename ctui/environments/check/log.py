"""Log of a check: its beginning and its end, whatever it printed between."""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Self

_HALF = 8 << 20
"""Bytes that are kept of the beginning, and of the end."""
_PARTS = 128
"""Parts of the end, of which the oldest goes as a whole."""


class CheckLog:
    """File of what a check printed, which only its owner can read."""

    def __init__(self, path: Path, half: int = _HALF) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._file = os.fdopen(os.open(path, flags, 0o600), "wb", buffering=0)
        self._half = half
        self._head = half
        self._tail: deque[bytearray] = deque()
        """Whole lines, many together: one object for each would be a hundred times as large."""
        self._size = 0
        self._left_out = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def write(self, line: str) -> None:
        """Append a line."""
        data = line.encode("utf-8", "replace") + b"\n"
        if not self._tail and len(data) <= self._head:
            self._file.write(data)
            self._head -= len(data)
            return
        if not self._tail or len(self._tail[-1]) > self._half // _PARTS:
            self._tail.append(bytearray())
        self._tail[-1] += data
        self._size += len(data)
        while self._size > self._half:
            dropped = len(self._tail.popleft())
            self._size -= dropped
            self._left_out += dropped

    def close(self) -> None:
        """Write the end, and what is said of the part between."""
        if self._left_out:
            self._file.write(f"[{self._left_out} bytes are left out here]\n".encode())
        self._file.write(b"".join(self._tail))
        self._tail.clear()
        self._file.close()
