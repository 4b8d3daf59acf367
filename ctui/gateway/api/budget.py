"""A task's budget where several calls are under way: none begins that could go beyond it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from ctui.gateway.api.answers import Answer
from ctui.gateway.api.prices import UNKNOWN, price_of
from ctui.gateway.books.rows import Usage

_BYTES_A_TOKEN = 4
_MOST_OUTPUT = 128_000
"""Tokens of an answer whose request does not say how many it may have."""


class _Asked(msgspec.Struct):
    model: str = ""
    max_tokens: int = _MOST_OUTPUT


_asked = msgspec.json.Decoder(_Asked)


def most_of(body: bytes, model: str = "") -> float:
    """Return the dollars that a call can cost; `model` is what its path names."""
    try:
        asked = _asked.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        asked = _Asked()
    most = Usage(cache_write=len(body) // _BYTES_A_TOKEN, output_tokens=max(asked.max_tokens, 0))
    return (price_of(model or asked.model) or UNKNOWN).dollars(most)


class Budget:
    """The shares that calls under way have of one run's budget: the most that each can cost."""

    def __init__(self) -> None:
        self._promised: dict[object, float] = {}
        self._ended = asyncio.Event()

    @asynccontextmanager
    async def share(
        self, budget: float | None, most: float, spent: Callable[[], float]
    ) -> AsyncIterator[None]:
        """Have a share of the budget for one call, alone where it might be more than is left.

        Many calls at once would each find the budget unspent, and spend it many times.

        Raises:
            Answer: it is spent.
        """
        call = object()
        while budget is not None:
            if spent() >= budget:
                raise Answer(400, f"the task's budget of ${budget:.2f} is spent (${spent():.2f})")
            left = budget - spent() - sum(self._promised.values())
            if not self._promised or most <= left:
                break
            await self._ended.wait()
        self._promised[call] = most
        try:
            yield
        finally:
            del self._promised[call]
            self._ended.set()
            self._ended = asyncio.Event()
