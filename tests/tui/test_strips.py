"""Lines become rows of one width, and no character is lost on the way."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given
from rich.cells import cell_len
from rich.style import Style

from ctui.tui.text.lines import STYLES, Line, Span, Wrap
from ctui.tui.transcript.strips import CUT, WRAPPED, lay_out

PALETTE = {"": Style(), **{name: Style(bold=True) for name in STYLES}}
_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=120)


@given(_TEXT, st.sampled_from(list(Wrap)), st.integers(10, 40))
def test_every_row_is_as_wide_as_the_screen(text: str, wrap: Wrap, width: int) -> None:
    rows = lay_out([Line(text, wrap=wrap, first="• ", rest="  ")], width, PALETTE)
    assert {strip.cell_length for strip in rows.strips} == {width}
    assert len(rows.soft) == len(rows.strips)
    assert rows.soft[0] == 0


@given(st.text("ab cd", max_size=200), st.integers(10, 40))
def test_every_word_is_shown(text: str, width: int) -> None:
    rows = lay_out([Line(text)], width, PALETTE)
    shown = "".join(strip.text for strip in rows.strips)
    assert shown.replace(" ", "") == text.replace(" ", "")


def test_prose_breaks_between_words_and_code_at_the_edge() -> None:
    prose = lay_out([Line("one two three four")], 10, PALETTE)
    assert [strip.text.rstrip() for strip in prose.strips] == ["one two", "three four"]
    assert list(prose.soft) == [0, WRAPPED]
    code = lay_out([Line("0123456789abc", wrap=Wrap.CELLS)], 10, PALETTE)
    assert [strip.text.rstrip() for strip in code.strips] == ["0123456789", "abc"]
    assert list(code.soft) == [0, CUT]


def test_further_rows_hang_below_the_first() -> None:
    rows = lay_out([Line("one two three", first="- ", rest="  ")], 10, PALETTE)
    assert [strip.text.rstrip() for strip in rows.strips] == ["- one two", "  three"]


def test_a_span_keeps_its_style_across_rows() -> None:
    rows = lay_out([Line("aaaa bbbb cccc", (Span(5, 14, "strong"),))], 9, PALETTE)
    bold = [
        segment.text.strip()
        for strip in rows.strips
        for segment in strip
        if segment.style and segment.style.bold and segment.text.strip()
    ]
    assert bold == ["bbbb", "cccc"]


def test_a_wide_character_is_never_cut_in_two() -> None:
    rows = lay_out([Line("世界" * 20, wrap=Wrap.CELLS)], 15, PALETTE)
    assert all(cell_len(strip.text) == 15 for strip in rows.strips)
    assert "".join(strip.text.strip() for strip in rows.strips) == "世界" * 20


def test_a_line_without_end_is_cut_and_says_so() -> None:
    rows = lay_out([Line("x" * 2_000_000, wrap=Wrap.CELLS)], 80, PALETTE)
    assert len(rows.strips) < 60
    assert "1,996,000 more characters" in rows.strips[-1].text
