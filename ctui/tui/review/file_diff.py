"""Changes of one file as sanitised lines without width or colour. Pure; made in a thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ctui.text import one_line, sanitise
from ctui.tui.text.highlight import highlighted, language_of
from ctui.tui.text.highlight_budget import HighlightBudget
from ctui.tui.text.lines import Span
from ctui.worktrees.review.anchors import quotable
from ctui.worktrees.review.comparison import ChangedFile, name_of, remarks
from ctui.worktrees.review.hunks import Hunk, HunkLine, Mark, Patch
from ctui.worktrees.review.intra_line import Part, pairs

LONGEST_LINE = 2_000
"""Characters of a line that are shown."""

_TAB = 4
_HEADING = 200
_PATH = 400


class DiffLine(NamedTuple):
    """A line of a hunk."""

    mark: Mark
    old: int
    """Its number before the change; 0 where it was not there."""
    new: int
    text: str
    """Sanitised, without tabs."""
    quote: str
    """As a comment quotes it; not sanitised."""
    parts: tuple[Part, ...] = ()
    """Characters that its counterpart does not have."""


class DiffHunk(NamedTuple):
    """A piece of a file around changes."""

    start: int
    """Index of its first line in the file's."""
    end: int
    heading: str
    sides: tuple[tuple[int, int], ...]
    """Lines beside each other, by index; -1 where a side has none."""


class FileDiff(NamedTuple):
    """All that is shown of a file."""

    file: ChangedFile
    lines: Sequence[DiffLine]
    hunks: Sequence[DiffHunk]
    remarks: Sequence[str]
    colours: Sequence[tuple[Span, ...]] = ()
    """Spans of each line; none before they were looked for."""
    digits: int = 1
    """Cells that the largest number of a line needs."""


def shown_path(path: bytes) -> str:
    """Return a path on one line, safe to show."""
    return one_line(name_of(path), _PATH)


def file_diff(file: ChangedFile, patch: Patch) -> FileDiff:
    """Return what is shown of a file."""
    lines: list[DiffLine] = []
    hunks: list[DiffHunk] = []
    # Where each line of a file ends so, it says nothing.
    endings = not all(
        line.text.endswith(b"\r") for hunk in patch.hunks for line in hunk.lines if line.text
    )
    for hunk in patch.hunks:
        start = len(lines)
        numbered = list(_numbered(hunk, endings=endings))
        sides = tuple(_sides(numbered, start))
        lines += numbered
        heading = one_line(hunk.heading.decode("utf-8", "replace"), _HEADING)
        hunks.append(DiffHunk(start, len(lines), heading, sides))
    said = [one_line(remark, _PATH) for remark in remarks(file, patch)]
    if file.old_path != file.path:
        said.pop(0)  # both names stand above it
    largest = max((max(line.old, line.new) for line in lines), default=1)
    return FileDiff(file, lines, hunks, said, digits=len(str(largest)))


def coloured(diff: FileDiff) -> FileDiff:
    """Return it with the colours of its code, as far as there is a budget for them."""
    language = language_of(name_of(diff.file.path))
    found: list[tuple[Span, ...]] = [()] * len(diff.lines)
    budget = HighlightBudget(rows=4_000, characters=120_000)
    for hunk in diff.hunks if language else ():
        for mark in "+-":  # both sides are code of their own; what they share is coloured once
            wanted = [
                index
                for index in range(hunk.start, hunk.end)
                if diff.lines[index].mark in {" ", mark}
            ]
            if mark == "-" and all(diff.lines[index].mark == " " for index in wanted):
                continue
            rows = [diff.lines[index].text for index in wanted]
            taken = budget.take(rows)
            if not taken:
                continue
            spans = highlighted(budget.visible(rows[:taken]), language).rows
            for index, row in zip(wanted, spans, strict=False):
                if mark == "+" or diff.lines[index].mark == "-":
                    found[index] = row
    return diff._replace(colours=found)


def _numbered(hunk: Hunk, *, endings: bool) -> Iterator[DiffLine]:
    old, new = hunk.old_start, hunk.new_start
    for line in hunk.lines:
        text, quote = _text(line, endings=endings), quotable(line.text)
        was, now = (old if line.mark != "+" else 0), (new if line.mark != "-" else 0)
        yield DiffLine(line.mark, was, now, text, quote)
        old += bool(was)
        new += bool(now)


def _text(line: HunkLine, *, endings: bool) -> str:
    data = line.text
    ending = ""
    if data.endswith(b"\r"):
        data = data[:-1]
        ending = "␍" if endings else ""
    if not line.ended and line.mark != " ":
        ending += "  (no line end)"
    left_out = len(data) - LONGEST_LINE
    if left_out > 0:
        data = data[:LONGEST_LINE]
        ending = f"… {left_out:,} more bytes"
    text = sanitise(data.decode("utf-8", "replace")).replace("\n", "␊")
    return text.expandtabs(_TAB) + ending


def _sides(lines: list[DiffLine], start: int) -> Iterator[tuple[int, int]]:
    """Yield which lines stand beside each other, and mark in the list in which parts they differ.

    A line stands beside what it has become; where that is not known, beside any other.
    """
    place = 0
    while place < len(lines):
        if lines[place].mark == " ":
            yield start + place, start + place
            place += 1
            continue
        middle = place
        while middle < len(lines) and lines[middle].mark == "-":
            middle += 1
        end = middle
        while end < len(lines) and lines[end].mark == "+":
            end += 1
        old, new = place, middle
        found = pairs(
            [line.text for line in lines[place:middle]], [line.text for line in lines[middle:end]]
        )
        for removed, added, differing in found:
            here, there = place + removed, middle + added
            lines[here] = lines[here]._replace(parts=differing.old)
            lines[there] = lines[there]._replace(parts=differing.new)
            yield from _beside(start, old, here, new, there)
            yield start + here, start + there
            old, new = here + 1, there + 1
        yield from _beside(start, old, middle, new, end)
        place = end


def _beside(start: int, old: int, until: int, new: int, end: int) -> Iterator[tuple[int, int]]:
    for step in range(max(until - old, end - new)):
        left = start + old + step if old + step < until else -1
        yield left, start + new + step if new + step < end else -1
