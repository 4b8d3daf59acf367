from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ctui.text import sanitise
from ctui.tui.text import markdown_parser
from ctui.tui.text.lines import BLANK, Line, Wrap
from ctui.tui.text.markdown import markdown_lines
from tests.tui.shape import assert_well_formed, shown, styled, texts


def _shown(text: str) -> list[str]:
    return shown(markdown_lines(text))


def test_a_paragraph_is_one_line() -> None:
    assert markdown_lines("one\ntwo\n") == [Line("one two")]


def test_nothing_has_no_lines() -> None:
    assert markdown_lines("") == []
    assert markdown_lines("\n \n\t\n") == []


def test_blocks_are_separated_by_one_blank_line() -> None:
    assert _shown("\n\na\n\n\n\nb\n- c\n***\n\n") == ["a", "", "b", "", "• c", "", "─" * 40]


def test_a_hard_break_begins_a_line() -> None:
    assert _shown("one  \ntwo\\\nthree") == ["one", "two", "three"]
    assert _shown("- one  \n  two") == ["• one", "  two"]


def test_emphasis_has_styles_and_the_innermost_counts() -> None:
    (line,) = markdown_lines("*a* **b *c*** ~~d~~ `e  f` 2 * 3 snake_case_name")
    assert line.text == "a b c d e  f 2 * 3 snake_case_name"
    assert styled(line) == [
        ("a", "emphasis"),
        ("b ", "strong"),
        ("c", "emphasis"),
        ("d", "strike"),
        ("e  f", "code"),
    ]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("[text](http://a.b)", "text (http://a.b)"),
        ("[http://a.b](http://a.b)", "http://a.b"),
        ("[http://a.b](http://evil.example)", "http://a.b (http://evil.example)"),
        ("[](http://a.b)", "http://a.b"),
        ("<http://a.b/%E2%80%AE>", "http://a.b/%E2%80%AE"),
        ("<me@a.b>", "me@a.b"),
        ('[text](/ü "two\nwords")', 'text (/ü "two words")'),
        ("![alt text](a.png)", "alt text (a.png)"),
        ("![](a.png)", "a.png"),
        ("[![alt](a.png)](http://a.b)", "alt (a.png) (http://a.b)"),
    ],
)
def test_a_reader_sees_where_a_link_goes(source: str, text: str) -> None:
    (line,) = markdown_lines(source)
    assert line.text == text
    assert {style for _, style in styled(line)} == {"link"}


@pytest.mark.parametrize(
    "source",
    [
        "[text](javascript:alert)",
        "[text][label]",
        '[label]: http://a.b "title"',
        "<b onclick=x>html</b> <!-- comment -->",
        "&#x202e;&lt;",
    ],
)
def test_what_is_not_laid_out_is_shown_as_it_is(source: str) -> None:
    assert _shown(source) == [source]


@pytest.mark.parametrize("entity", ["&#x202e;", "&#27;", "&#10;", "&Tab;", "&#x2028;"])
def test_entities_in_addresses_and_titles_bring_nothing_hostile_back(entity: str) -> None:
    lines = markdown_lines(f'[a](<http://{entity}.b/{entity}> "t{entity}t")')
    assert_well_formed(lines)
    assert len(lines) == 1


def test_headings_show_their_level() -> None:
    assert _shown("# One #\n## *Two*\n### Three\n#### Four\nSet\n===") == [
        "One",
        "━━━",
        "",
        "Two",
        "───",
        "",
        "▸ Three",
        "",
        "▸▸ Four",
        "",
        "Set",
        "━━━",
    ]
    assert all(line.style == "heading" for line in markdown_lines("# a\n### b") if line != BLANK)


def test_lists_hang_from_their_markers() -> None:
    source = "- one\n  more\n  1. two\n  20) three\n- [x] done\n\n  para\n-"
    assert [(line.first, line.rest, line.text) for line in markdown_lines(source)] == [
        ("• ", "  ", "one more"),
        ("  1. ", "     ", "two"),
        ("  20) ", "      ", "three"),
        ("• ", "  ", "[x] done"),
        ("", "", ""),
        ("  ", "  ", "para"),
        ("•", "•", ""),
    ]


def test_a_list_is_as_loose_as_its_source() -> None:
    assert _shown("- a\n- b\n\n- c") == ["• a", "• b", "", "• c"]
    assert _shown("> - a\n>\n> - b") == ["▌ • a", "▌", "▌ • b"]


def test_quotes_have_a_bar_and_keep_the_styles_within() -> None:
    lines = markdown_lines("> a\n>\n> > b\n> ```\n> c\n> ```")
    assert shown(lines) == ["▌ a", "▌", "▌ ▌ b", "▌", "▌   c"]
    assert [line.style for line in lines] == ["quote", "quote", "quote", "quote", "block"]


def test_a_fence_is_code_under_the_name_of_its_language() -> None:
    lines = markdown_lines("```python title=x\ndef f():\n\n\tpass\n```")
    assert shown(lines) == ["  python title=x", "  def f():", "  ", "      pass"]
    assert lines[0].style == "dim"
    assert ("def", "keyword") in styled(lines[1])
    assert all(line.wrap is Wrap.CELLS for line in lines[1:])


@pytest.mark.parametrize("info", ["python", "Python", "python,ignore", "{python}", "python a=1"])
def test_the_language_is_the_first_name_after_the_fence(info: str) -> None:
    label, line = markdown_lines(f"```{info}\ndef")
    assert label.text == info
    assert styled(line) == [("def", "keyword")]


def test_code_without_a_language_has_no_label() -> None:
    assert _shown("```\na\n```") == ["  a"]
    assert _shown("    a\n\n      b") == ["  a", "  ", "    b"]
    assert _shown("```\n```") == ["  "]


def test_a_long_row_of_code_is_broken_rather_than_cut() -> None:
    lines = markdown_lines("```\n" + "x" * 9_000 + "\n```")
    assert [len(line.text) for line in lines] == [4_000, 4_000, 1_000]


def test_a_long_string_keeps_its_colour_beyond_a_chunk_of_code() -> None:
    code = "x = '''\n" + "for\n" * 60 + "'''\nfor x in y: pass"
    lines = markdown_lines(f"```python\n{code}\n```")
    assert all(styled(line) == [("for", "string")] for line in lines[2:62])
    assert styled(lines[63])[0] == ("for", "keyword")


def test_a_table_has_columns() -> None:
    lines = markdown_lines("|a|b|c|\n|:-|-:|:-:|\n|one|`2`|x|\n|中|3|long|")
    assert shown(lines) == [
        "a   │ b │  c",
        "────┼───┼─────",
        "one │ 2 │  x",
        "中  │ 3 │ long",
    ]
    assert lines[0].style == "strong"
    assert styled(lines[2]) == [("2", "code")]


def test_cells_without_a_header_are_shown_too() -> None:
    assert _shown("> |a|\n> |-|\n> |1|2|three \\| four|") == [
        "▌ a │   │",
        "▌ ──┼───┼─────────────",
        "▌ 1 │ 2 │ three | four",
    ]


def test_a_wide_cell_goes_on_below() -> None:
    rows = _shown(f"|a|b|\n|-|-|\n|{'word ' * 12}|x|\n|{'y' * 50}||")
    assert rows[2:] == [
        "word word word word word word word word  │ x",
        "word word word word                      │",
        "y" * 40 + " │",
        "y" * 10 + " " * 30 + " │",
    ]


def test_a_long_paragraph_is_laid_out_like_a_short_one() -> None:
    sentence = "Some **bold** words, `code` and a [link](http://a.b).\n"
    (line,) = markdown_lines(sentence * 200)
    (short,) = markdown_lines(sentence)
    assert line.text == " ".join([short.text] * 200)
    assert styled(line) == styled(short) * 200


def test_emphasis_may_go_on_beyond_a_piece() -> None:
    (line,) = markdown_lines("**" + "word " * 500 + "end**")
    assert styled(line) == [("word " * 500 + "end", "strong")]


def _count_parsed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    sizes: list[int] = []
    parse = markdown_parser.parse_inline

    def counted(content: str) -> object:
        sizes.append(len(content))
        return parse(content)

    monkeypatch.setattr(markdown_parser, "parse_inline", counted)
    return sizes


@pytest.mark.parametrize("mark", ["[", "![", "*a ", "`a", "<", "[a](", "a**b", "~~a "])
def test_endless_marks_are_parsed_in_bounded_pieces(
    mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = _count_parsed(monkeypatch)
    text = mark * (30_000 // len(mark))
    assert "".join(_shown(text)).count("a") == text.count("a")
    assert max(sizes) <= 8_000
    assert sum(sizes) <= 4 * len(text)


@pytest.mark.parametrize(
    "text",
    [
        ">" * 10_000 + " end",
        "- " * 10_000 + "end",
        "1. " * 10_000 + "end",
        "\n".join("  " * depth + "- end" for depth in range(300)),
        "\n".join(">" * depth + " end" for depth in range(300)),
        "*" * 10_000 + "end" + "*" * 10_000,
        "[" * 10_000 + "end" + "]" * 10_000,
        "![" * 1_500 + "end" + "](a.png)" * 1_500,
    ],
)
def test_deep_nesting_hides_nothing(text: str) -> None:
    lines = markdown_lines(text)
    assert_well_formed(lines)
    assert "".join(shown(lines)).count("end") == text.count("end")


def test_a_parser_that_gives_up_leaves_the_text_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def gives_up(_text: str) -> object:
        raise RecursionError

    monkeypatch.setattr(markdown_parser, "parse_blocks", gives_up)
    assert _shown("# a\n\n- b\n") == ["# a", "", "- b"]


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    heavy = "{'markdown_it', 'pygments', 'textual', 'rich.console'}"
    check = (
        f"import sys, ctui.tui.transcript.live_markdown; assert not {heavy} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", check], check=True)


def _words(text: str) -> Counter[str]:
    return Counter(re.findall(r"[A-Za-z0-9]", text))


@example("\xa0")
@given(texts(["word", "(http://a.b)", '"title"', "](", "| a | b |\n|-|-|\n", "```lang\n"]))
def test_any_text_is_well_formed_and_shows_every_letter(text: str) -> None:
    lines = markdown_lines(text)
    assert_well_formed(lines)
    assert lines[:1] != [BLANK]
    assert lines[-1:] != [BLANK]
    # Entities in an address are decoded; everything else stays.
    if "&" not in text:
        assert _words(text) <= _words("".join(shown(lines)))


@given(st.text().map(sanitise))
def test_any_plain_text_is_well_formed(text: str) -> None:
    assert_well_formed(markdown_lines(text))
