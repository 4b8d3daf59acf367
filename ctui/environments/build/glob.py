"""Patterns of a `.dockerignore`, matched in a time that no pattern makes long.

They mean what they do to docker's SDK, whose regular expressions try every way to divide a name
among the stars of a pattern: a line of twenty signs takes hours, in which nothing else runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_TOKEN = re.compile(r"\*\*/?$|\*\*/?|\*|\?|\[!?\]?[^\]]{0,200}\]|.", re.DOTALL)
"""A set of more than 200 signs is none: a row of `[` would take the square of its length."""
_STARS = re.compile(r"\*\*/?|\*")
_FEW = 2
_FOLDERS = ".*/"


def is_costly(pattern: str) -> bool:
    """Return True for a pattern that is not left to a regular expression."""
    return len(_STARS.findall(pattern)) > _FEW


def matcher(pattern: str) -> Callable[[str], bool]:
    """Return a function that says whether a path matches: one look at each sign of it."""
    tokens = list(_tokens(pattern))
    folders = {place for place, (one, _) in enumerate(tokens) if one == _FOLDERS}
    takes = [re.compile(one, re.DOTALL).fullmatch for one, _ in tokens]

    def reached(places: set[int]) -> set[int]:
        """Add the places behind stars, which may stand for nothing."""
        for place in sorted(places):
            here = place
            while here < len(tokens) and tokens[here][1]:
                here += 1
                places.add(here)
        return places

    def matches(path: str) -> bool:
        places, inside = reached({0}), set[int]()
        for sign in path:
            inside.update(place for place in places if place in folders)
            following = {place + 1 for place in inside} if sign == "/" else set[int]()
            for place in places - folders:
                if place < len(tokens) and takes[place](sign):
                    following.add(place if tokens[place][1] else place + 1)
            places = reached(following)
            if not places and not inside:
                return False
        return len(tokens) in places

    return matches


def _tokens(pattern: str) -> Iterator[tuple[str, bool]]:
    """Yield what stands for one sign, and whether it may be there any number of times.

    `**` in the middle is any number of folders, at the end everything.
    """
    for match in _TOKEN.finditer(pattern):
        one = match[0]
        if one.startswith("**"):
            yield "." if match.end() == len(pattern) else _FOLDERS, True
        elif one == "*":
            yield "[^/]", True
        elif one == "?":
            yield "[^/]", False
        elif one.startswith("[") and len(one) > 1:
            inner = one[1:-1].replace("\\", "\\\\")
            inner = (
                f"^{inner[1:]}" if inner[0] == "!" else f"\\{inner}" if inner[0] == "^" else inner
            )
            yield f"[{inner}]", False
        else:
            yield re.escape(one), False
