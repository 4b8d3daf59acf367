"""What must be true of every line, whatever it was made from."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import strategies as st
from rich.cells import cell_len

from ctui.text import sanitise
from ctui.tui.text.lines import STYLES, Line

_MARKS = [*"*_~`[]()<>!#|-+=\\&:. \n\t1aé中", "```", "~~~", "    ", "\n\n", "- ", "> ", "|-|"]


def texts(marks: Iterable[str] = ()) -> st.SearchStrategy[str]:
    """Sanitised text of any kind, with what may have a meaning in Markdown or in code."""
    pieces = st.lists(st.sampled_from([*_MARKS, *marks]) | st.text(max_size=3), max_size=60)
    return pieces.map(lambda parts: sanitise("".join(parts)))


def assert_well_formed(lines: Iterable[Line]) -> None:
    for line in lines:
        for text in (line.text, line.first, line.rest):
            assert "\n" not in text
            assert "\t" not in text
            assert sanitise(text) == text
        assert cell_len(line.first) == cell_len(line.rest)
        assert line.style in {"", *STYLES}
        done = 0
        for span in line.spans:
            assert done <= span.start < span.end <= len(line.text)
            assert span.style in STYLES
            done = span.end


def shown(lines: Iterable[Line]) -> list[str]:
    """What a reader sees, a string for each line."""
    return [line.first + line.text for line in lines]


def styled(line: Line) -> list[tuple[str, str]]:
    """The parts of a line that have a style, each with its style."""
    return [(line.text[span.start : span.end], span.style) for span in line.spans]
