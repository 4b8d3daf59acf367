from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctui.tui.text import highlight, markdown_parser
from ctui.tui.text.lines import Line
from ctui.tui.text.markdown import markdown_lines
from ctui.tui.transcript.live_markdown import LiveMarkdown
from tests.tui.shape import texts

_PROSE = "Some **bold** words, `code` and a [link](http://a.b). "


def _lines(live: LiveMarkdown) -> list[Line]:
    return live.frozen + live.tail()


def _cut(text: str, size: int) -> Iterator[str]:
    return (text[at : at + size] for at in range(0, len(text), size))


def _assert_same_at_any_time(text: str, size: int, step: int) -> None:
    live = LiveMarkdown(step=step)
    frozen: list[Line] = []
    whole = ""
    for piece in _cut(text, size):
        live.append(piece)
        whole += piece
        assert _lines(live) == markdown_lines(whole)
        assert live.frozen[: len(frozen)] == frozen
        frozen = list(live.frozen)


def test_nothing_has_no_lines() -> None:
    live = LiveMarkdown()
    assert _lines(live) == []
    live.append("\n\n")
    assert _lines(live) == []


@pytest.mark.parametrize(
    "block",
    [
        "A paragraph\nof two rows\n\n",
        "- item\n- item\n\n  more of it\n\n",
        "1. item\n\n   ```python\n   code\n   ```\n2. item\n",
        "- a\n- b\n\n* c\n\n    - d\n",
        "```python\nx = 1\n\n\n```\n",
        "> quote\n> - a\n>\n> - b\nlazy\n\n",
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n",
        "Heading\n===\n# Other\n",
        "    code\n\n    more code\n\ntext\n",
        "text\n| a |\n|---|\n",
    ],
)
@pytest.mark.parametrize(("count", "size", "step"), [(3, 1, 1), (8, 5, 20), (90, 250, 1_000)])
def test_a_growing_text_reads_like_the_whole_one(
    block: str, count: int, size: int, step: int
) -> None:
    _assert_same_at_any_time(block * count, size, step)


@pytest.mark.parametrize("size", [13, 400])
def test_long_code_reads_like_the_whole_one(size: int) -> None:
    code = "".join(f"x = {number}  # comment\n" for number in range(90))
    string = '"""\n' + "for all\n" * 70 + '"""\n'
    _assert_same_at_any_time(f"Look:\n```python\n{code}{string}{code}```\nEnd.\n", size, 100)


def test_a_fence_may_end_with_a_chunk() -> None:
    text = "~~~~ sh\n" + "echo 'some words to print'\n" * 40 + "~~~~\n\nEnd."
    live = LiveMarkdown()
    live.append(text[:1_200])
    live.append(text[1_200:])
    assert len(live.frozen) >= 41
    assert _lines(live) == markdown_lines(text)


def test_what_is_followed_by_something_else_is_frozen() -> None:
    live = LiveMarkdown()
    for piece in _cut((_PROSE * 5 + "\n\n") * 20, 80):
        live.append(piece)
    assert len(live.frozen) > 30
    assert len(live.tail()) < 10


def test_the_tail_is_laid_out_once_for_each_change() -> None:
    live = LiveMarkdown()
    live.append(_PROSE)
    assert live.tail() is live.tail()


@pytest.mark.parametrize(
    "text",
    [
        (_PROSE * 6 + "\n\n") * 160,
        "".join(f"- {_PROSE}\n" for _ in range(900)),
        "".join(f"{number}. {_PROSE}\n\n" for number in range(900)),
        "```python\n" + "x = foo(1, 'a')  # a comment\n" * 1_700,
        "```unknown\n" + "x = foo(1, 'a')  # a comment\n" * 1_700,
    ],
    ids=["paragraphs", "tight list", "loose list", "fence", "plain fence"],
)
def test_the_work_for_each_piece_does_not_grow(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = _count(monkeypatch)
    pieces = list(_cut(text, 80))
    live = LiveMarkdown()
    for piece in pieces:
        live.append(piece)
        live.tail()
    assert sum(parsed) / len(pieces) < 10_000
    assert max(parsed) < 6_000


def test_only_the_end_of_a_long_paragraph_is_parsed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[int] = []
    parse = markdown_parser.parse_inline

    def counted(content: str) -> object:
        parsed.append(len(content))
        return parse(content)

    monkeypatch.setattr(markdown_parser, "parse_inline", counted)
    pieces = list(_cut("".join(f"{_PROSE}{number} " for number in range(900)), 80))
    live = LiveMarkdown()
    for piece in pieces:
        live.append(piece)
        live.tail()
    assert sum(parsed) / len(pieces) < 1_500


def _count(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collect how many characters each parse and each highlighting is about."""
    sizes: list[int] = []
    parse, lexer = markdown_parser.parse_blocks, highlight.highlighted

    def counted(text: str) -> object:
        sizes.append(len(text))
        return parse(text)

    def counted_code(code: str, language: str) -> object:
        sizes.append(len(code))
        return lexer(code, language)

    monkeypatch.setattr(markdown_parser, "parse_blocks", counted)
    monkeypatch.setattr("ctui.tui.text.code.highlighted", counted_code)
    return sizes


_WORDS = st.lists(
    st.sampled_from(["word", "**bold**", "`code`", "*em*", "[a](http://b.c)", "snake_case", "é中"]),
    min_size=1,
    max_size=12,
).map(" ".join)


def _rows(row: str, most: int) -> st.SearchStrategy[str]:
    """Some rows of words, with `row` saying what is around them."""
    rows = st.lists(_WORDS.map(row.format), min_size=1, max_size=most)
    return rows.map("\n".join)


_BLOCKS = st.one_of(
    _WORDS.map("## {}".format),
    _WORDS.map("{}\n---".format),
    _rows("{}", 4),
    _rows("> {}", 4),
    _rows("- {}", 6),
    _rows("1. {}\n\n   more\n", 4),
    _rows("* {}\n  - nested", 4),
    _rows("| {} | x |", 5).map("| a | b |\n|---|---|\n{}".format),
    _rows("x = 1  # {}", 90).map("```python\n{}\n```".format),
    _rows("    {}", 3),
    st.just("***"),
)
_DOCUMENTS = st.lists(_BLOCKS, max_size=8).map("\n\n".join)


@given(_DOCUMENTS, st.lists(st.integers(1, 90), min_size=1, max_size=12), st.integers(1, 300))
def test_a_document_in_pieces_reads_like_the_whole_one(
    text: str, sizes: list[int], step: int
) -> None:
    live = LiveMarkdown(step=step)
    at = number = 0
    while at < len(text):
        size = sizes[number % len(sizes)] if number < 40 else 2_000
        live.append(text[at : at + size])
        at += size
        number += 1
        assert _lines(live) == markdown_lines(text[:at])


@given(texts(["word\n", "\n- item\n", "\n> quote\n", "\n```\n", "| a |\n|---|\n", "\n  "]))
def test_even_an_odd_text_reads_like_the_whole_one(text: str) -> None:
    live = LiveMarkdown(step=1)
    for piece in _cut(text, 9):
        live.append(piece)
    assert _lines(live) == markdown_lines(text)
