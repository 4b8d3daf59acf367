"""JSON as devcontainer.json is written."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctui.environments.definition.jsonc import parse_jsonc
from ctui.errors import InvalidInput

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
_BLANKS = st.sampled_from(["", " ", "\n", "// a, ] \n", "/* } */", "\t"])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{}", {}),
        ("\ufeff{}", {}),
        ('{"a": 1, // one\n}', {"a": 1}),
        ('{"a": [1, 2,], /* , */}', {"a": [1, 2]}),
        ('{"u": "http://a//b", "c": "/* no */, ]"}', {"u": "http://a//b", "c": "/* no */, ]"}),
        ('{"q": "\\"// no", }', {"q": '"// no'}),
        ('{"a": 1 /* x */ , /* y */ }', {"a": 1}),
    ],
)
def test_comments_and_trailing_commas(text: str, value: object) -> None:
    """Bad input: a devcontainer.json with comments and trailing commas."""
    assert parse_jsonc(text, "f") == value


@given(st.dictionaries(st.text(max_size=8), _VALUES, max_size=4), _BLANKS, _BLANKS)
def test_what_json_says_is_said_with_comments_too(
    value: dict[str, object], before: str, after: str
) -> None:
    lines = json.dumps(value, indent=1).split("\n")
    assert parse_jsonc(after + f"{before}\n".join(lines) + after, "f") == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{\n"a": 1\n"b": 2}', "f:3: is not JSON"),
        ("[1]", "holds no object"),
        ("", "f:1: is not JSON"),
        ('{"a": ,}', "is not JSON"),
        ('{"a": [' + "[" * 100_000, "f: is not JSON that can be read: too deeply nested"),
        ('{"a": NaN}', "NaN is no number"),
        ('{"a": ' + "9" * 5000 + "}", "can be read"),
        ('{"a": "\n"}', "is not JSON"),
        ('{"a": 1} /* open', "is not JSON"),
    ],
)
def test_what_is_wrong_is_one_line(text: str, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_jsonc(text, "f")
    assert said in caught.value.message
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("piece", ['\\"', "/*", '"', "//", ",", "/* */,", '"\\'])
def test_time_is_linear(piece: str) -> None:
    """A hostile file of the largest size is read or refused in well under a second."""
    text = '{"a": "' + piece * ((1 << 18) // len(piece))
    before = time.process_time()
    with pytest.raises(InvalidInput):
        parse_jsonc(text, "f")
    assert time.process_time() - before < 5


@given(st.text(alphabet='{}[]",:/*\\\n a1'))
def test_whatever_it_is_it_is_read_or_refused(text: str) -> None:
    try:
        parse_jsonc(text, "f")
    except InvalidInput:
        return
