"""What a driver logs as a mistake of its own: none is expected in any world."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from tests.simulation.world import Dead


@contextmanager
def mistakes() -> Iterator[list[str]]:
    """Collect what the tasks' loops log as mistakes of this program: none is expected.

    Nothing of it reaches pytest, which would keep the tracebacks, and by them each world.
    """
    made: list[str] = []
    handler = _Collector(made)
    logger = logging.getLogger("ctui.tasks")
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield made
    finally:
        logger.propagate = True
        logger.removeHandler(handler)


class _Collector(logging.Handler):
    def __init__(self, made: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._made = made

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info is None or not isinstance(record.exc_info[1], Dead):
            self._made.append(self.format(record))
