"""Questions to a person about hosts: each waits for its decision, whichever driver brings it."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable

from ctui.gateway.egress.policy import Attempt
from ctui.gateway.model import Access, Decide, HostGone, HostWanted

_NEXT = itertools.count(1)


class Asks:
    """All questions that are open."""

    def __init__(self, tell: Callable[[HostWanted | HostGone], object]) -> None:
        self._tell = tell
        self._open: dict[str, tuple[HostWanted, asyncio.Future[bool]]] = {}

    async def ask(self, access: Access, attempt: Attempt) -> bool:
        """Return the decision; whoever asks decides for how long it waits, and cancels."""
        # Unique also among processes, so that a late decision cannot answer another question.
        number = f"{os.getpid()}-{next(_NEXT)}"
        wanted = HostWanted(
            id=number,
            run=access.run,
            task=access.task,
            host=attempt.host,
            port=attempt.port,
            program=attempt.program,
            key=attempt.key,
        )
        decision: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._open[number] = wanted, decision
        self._tell(wanted)
        try:
            return await decision
        finally:
            del self._open[number]
            self._tell(HostGone(number))

    def decide(self, decided: Decide) -> None:
        """Answer a question, if it is still open."""
        _, decision = self._open.get(decided.id, (None, None))
        if decision is not None and not decision.done():
            decision.set_result(decided.allow)

    def open(self) -> list[HostWanted]:
        """Return all questions that are open, for a driver that has come just now."""
        return [wanted for wanted, _ in self._open.values()]
