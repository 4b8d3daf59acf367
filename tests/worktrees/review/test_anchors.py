"""Quoted lines are found again where they are now."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctui.worktrees.review.anchors import Anchor, find_lines

LINES = st.lists(st.sampled_from(["", "a", "b"]), max_size=12)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (["a", "b", "c"], Anchor("here", 2)),
        (["new", "a", "b", "c"], Anchor("moved", 3)),
        (["b", "c", *"xxxxxx", "b", "c"], Anchor("moved", 1)),
        (["a", "b", "changed"], Anchor("gone", 2)),
        ([], Anchor("gone", 2)),
    ],
)
def test_the_nearest_place_counts(content: list[str], found: Anchor) -> None:
    assert find_lines(["b", "c"], content, 2) == found


@given(LINES, LINES, st.integers(1, 20))
def test_what_is_found_is_there(quote: list[str], content: list[str], first: int) -> None:
    found = find_lines(quote, content, first)
    there = content[found.first - 1 : found.first - 1 + len(quote)]
    if found.state == "gone":
        windows = range(len(content) - len(quote) + 1)
        assert not quote or all(content[at : at + len(quote)] != quote for at in windows)
    else:
        assert there == quote
