"""Parts in which a changed line differs from the one that it was, in bounded time. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

_TOKEN = re.compile(r"\w+|\s+|.", re.DOTALL)
_WORD = re.compile(r"\w{1,80}")
_MOST_TOKENS = 150
"""Tokens of each line that are compared one by one: their comparison takes the square of this."""
_MOST_LINES = 60
"""Lines of a block on either side that are compared with each other."""
_NEAR = 4
"""Lines further on that one may have become, where others were put in front of it."""
_ALIKE = 0.5
"""Least share of two lines that has to be the same for one to be what the other has become."""


class Part(NamedTuple):
    """Characters of a line."""

    start: int
    end: int


class Differing(NamedTuple):
    """Parts of a line before and after its change that the other one does not have."""

    old: tuple[Part, ...]
    new: tuple[Part, ...]
    alike: float
    """Share of their characters that both have, from 0 to 1."""


def pairs(removed: Sequence[str], added: Sequence[str]) -> Iterator[tuple[int, int, Differing]]:
    """Yield which added line a removed one of the same block has become, and how they differ.

    Lines that have too little in common are no pair. Both grow from pair to pair.
    """
    if len(removed) > _MOST_LINES or len(added) > _MOST_LINES:
        return
    place = 0
    for index, old in enumerate(removed):
        furthest = min(len(added), place + _NEAR)
        if len(removed) == len(added):
            place, furthest = index, index + 1
        for other in range(place, furthest):
            found = differing(old, added[other])
            if found.alike >= _ALIKE:
                yield index, other, found
                place = other + 1
                break


def differing(old: str, new: str) -> Differing:
    """Return the parts in which two lines differ."""
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    # Whole words: a word that has one letter more is another word.
    start -= _word(old[:start][::-1]) if _cuts_word(old, new, start) else 0
    end -= _word(old[len(old) - end :]) if _cuts_word(old[::-1], new[::-1], end) else 0
    before, after = old[start : len(old) - end], new[start : len(new) - end]
    ours, theirs = _TOKEN.findall(before), _TOKEN.findall(after)
    if len(ours) > _MOST_TOKENS or len(theirs) > _MOST_TOKENS:
        same = start + end
        return Differing(_whole(start, before), _whole(start, after), _share(same, old, new))
    left, right = _offsets(start, ours), _offsets(start, theirs)
    olds: list[Part] = []
    news: list[Part] = []
    same = start + end
    for kind, a, b, c, d in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if kind == "equal":
            same += left[b] - left[a]
            continue
        _extend(olds, left[a], left[b])
        _extend(news, right[c], right[d])
    return Differing(tuple(olds), tuple(news), _share(same, old, new))


def _common(one: str, other: str) -> int:
    """Return how many characters two texts begin with alike."""
    least = min(len(one), len(other))
    if one[:least] == other[:least]:
        return least
    low, high = 0, least
    while high - low > 1:  # comparing slices is many times as fast as comparing characters
        middle = (low + high) // 2
        low, high = (middle, high) if one[low:middle] == other[low:middle] else (low, middle)
    return low


def _cuts_word(one: str, other: str, place: int) -> bool:
    """Return True if a place up to which two texts are the same is within a word of either."""
    return bool(place) and any(_WORD.match(text[place : place + 1]) for text in (one, other))


def _word(text: str) -> int:
    """Return how many characters of a word a text begins with; of an endless one the first."""
    match = _WORD.match(text)
    return match.end() if match else 0


def _offsets(start: int, tokens: Sequence[str]) -> list[int]:
    found = [start]
    for token in tokens:
        found.append(found[-1] + len(token))
    return found


def _whole(start: int, text: str) -> tuple[Part, ...]:
    return (Part(start, start + len(text)),) if text else ()


def _extend(parts: list[Part], start: int, end: int) -> None:
    if start == end:
        return
    if parts and parts[-1].end == start:
        start = parts.pop().start
    parts.append(Part(start, end))


def _share(same: int, old: str, new: str) -> float:
    total = len(old.strip()) + len(new.strip())
    blank = len(old) + len(new) - total
    return max(0.0, min(1.0, (2 * same - blank) / total)) if total else 1.0
