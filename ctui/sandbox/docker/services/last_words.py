"""The end of a service's log, which is kept when its container goes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from ctui.sandbox.docker.endpoint import Endpoint
from ctui.sandbox.docker.stream import follow_log

KEPT_BYTES = 256 << 10
"""So much of a service's log is kept."""
_PIECES = 4000
_LINE_BYTES = 1 << 14

Keep = Callable[[str, str, bytes], None]
"""Takes a task, a service, and the end of its log."""


async def last_words(endpoint: Endpoint, container: str) -> bytes:
    """Return the last lines of a container's log, as many as are kept.

    Raises:
        CtuiError: the engine does not have it, or does not answer.
    """
    lines: deque[bytes] = deque()
    size = 0
    async for batch in follow_log(endpoint, container, follow=False, tail=_PIECES):
        for line in batch:
            lines.append(line.data[:_LINE_BYTES] + b"\n")
            size += len(lines[-1])
            while size > KEPT_BYTES:
                size -= len(lines.popleft())
    return b"".join(lines)
