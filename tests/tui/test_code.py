from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctui.tui.text import code as subject
from ctui.tui.text.code import language_of
from ctui.tui.text.highlight_budget import HighlightBudget
from ctui.tui.text.languages import LANGUAGES, LIKE
from ctui.tui.text.lines import Line, Wrap
from tests.tui.shape import assert_well_formed, shown, styled, texts

_LANGUAGES = st.sampled_from(["python", "c", "js", "html", "json", "diff", "rst", "", "nonsense"])


def code_lines(code: str, language: str, first: str = "") -> list[Line]:
    return subject.code_lines(code, language, HighlightBudget(), first=first)


def diff_lines(hunk: list[str], language: str, old: int, new: int) -> list[Line]:
    return subject.diff_lines(hunk, language, old, new, HighlightBudget())


def test_code_has_the_colours_of_its_language() -> None:
    (line,) = code_lines('def f(): return "a" + 1  # why', "python")
    assert styled(line) == [
        ("def", "keyword"),
        ("f", "function"),
        ("return", "keyword"),
        ('"a"', "string"),
        ("1", "number"),
        ("# why", "comment"),
    ]
    assert line.style == "block"
    assert line.wrap is Wrap.CELLS


def test_a_string_over_several_rows_is_a_string_in_each() -> None:
    lines = code_lines('x = """one\n\n  two"""', "python")
    assert [styled(line) for line in lines] == [
        [('"""one', "string")],
        [],
        [('  two"""', "string")],
    ]


@pytest.mark.parametrize("language", ["", "nonsense", "x" * 10_000])
def test_an_unknown_language_has_no_colours(language: str) -> None:
    (line,) = code_lines("def f(): pass", language)
    assert line.spans == ()


def test_a_very_long_code_has_all_its_rows_and_colours_at_its_beginning() -> None:
    lines = code_lines("def f(): pass\n" * 20_000, "python")
    assert len(lines) == 20_000
    assert all(line.spans for line in lines[:400])
    assert not any(line.spans for line in lines[400:])


def test_what_is_coloured_is_bounded_in_characters_too() -> None:
    lines = code_lines(f"x = '{'a' * 100}'\n" * 300, "python")
    assert [bool(line.spans) for line in lines] == [True] * 112 + [False] * 188


def test_the_budget_is_for_all_code_of_a_block() -> None:
    budget = HighlightBudget(rows=3)
    coloured = [
        bool(line.spans)
        for line in (
            *subject.code_lines("def f()\n" * 2, "python", budget),
            *subject.diff_lines([" def f()"] * 2, "python", 1, 1, budget),
        )
    ]
    assert coloured == [True, True, True, False]


def test_a_row_that_is_too_long_for_a_lexer_is_plain_and_the_others_are_not() -> None:
    lines = code_lines(f"def f(): pass\nx = '{'a' * 300}'\ndef f(): pass", "python")
    assert [bool(line.spans) for line in lines] == [True, False, True]


def test_a_very_long_row_says_how_much_of_it_is_missing() -> None:
    (line,) = code_lines(f'"{"a" * 5_000}"', "python")
    assert line.text == f'"{"a" * 3_999}… [1002 more characters]'


def test_a_string_is_not_torn_where_a_lexer_gets_the_next_piece() -> None:
    function = 'def f():\n    """Explain.\n\n    for all\n    """\n    return 1\n\n\n'
    lines = code_lines(function * 40, "python")
    assert [styled(line) for line in lines[:8]] * 40 == [styled(line) for line in lines]


_HOSTILE = ("A", " ", "a.", "-", '\\"', "/*")


@pytest.mark.parametrize("language", sorted([*LANGUAGES, *LIKE]))
def test_no_lexer_hangs(language: str) -> None:
    for unit in _HOSTILE:
        for code in ((unit * 150 + "\n") * 40, f"{unit}\n" * 400):
            began = time.process_time()
            code_lines(code, language)
            assert time.process_time() - began < 1, (unit, code[:300].count("\n"))


def test_rows_are_those_of_the_source() -> None:
    assert code_lines("", "python") == []
    assert shown(code_lines("\n", "python")) == [""]
    assert shown(code_lines("\n\na\n\n", "python")) == ["", "", "a", ""]


def test_tabs_are_blanks_up_to_the_next_stop() -> None:
    assert shown(code_lines("\ta\tb\n  \tc", "make")) == ["    a   b", "    c"]


def test_a_prefix_is_in_front_of_every_row() -> None:
    (line,) = code_lines("a", "", first="中 ")
    assert (line.first, line.rest) == ("中 ", "   ")


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("src/a.py", "python"),
        ("Makefile", "make"),
        ("deep/Dockerfile", "docker"),
        ("a.rs", "rust"),
        ("LICENSE", ""),
        ("", ""),
        ("no/such.kind-of-file", ""),
    ],
)
def test_a_language_is_known_by_the_name_of_the_file(path: str, language: str) -> None:
    assert language_of(path) == language


def test_a_hunk_has_numbers_and_marks_in_front() -> None:
    hunk = [" def f():", "-    return 1", "+    return 2", "+", " ", "\\ No newline at end of file"]
    lines = diff_lines(hunk, "python", 8, 98)
    assert shown(lines) == [
        " 98   def f():",
        "  9 -     return 1",
        " 99 +     return 2",
        "100 + ",
        "101   ",
        "      \\ No newline at end of file",
    ]
    assert [line.style for line in lines] == ["block", "removed", "added", "added", "block", "dim"]
    assert styled(lines[0]) == [("def", "keyword"), ("f", "function")]


def test_the_colours_of_a_hunk_are_those_of_the_code_after_the_change() -> None:
    lines = diff_lines(['-x = """', "+x = 1", " y = 2"], "python", 1, 1)
    assert styled(lines[2]) == [("2", "number")]


@given(texts(['"""', "/*", "'", "<script>", "{%"]), _LANGUAGES)
def test_any_code_is_shown_whole_and_well_formed(code: str, language: str) -> None:
    lines = code_lines(code, language, first="  ")
    assert_well_formed(lines)
    rows = code.removesuffix("\n").split("\n") if code else []
    assert [line.text for line in lines] == [row.expandtabs(4) for row in rows]


@given(texts(["\n+", "\n-", "\n "]), _LANGUAGES, st.integers(0, 10**6), st.integers(0, 10**6))
def test_any_hunk_is_shown_whole_and_well_formed(
    hunk: str, language: str, old: int, new: int
) -> None:
    rows = hunk.split("\n")
    lines = diff_lines(rows, language, old, new)
    assert_well_formed(lines)
    assert len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        assert (line.first + line.text).endswith(row[1:].expandtabs(4))
