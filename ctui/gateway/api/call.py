"""One call that may cost: written down before it is sent, and afterwards with what it used."""

from __future__ import annotations

import time

from ctui.errors import StoreUnavailable
from ctui.gateway.api.answers import wait
from ctui.gateway.api.prices import dollars, price_of
from ctui.gateway.api.usage import Counter
from ctui.gateway.books.books import Books
from ctui.gateway.books.rows import Ending, NewCall, Usage

_BYTES_A_TOKEN = 4
"""Of a request: a rule of thumb, as the tokenizer is not public."""
_STREAM_BYTES_A_TOKEN = 40
"""Of a streamed answer, in which each token comes with the words of its event around it."""
_USUAL_OUTPUT = 500
"""Tokens of an answer of which nothing was seen."""


class Call:
    """A call under way."""

    def __init__(self, books: Books, call: NewCall) -> None:
        self.row = call
        self._books = books
        self._ended = False

    async def begin(self) -> None:
        """Write it down.

        Raises:
            Answer: that cannot be done, so it is not sent.
        """
        try:
            await self._books.begin(self.row)
        except StoreUnavailable as error:
            self._ended = True  # there is nothing to end
            raise wait(f"{error.message}: no call is made that is not on record", 10) from error

    def counter(self, content_type: str) -> Counter:
        """Return what counts the answer."""
        return Counter(content_type, lambda usage: self._books.progress(self.row.id, usage))

    def unpaid(self, status: int, down: int = 0) -> None:
        """End one that cost nothing: it was refused, or never got there."""
        self._end(Ending(status, Usage(), 0.0, whole=True, down=down, at=time.time_ns()))

    def over(self, status: int, counter: Counter) -> None:
        """End one that was answered, as far as the answer came."""
        counter.end()
        if counter.whole:
            model = counter.model or self.row.model
            cost = _dollars(model, self.row.model, counter.usage)
            end = Ending(status, counter.usage, cost, True, counter.size, time.time_ns())
            self._end(end)
        else:
            self._end(estimate(self.row, counter.usage, status=status, down=counter.size))

    def lost(self) -> None:
        """End one of which nobody knows whether the API took it."""
        self._end(estimate(self.row, Usage()))

    @property
    def known_price(self) -> bool:
        return price_of(self.row.model) is not None

    def _end(self, ending: Ending) -> None:
        if not self._ended:
            self._ended = True
            self._books.end(self.row, ending)


def estimate(call: NewCall, seen: Usage, *, status: int = 0, down: int = 0) -> Ending:
    """Return what a call is booked with whose end was not seen: rather too much than too little."""
    known = seen != Usage()
    used = Usage(
        input_tokens=seen.input_tokens if known else call.up // _BYTES_A_TOKEN,
        output_tokens=max(
            seen.output_tokens,
            down // _STREAM_BYTES_A_TOKEN if down else _USUAL_OUTPUT,
        ),
        cache_read=seen.cache_read,
        cache_write=seen.cache_write,
        cache_write_1h=seen.cache_write_1h,
        searches=seen.searches,
        fast=seen.fast,
    )
    cost = dollars(call.model, used)
    return Ending(status, used, cost, whole=False, down=down, at=time.time_ns())


def _dollars(answered: str, asked: str, usage: Usage) -> float:
    """Return the cost by the model that answered; by the one that was asked if only that is known.

    A company's gateway may call a model otherwise than its answers do.
    """
    return dollars(answered if price_of(answered) else asked, usage)
