"""Prices of tokens as of a date: data that ages; pure.

Dollars for a million tokens. The CLI has a table of its own; a test compares what a turn costs by
both.
"""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

from ctui.gateway.books.rows import Usage

AS_OF = date(2026, 11, 29)
"""Day on which the table was last compared with https://claude.com/pricing#api."""

_SEARCH = 0.01
"""Dollars of one search of the web."""


class Price(NamedTuple):
    """Price of a model's tokens; what has to do with caches is a multiple of `read`."""

    read: float
    written: float

    def dollars(self, usage: Usage) -> float:
        """Return what a call costs."""
        read = (
            usage.input_tokens
            + 1.25 * usage.cache_write
            + 2 * usage.cache_write_1h
            + 0.1 * usage.cache_read
        )
        tokens = (self.read * read + self.written * usage.output_tokens) / 1_000_000
        return tokens + _SEARCH * usage.searches


_OPUS = Price(5, 25)
_OLD_OPUS = Price(15, 75)
_SONNET = Price(3, 15)

PRICES = {
    "claude-mythos-5": Price(10, 50),
    "claude-opus-4-8": _OPUS,
    "claude-opus-4-7": _OPUS,
    "claude-opus-4-6": _OPUS,
    "claude-opus-4-5": _OPUS,
    "claude-opus-4-1": _OLD_OPUS,
    "claude-opus-4": _OLD_OPUS,
    "claude-3-opus": _OLD_OPUS,
    "claude-sonnet-5": _SONNET,
    "claude-sonnet-4-6": _SONNET,
    "claude-sonnet-4-5": _SONNET,
    "claude-sonnet-4": _SONNET,
    "claude-3-7-sonnet": _SONNET,
    "claude-3-5-sonnet": _SONNET,
    "claude-haiku-4-5": Price(1, 5),
    "claude-3-5-haiku": Price(0.8, 4),
    "claude-3-haiku": Price(0.25, 1.25),
}

_FAST = {
    "claude-opus-4-8": Price(10, 50),
    "claude-opus-4-7": Price(30, 150),
    "claude-opus-4-6": Price(30, 150),
}
"""Of answers at the higher speed."""

UNKNOWN = _OLD_OPUS
"""Of a model that is not in the table: dear, so that a budget is rather reached too early."""

_SUFFIX = re.compile(r"(?:[-@]\d{8})?(?:-v\d+)?(?::\d+)?(?:\[1m\])?(?:-latest)?")
"""End of a name after the model: a date, Bedrock's version, the CLI's wish for a larger window."""


def price_of(model: str, *, fast: bool = False) -> Price | None:
    """Return the price of a model by any of the names that it goes by; None if it is unknown."""
    begin = model.find("claude-")
    if begin < 0:
        return None
    name = _without_suffix(model[begin:])
    return (_FAST.get(name) if fast else None) or PRICES.get(name)


def _without_suffix(name: str) -> str:
    """Return the model of the table that a name begins with, if only a suffix follows."""
    for known in sorted(PRICES, key=len, reverse=True):
        if name.startswith(known) and _SUFFIX.fullmatch(name[len(known) :]):
            return known
    return name


def dollars(model: str, usage: Usage) -> float:
    """Return what a call costs, dear where the model is unknown."""
    return (price_of(model, fast=usage.fast) or UNKNOWN).dollars(usage)
