"""Heights agree with counting from the top, whatever is done to them."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from ctui.tui.transcript.heights import Heights

_HEIGHT = st.integers(0, 9)
_CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("tail"), st.integers(0, 30), st.lists(_HEIGHT, max_size=12)),
        st.tuples(st.just("set"), st.integers(0, 30), _HEIGHT),
    ),
    max_size=12,
)


@given(_CHANGES)
def test_tops_and_places_are_those_of_a_plain_list(changes: list[tuple[str, int, object]]) -> None:
    heights, plain = Heights(), list[int]()
    for what, place, value in changes:
        if what == "tail" and isinstance(value, list):
            start = min(place, len(plain))
            heights.replace_tail(start, value)
            plain[start:] = value
        elif plain and isinstance(value, int):
            index = place % len(plain)
            heights.set(index, value)
            plain[index] = value
            assert heights.is_exact(index)
    assert [heights[index] for index in range(len(heights))] == plain
    assert [heights.top(index) for index in range(len(plain) + 1)] == [
        sum(plain[:index]) for index in range(len(plain) + 1)
    ]
    assert heights.total == sum(plain)
    for index, height in enumerate(plain):
        for within in range(height):
            assert heights.find(sum(plain[:index]) + within) == (index, within)
    assert heights.find(sum(plain))[0] == len(plain)


def test_what_changed_is_doubted_until_it_is_measured_again() -> None:
    heights = Heights()
    heights.replace_tail(0, [1, 2, 3])
    heights.set(1, 5)
    heights.doubt(1)
    assert not heights.is_exact(1)
    assert heights.total == 9
    heights.set(2, 3)
    heights.doubt_all()
    assert not any(heights.is_exact(index) for index in range(3))
