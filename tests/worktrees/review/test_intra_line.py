"""What differs within a line is marked, and nothing that a task writes makes that slow."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctui.worktrees.review.intra_line import Part, differing, pairs

TEXT = st.text(st.sampled_from("ab _(),. é中"), max_size=60)


def without(text: str, parts: tuple[Part, ...]) -> str:
    for part in reversed(parts):
        text = text[: part.start] + text[part.end :]
    return text


@given(TEXT, TEXT)
def test_without_what_differs_two_lines_are_the_same(old: str, new: str) -> None:
    found = differing(old, new)
    assert without(old, found.old) == without(new, found.new)
    for text, parts in ((old, found.old), (new, found.new)):
        assert all(0 <= part.start < part.end <= len(text) for part in parts)
        assert list(parts) == sorted(parts)


@pytest.mark.parametrize(
    ("old", "new", "differs"),
    [
        ("return redirect(LOGIN)", "return redirect(LOGIN, next=path)", ([], [", next=path"])),
        ("value = old_name", "value = old_names", (["old_name"], ["old_names"])),
        ("a = 1", "a = 2", (["1"], ["2"])),
        ("old_name = 1", "new_name = 1", (["old_name"], ["new_name"])),
        ("ab", "aab", (["ab"], ["aab"])),
        ("same", "same", ([], [])),
    ],
)
def test_words_are_marked_as_a_whole(
    old: str, new: str, differs: tuple[list[str], list[str]]
) -> None:
    found = differing(old, new)
    assert [old[part.start : part.end] for part in found.old] == differs[0]
    assert [new[part.start : part.end] for part in found.new] == differs[1]


def test_a_line_is_paired_with_what_it_has_become() -> None:
    removed = ["def load(path):", "    return read(path)"]
    added = ["# new", "def load(path, limit):", "    return read(path, limit)"]
    assert [(old, new) for old, new, _ in pairs(removed, added)] == [(0, 1), (1, 2)]
    assert list(pairs(["completely"], ["(other) 1 + 2"])) == []


def test_long_lines_take_time_that_grows_with_their_length() -> None:
    def took(size: int) -> float:
        old, new = "a b " * size + "x" + "c " * size, "a b " * size + "y" + " c" * size
        return min(_timed(old, new) for _ in range(3))

    took(1_000)
    assert took(80_000) / took(10_000) < 40  # the square would be 64


def _timed(old: str, new: str) -> float:
    begun = time.perf_counter()
    differing(old, new)
    return time.perf_counter() - begun
