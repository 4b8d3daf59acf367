"""Plain ASCII is as wide as what it stands for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from ctui.tui.support.plain_ascii import plain


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])))
def test_the_width_stays(text: str) -> None:
    shown = plain(text)
    assert shown.isascii()
    assert cell_len(shown) == cell_len(text)


def test_what_is_used_on_the_screen_keeps_its_meaning() -> None:
    assert plain("│ ▶ fix ↑2 … ✓ ✗") == "| > fix ^2 . y x"
