"""Blocks of more rows than are kept: both ends are shown, and what is missing is said."""

from __future__ import annotations

import pytest
from rich.style import Style

from ctui.claude.transcript.blocks import LongText, Speech
from ctui.tui.text.lines import STYLES, Line
from ctui.tui.transcript.block_rows import BlockRows
from ctui.tui.transcript.long_rows import MOST_ROWS, LongRows

_ENOUGH = 120
"""Lines that are more rows than are kept, also where these are wide."""
_PALETTE = {"": Style.null()} | {name: Style.null() for name in STYLES}


def _texts(rows: LongRows) -> list[str]:
    return [strip.text.rstrip() for strip in rows.rows().strips]


def _lines(count: int) -> list[Line]:
    return [Line(f"line {number}") for number in range(count)]


def test_what_fits_is_shown_whole() -> None:
    rows = LongRows(60, _PALETTE)
    rows.add(_lines(3_000))
    assert _texts(rows) == [line.text for line in _lines(3_000)]


def test_of_more_both_ends_are_shown_and_the_rest_is_counted() -> None:
    rows = LongRows(60, _PALETTE)
    rows.add(_lines(8_000))
    first, mark, last = _texts(rows)[:1_500], _texts(rows)[1_500], _texts(rows)[1_501:]
    assert first == [f"line {number}" for number in range(1_500)]
    assert mark == "… 5,000 more lines: too many to be shown here …"
    assert last == [f"line {number}" for number in range(6_500, 8_000)]


@pytest.mark.parametrize("width", [8, 30, 80])
def test_in_pieces_it_is_the_same_and_never_more_than_a_block_may_have(width: int) -> None:
    lines = [Line("中" * (number * 37 % 4_000)) for number in range(_ENOUGH)]
    whole, pieces = LongRows(width, _PALETTE), LongRows(width, _PALETTE)
    whole.add(lines)
    assert sum(len(line.text) * 2 for line in lines) > MOST_ROWS * width
    for start in range(0, _ENOUGH, 7):
        pieces.add(lines[start : start + 7])
        assert len(pieces.rows().strips) <= MOST_ROWS
    assert pieces.rows() == whole.rows()
    assert pieces.rows(lines[:9]).strips[-1] == LongRows(width, _PALETTE).rows(lines[:9]).strips[-1]


def test_a_speech_that_is_still_written_goes_on_moving_and_keeps_no_more() -> None:
    rows = BlockRows()
    rows.restyle(60, _PALETTE)
    speech = Speech(id=1, run=1, time=0, text=LongText(), open=True)
    for number in range(60):
        speech.text.append("".join(f"row {number}.{place}\n\n" for place in range(100)))
        rows.forget(1)
        shown = rows.of(speech)
        assert shown.strips[-2].text.rstrip() == f"row {number}.99"
        assert len(shown.strips) <= MOST_ROWS
    live = [strip.text for strip in shown.strips]
    assert any("more lines: too many" in text for text in live)


def test_a_finished_speech_of_very_many_rows_has_its_end() -> None:
    rows = BlockRows()
    rows.restyle(60, _PALETTE)
    text = LongText("".join(f"- row {number}\n" for number in range(100_000)))
    shown = [row.text.rstrip() for row in rows.of(Speech(id=1, run=1, time=0, text=text)).strips]
    assert shown[0].endswith("row 0")
    assert shown[-2].endswith("row 99999")
