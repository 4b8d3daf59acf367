"""An ask as a form, and a form as an answer."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp_types._v2025_11_25 import PrimitiveSchemaDefinition
from pydantic import TypeAdapter

from ctui.errors import InvalidInput
from ctui.mcp_server.protocol.elicit import answer_of, form_of
from ctui.tasks import asks
from ctui.tasks.model import Answer, Ask
from tests.ask_requests import asked

_PRIMITIVE: TypeAdapter[Any] = TypeAdapter(PrimitiveSchemaDefinition)
_RULE = {
    "type": "addRules",
    "rules": [{"toolName": "Bash", "ruleContent": "npm:*"}],
    "behavior": "allow",
    "destination": "localSettings",
}


def permission(*suggestions: Any) -> Ask:
    request = {
        "tool_name": "Bash",
        "input": {"command": "npm test"},
        "permission_suggestions": list(suggestions),
    }
    return asked(request)


def question(*questions: dict[str, Any]) -> Ask:
    request = {"tool_name": "AskUserQuestion", "input": {"questions": list(questions)}}
    return asked(request)


def form(schema: Any) -> Ask:
    request = {"mcp_server_name": "db", "message": "Which?", "requested_schema": schema}
    return asked(request)


def options(*labels: str) -> list[dict[str, str]]:
    return [{"label": label, "description": ""} for label in labels]


@pytest.mark.parametrize(
    ("label", "decision"),
    [
        ("Allow Once", "allow"),
        ("Allow Session", "session"),
        ("Allow Always", "always"),
        ("Deny", "deny"),
    ],
)
def test_the_four_choices_of_a_permission(label: str, decision: Any) -> None:
    ask = permission(_RULE)
    assert label in form_of(ask).schema["properties"]["decision"]["enum"]
    assert answer_of(ask, "accept", {"decision": label}) == Answer(decision, by="MCP")


def test_what_can_be_allowed_only_once_offers_nothing_longer() -> None:
    request = {"tool_name": "Bash", "input": {"command": "rm a\nrm b"}}
    ask = asked(request)
    assert form_of(ask).schema["properties"]["decision"]["enum"] == ["Allow Once", "Deny"]
    for label in ("Allow Session", "Allow Always"):
        with pytest.raises(InvalidInput):
            answer_of(ask, "accept", {"decision": label})


def test_a_denial_takes_its_reason_along_and_a_permission_does_not() -> None:
    ask = permission(_RULE)
    said = {"message": "not today"}
    denied = answer_of(ask, "accept", {"decision": "Deny", **said})
    assert denied == Answer("deny", message="not today", by="MCP")
    allowed = answer_of(ask, "accept", {"decision": "Allow Once", **said})
    assert allowed == Answer("allow", by="MCP")


@pytest.mark.parametrize("content", [None, {}, {"decision": "yes"}, {"decision": ["Deny"]}])
def test_a_form_without_a_decision_decides_nothing(content: Any) -> None:
    with pytest.raises(InvalidInput):
        answer_of(permission(_RULE), "accept", content)


def test_declined_is_denied_and_closed_is_no_answer() -> None:
    for ask in (permission(_RULE), question({"question": "A?", "options": options("x", "y")})):
        assert answer_of(ask, "decline", None) == Answer("deny", by="MCP")
        assert answer_of(ask, "cancel", None) is None


def test_questions_take_labels_several_labels_and_own_words() -> None:
    ask = question(
        {"question": "Colour?", "options": options("Red", "Blue")},
        {"question": "Sizes?", "options": options("S", "M", "L"), "multiSelect": True},
        {"question": "Name?", "options": options("A", "B")},
    )
    shown = form_of(ask).schema
    assert shown["properties"]["answer_2"]["items"]["enum"] == ["S", "M", "L"]
    content = {
        "answer_1": "Blue",
        "answer_2": ["S", "L"],
        "answer_3": "A",
        "answer_3_in_your_own_words": " neither ",
    }
    jsonschema.validate(content, shown)
    answer = answer_of(ask, "accept", content)
    assert answer is not None
    assert answer.answers == {"Colour?": "Blue", "Sizes?": "S, L", "Name?": "neither"}
    asks.check(ask, answer)
    with pytest.raises(InvalidInput, match="no answer to: Sizes"):
        answer_of(ask, "accept", {"answer_1": "Blue", "answer_3": "A"})


def test_labels_that_look_alike_are_told_apart_and_mean_what_they_meant() -> None:
    ask = question({"question": "Q", "options": options("go\u200b", "go", "\u001b[31mgo")})
    labels = form_of(ask).schema["properties"]["answer"]["enum"]
    assert labels == ["go", "go (2)", "go (3)"]
    answer = answer_of(ask, "accept", {"answer": "go (3)"})
    assert answer is not None
    assert answer.answers == {"Q": "\u001b[31mgo"}


def test_a_tasks_own_form_is_filled_in_through_ours() -> None:
    ask = form(
        {
            "type": "object",
            "properties": {
                "table": {"type": "string", "enum": ["a", "b"], "enumNames": ["Alpha", "Beta"]},
                "rows": {"type": "integer", "minimum": 1},
                "sure": {"type": "boolean"},
                "note": {"type": "string", "default": "none"},
            },
            "required": ["table", "rows", "sure"],
        }
    )
    shown = form_of(ask).schema
    assert shown["required"] == ["answer_1", "answer_2", "answer_3"]
    content = {"answer_1": "Beta", "answer_2": "7", "answer_3": "yes"}
    jsonschema.validate(content, shown)
    answer = answer_of(ask, "accept", content)
    assert answer is not None
    reply = json.loads(asks.reply(ask, answer))["response"]["response"]
    filled = {"table": "b", "rows": 7, "sure": True, "note": "none"}
    assert reply == {"action": "accept", "content": filled}
    with pytest.raises(InvalidInput, match="at least 1"):
        answer_of(ask, "accept", {**content, "answer_2": "0"})


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
_PROPERTY = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["string", "integer", "number", "boolean", "array"]) | _JSON,
        "title": _JSON,
        "enum": st.lists(_JSON, max_size=4),
        "oneOf": st.lists(st.fixed_dictionaries({"const": _JSON, "title": _JSON}), max_size=3),
        "items": st.fixed_dictionaries({"enum": st.lists(st.text(), max_size=3)}),
        "default": _JSON,
    },
)


@given(
    st.dictionaries(st.text(max_size=8), _PROPERTY | _JSON, max_size=4),
    st.dictionaries(st.text(max_size=10), _JSON, max_size=4),
)
def test_whatever_a_task_asks_is_a_form_that_clients_take(
    properties: dict[str, Any], content: dict[str, Any]
) -> None:
    ask = form({"type": "object", "properties": properties, "required": list(properties)[:1]})
    shown = form_of(ask)
    for value in shown.schema["properties"].values():
        _PRIMITIVE.validate_python(value)
    json.dumps(shown.schema).encode()
    try:
        answer = answer_of(ask, "accept", {**dict.fromkeys(shown.schema["properties"]), **content})
    except InvalidInput:
        return
    assert answer is not None
    asks.check(ask, answer)
