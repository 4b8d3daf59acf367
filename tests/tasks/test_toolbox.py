from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctui.tasks.asks import toolbox


def call(name: str, arguments: object, number: int = 7) -> toolbox.Outcome:
    params = {"name": name, "arguments": arguments}
    return toolbox.handle(
        {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
    )


def test_the_handshake_offers_tools() -> None:
    outcome = toolbox.handle({"id": 0, "method": "initialize", "params": {}})
    assert isinstance(outcome, toolbox.Respond)
    assert outcome.message["result"]["capabilities"] == {"tools": {}}
    listed = toolbox.handle({"id": 1, "method": "tools/list"})
    assert isinstance(listed, toolbox.Respond)
    names = [tool["name"] for tool in listed.message["result"]["tools"]]
    assert names == ["ask_user", "notify_user", "resolve_comment"]


def test_a_question_waits_for_the_person() -> None:
    outcome = call("ask_user", {"question": "Which?"})
    assert isinstance(outcome, toolbox.AskPerson)
    assert outcome.call == 7


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"question": ""},
        {"question": "x" * 2001},
        {"question": "x", "timeout_seconds": 5},
        {"question": "x", "options": ["a"] * 9},
        {"question": "x", "other": 1},
        {"question": 5},
        [],
        "text",
        None,
    ],
)
def test_wrong_arguments_are_a_tool_error_that_says_why(arguments: object) -> None:
    outcome = call("ask_user", arguments)
    assert isinstance(outcome, toolbox.Respond)
    assert outcome.message["result"]["isError"] is True


def test_an_unknown_method_and_tool_are_errors() -> None:
    for outcome in (toolbox.handle({"id": 1, "method": "resources/list"}), call("rm", {})):
        assert isinstance(outcome, toolbox.Respond)
        assert outcome.message["error"]["code"] in {-32601, -32602}


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
messages = st.dictionaries(st.sampled_from(["id", "method", "params", "x"]), json_values)


@given(messages)
def test_no_message_of_any_shape_raises(message: dict[str, Any]) -> None:
    outcome = toolbox.handle(message)
    assert isinstance(outcome, toolbox.Respond | toolbox.Withdraw)
