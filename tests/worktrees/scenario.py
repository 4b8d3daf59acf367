"""A story with the verdict that it should get; see the modules of scenarios."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.worktrees.story import Story

Told = Callable[[Story], str | None]


class Scenario(NamedTuple):
    """A story, which gives the commit that the verdict should name, and what it should say."""

    tell: Told
    kind: str
    evidence: str
    """With `{at}` for the short form of the commit that the story gave, and `{out}` for that of
    the one that took it out again."""


SCENARIOS: list[Scenario] = []
"""In the order in which they were told."""


def told(kind: str, evidence: str) -> Callable[[Told], Told]:
    def add(tell: Told) -> Told:
        SCENARIOS.append(Scenario(tell, kind, evidence))
        return tell

    return add
