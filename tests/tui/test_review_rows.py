"""Rows of a review: every line is there once, and each is as high as it is painted."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.style import Style

from ctui.text import sanitise
from ctui.tui.review.diff_paint import LEAST_SPLIT
from ctui.tui.review.diff_window import DiffWindow, Place
from ctui.tui.review.file_diff import FileDiff, coloured, file_diff
from ctui.tui.review.file_rows import Kind
from ctui.tui.review.row_strips import STYLES as ROW_STYLES
from ctui.tui.text.lines import STYLES
from ctui.worktrees.review.hunks import Hunk, HunkLine, Mark, Patch
from tests.tui.review_parts import changed_file, thread_on

PALETTE = {name: Style() for name in ("", *STYLES, *ROW_STYLES)}
TEXT = st.binary(max_size=40) | st.text("ab 中\t\x1b[31m\u202e", max_size=200).map(str.encode)
LINE = st.builds(
    lambda mark, text, ended: HunkLine(mark, text.replace(b"\n", b""), ended),
    st.sampled_from([" ", "-", "+"]),
    TEXT,
    st.booleans(),
)
HUNK = st.builds(
    lambda start, heading, lines: Hunk(start, start, heading, lines),
    st.integers(1, 5000),
    TEXT,
    st.lists(LINE, min_size=1, max_size=12),
)
PATCH = st.lists(HUNK, max_size=4).map(lambda hunks: Patch(tuple(hunks)))


def window_of(diffs: list[FileDiff], width: int, *, split: bool) -> DiffWindow:
    window = DiffWindow()
    threads = {diff.file.name: [thread_on(diff.file.name, "Why?\x1b[2J")] for diff in diffs}
    window.show([diff.file for diff in diffs], threads, ())
    window.restyle(width, PALETTE, split=split)
    for index, diff in enumerate(diffs):
        window.take(index, diff)
    return window


def diff_of(patch: Patch, number: int = 0) -> FileDiff:
    return coloured(file_diff(changed_file(b"a%d.py" % number), patch))


@given(PATCH, st.booleans(), st.integers(LEAST_SPLIT, 200))
@settings(max_examples=60)
def test_rows_are_as_high_and_as_wide_as_they_are_painted(
    patch: Patch, split: bool, width: int
) -> None:
    diff = diff_of(patch)
    window = window_of([diff], width, split=split)
    rows = window.rows(0)
    for number, row in enumerate(rows.rows):
        place = Place(0, number)
        strips = window.strips(place)
        assert len(strips) == window.height_of(place)
        for strip in strips:
            assert strip.cell_length == width
            assert sanitise(strip.text) == strip.text
            assert "\n" not in strip.text
        assert row.kind is not Kind.DRAFT
    assert window.total == rows.height
    sides = [{row.left, row.right} - {-1} for row in rows.rows if row.kind is Kind.LINE]
    shown = [line for side in sides for line in side]
    assert sorted(shown) == list(range(len(diff.lines)))


@given(PATCH)
@settings(max_examples=60)
def test_what_stands_beside_each_other_is_in_order_and_on_its_side(patch: Patch) -> None:
    diff = diff_of(patch)
    for hunk in diff.hunks:
        for column, gone in ((0, "+"), (1, "-")):
            lines = [pair[column] for pair in hunk.sides if pair[column] >= 0]
            assert lines == sorted(set(lines))
            assert all(diff.lines[line].mark != gone for line in lines)


@pytest.mark.parametrize("split", [True, False])
def test_a_window_shows_the_same_from_wherever_it_begins(split: bool) -> None:
    marks: list[Mark] = [" ", "-", "+", "+"]
    lines = [HunkLine(mark, mark.encode() * 90) for mark in marks * 5]
    patch = Patch((Hunk(1, 1, b"def f():", lines), Hunk(90, 91, b"", lines)))
    window = window_of([diff_of(patch, number) for number in range(3)], 80, split=split)
    window.settle(0, 1000)
    whole = [strip.text for _, _, strip in window.frame(0, window.total)]
    assert len(whole) == window.total
    for top in range(window.total):
        seen = list(window.frame(top, 7))
        assert [strip.text for _, _, strip in seen] == whole[top : top + 7]
        place, within = window.at(top)
        assert (place, within) == seen[0][:2]
        assert window.line_of(place) + within == top


def test_a_file_that_is_read_late_keeps_what_is_looked_at() -> None:
    diffs = [diff_of(Patch((Hunk(1, 1, b"", [HunkLine("+", b"x")] * 30),)), n) for n in range(4)]
    window = DiffWindow()
    window.show([diff.file for diff in diffs], {}, ())
    window.restyle(80, PALETTE, split=False)
    window.take(3, diffs[3])
    place = Place(3, 5)
    before = window.line_of(place)
    window.take(0, diffs[0])
    assert window.at(window.line_of(place)) == (place, 0)
    assert window.line_of(place) > before
    walked = list(window.walk(Place(3, 0), -1))
    assert all(later < earlier for earlier, later in pairwise(walked))
    assert walked[-1] == Place(0, 0)
