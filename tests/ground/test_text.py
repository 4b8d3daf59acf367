from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctui.text import one_line, sanitise


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]52;c;aGk=\x1b\\after", "after"),
        ("\x9b31mred", "red"),
        ("a\x1bc", "a"),
        ("bell\x07", "bell\u2407"),
        ("lone \x1b", "lone \u241b"),
        ("pay\u202eload", "pay\ufffdload"),
        ("zero\u200bwidth", "zerowidth"),
        ("tag\U000e0041", "tag"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("\ud800", "\ufffd"),
        ("tab\tstays\n", "tab\tstays\n"),
        ("👨\u200d👩 é 中", "👨\u200d👩 é 中"),
    ],
)
def test_hostile_text_is_shown_harmlessly(hostile: str, shown: str) -> None:
    assert sanitise(hostile) == shown


@given(st.text())
def test_nothing_that_steers_a_terminal_or_the_reading_order_is_left(text: str) -> None:
    for character in sanitise(text):
        steers = unicodedata.category(character) in {"Cc", "Cs"} and character not in "\n\t"
        assert not steers
        assert unicodedata.bidirectional(character) not in {"LRE", "RLE", "LRO", "RLO", "PDF"}


@given(st.text(), st.integers(min_value=1, max_value=200))
def test_one_line_is_one_line_and_fits(text: str, width: int) -> None:
    line = one_line(text, width)
    assert "\n" not in line
    assert len(line) <= width
