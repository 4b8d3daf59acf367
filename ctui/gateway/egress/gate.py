"""The decision about each connection, and the question to a person where there is none yet."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ctui.gateway.egress.names import Target
from ctui.gateway.egress.policy import ONCE, Attempt, Policy, Verdict, decide

Ask = Callable[[Attempt], Awaitable[bool]]

_QUESTIONS = 16
"""Hosts that are asked for at the same time; a task that wants more is not heard."""
_UNHEARD_SECONDS = 5.0
"""Seconds for a question whose answer no connection waits for."""


class Gate:
    """Decisions about one run's connections; the same question is asked once."""

    def __init__(self, policy: Callable[[], Policy], ask: Ask) -> None:
        self._policy = policy
        self._ask = ask
        self._asked: dict[Target, asyncio.Task[bool]] = {}

    async def close(self) -> None:
        """Wait for no answer any more."""
        questions = list(self._asked.values())
        for question in questions:
            question.cancel()
        await asyncio.gather(*questions, return_exceptions=True)

    async def decide(self, target: Target, program: str) -> Verdict:
        """Return whether a target may be reached, after somebody was asked if need be."""
        policy = self._policy()
        verdict = decide(policy, target)
        if verdict.what != "ask":
            return verdict
        if not await self._answer(target, program, policy.hold):
            return Verdict("refuse", verdict.rule, why=verdict.why)
        # Whoever answered may have said more than this once, and something else meanwhile.
        verdict = decide(self._policy(), target)
        if verdict.what != "ask":
            return verdict
        return ONCE

    async def _answer(self, target: Target, program: str, hold: float) -> bool:
        question = self._asked.get(target)
        if question is None:
            if len(self._asked) >= _QUESTIONS:
                return False
            question = asyncio.ensure_future(self._put(Attempt(*target, program), hold))
            self._asked[target] = question
            question.add_done_callback(lambda _: self._asked.pop(target, None))
        if not hold:
            return False
        # Whoever waits may leave; the others still want to know.
        return await asyncio.shield(question)

    async def _put(self, attempt: Attempt, hold: float) -> bool:
        try:
            async with asyncio.timeout(hold or _UNHEARD_SECONDS):
                return await self._ask(attempt)
        except Exception:  # noqa: BLE001 - no answer, for whatever reason, allows nothing
            return False
