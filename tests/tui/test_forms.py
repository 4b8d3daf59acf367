"""Forms of MCP servers: what is sent is what was seen and chosen."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from ctui.errors import InvalidInput
from ctui.tasks import asks
from ctui.tasks.asks import ask_lines, kind_of
from ctui.tasks.model import Answer, Ask
from ctui.text import sanitise
from ctui.tui.asks.ask_form import AskForm, Wants
from tests.ask_requests import asked
from tests.tui.test_ask_form import decided

FORM = {
    "type": "object",
    "required": ["name", "age"],
    "properties": {
        "name": {"type": "string", "title": "Name", "description": "of the server"},
        "age": {"type": "integer", "minimum": 1, "maximum": 9},
        "safe": {"type": "boolean"},
        "size": {"type": "string", "oneOf": [{"const": "s", "title": "Small"}, {"const": "l"}]},
        "days": {"type": "array", "items": {"enum": ["mon", "tue, late", "wed"]}},
    },
}


def form(schema: dict[str, Any]) -> Ask:
    request = {"mcp_server_name": "db", "message": "Which one?", "requested_schema": schema}
    return asked(request)


def content(ask: Ask, answer: Answer) -> Any:
    asks.check(ask, answer)
    line = json.loads(asks.reply(ask, answer))
    return line["response"]["response"]["content"]


def test_a_form_is_filled_in_field_by_field() -> None:
    ask = form(FORM)
    filled = AskForm(ask)
    assert filled.lines()[:2] == ["? db, a server inside the task, asks:", "    Which one?"]
    assert "name: Name - of the server (1 of 5)" in filled.lines()[2]
    assert filled.press("t") is Wants.TEXT
    assert filled.write(Wants.TEXT, "main") is Wants.NOTHING
    assert filled.write(Wants.TEXT, "10") is Wants.NOTHING
    assert "at most 9" in filled.problem
    assert filled.write(Wants.TEXT, "3") is Wants.NOTHING
    assert filled.problem == ""
    assert filled.press("1") is Wants.NOTHING
    assert filled.press("1") is Wants.NOTHING
    filled.press("2")
    filled.press("3")
    answer = decided(filled.press("enter"))
    assert content(ask, answer) == {
        "name": "main",
        "age": 3,
        "safe": True,
        "size": "s",
        "days": ["tue, late", "wed"],
    }


def test_what_is_optional_can_be_left_out() -> None:
    ask = form({"properties": {"a": {"type": "string"}, "b": {"type": "number", "default": 2}}})
    filled = AskForm(ask)
    assert filled.press("enter") is Wants.NOTHING
    assert content(ask, decided(filled.press("enter"))) == {"b": 2}


@pytest.mark.parametrize(("key", "decision"), [("d", "deny"), ("C", "cancel")])
def test_a_form_can_be_declined(key: str, decision: str) -> None:
    assert decided(AskForm(form(FORM)).press(key)).decision == decision


def test_a_form_without_fields_is_accepted_with_a_key() -> None:
    ask = form({})
    assert content(ask, decided(AskForm(ask).press("y"))) == {}


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ({"name": "x"}, "age is needed"),
        ({"name": "x", "age": "two"}, "whole number"),
        ({"name": "x", "age": "2", "safe": "maybe"}, "safe is a choice"),
        ({"name": "x", "age": "2", "days": "mon, fri"}, "days takes choices"),
        ({"name": "x", "age": "2", "colour": "red"}, "no field 'colour'"),
    ],
)
def test_a_form_that_does_not_fit_is_refused(answers: dict[str, str], problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        asks.check(form(FORM), Answer("allow", answers=answers))


def one_field(schema: dict[str, Any], *, required: bool = True) -> Ask:
    return form({"properties": {"f": schema}, "required": ["f"] if required else []})


@pytest.mark.parametrize(
    ("schema", "shown", "sent"),
    [
        ({"type": "boolean", "default": True}, "yes", True),
        ({"type": "integer", "default": 3}, "3", 3),
        ({"type": "string", "default": "a"}, "a", "a"),
        ({"type": "string", "default": ""}, '""', ""),
        ({"oneOf": [{"const": "s", "title": "Small"}], "default": "s"}, "Small", "s"),
        ({"oneOf": [{"const": None, "title": "None"}], "default": None}, "None", None),
        ({"type": "array", "items": {"enum": ["a", "b"]}, "default": ["b"]}, "b", ["b"]),
        ({"type": "array", "items": {"enum": ["a"]}, "default": []}, "none of them", []),
    ],
)
def test_a_default_is_seen_before_it_is_sent(schema: Any, shown: str, sent: object) -> None:
    ask = one_field(schema)
    filled = AskForm(ask)
    assert f"    if it is left: {shown}" in filled.lines()
    assert ("enter", f"leave it: {shown}") in filled.choices()
    assert shown in "\n".join(ask_lines(ask))
    assert content(ask, decided(filled.press("enter"))) == {"f": sent}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "boolean", "default": "true"},
        {"type": "boolean", "default": 1},
        {"type": "integer", "default": "3"},
        {"type": "integer", "default": 3.5},
        {"type": "integer", "default": True},
        {"type": "integer", "default": 10, "maximum": 9},
        {"type": "string", "default": ["a"]},
        {"type": "string", "default": "long", "maxLength": 2},
        {"enum": ["a"], "default": "b"},
        {"enum": [1], "default": True},
        {"type": "array", "items": {"enum": ["a"]}, "default": ["b"]},
        {"type": "array", "items": {"enum": ["a"]}, "default": "a"},
    ],
)
def test_a_default_that_nobody_could_have_given_is_not_used(schema: Any) -> None:
    filled = AskForm(one_field(schema))
    assert all(choice.key != "enter" for choice in filled.choices())
    ask = one_field(schema, required=False)
    assert content(ask, decided(AskForm(ask).press("enter"))) == {}


@pytest.mark.parametrize(
    "schema",
    [
        {"enum": ["a, b", "a", "b", "a"]},
        {"enum": ["", " ", "\u200b", '""', None, True, 1, 1.5, "1", "true"]},
        {"enum": ["x", "y", "z"], "enumNames": ["Same", "Same", "Same (2)"]},
        {"enum": ["x", "y"], "enumNames": ["Red", "R\u202eed"]},
        {"oneOf": [{"const": 1, "title": ""}, {"const": 2}, {"const": {"a": [1]}, "title": "2"}]},
        {"enum": [f"v{n}" for n in range(12)]},
    ],
)
def test_what_is_chosen_is_what_was_seen(schema: dict[str, Any]) -> None:
    values = schema.get("enum") or [item["const"] for item in schema["oneOf"]]
    single, several = one_field(schema), one_field({"type": "array", "items": schema})
    labels = [option.label for option in kind_of(single).questions(single)[0].options]
    assert len(set(labels)) == len(values)
    assert all(label.strip() == sanitise(label) == label for label in labels)
    for number, value in enumerate(values, 1):
        one = AskForm(single)
        outcome = one.press(str(number)) if number < 10 else one.write(Wants.TEXT, str(number))
        assert same_json(content(single, decided(outcome)), {"f": value})
        assert content(single, Answer("allow", answers={"f": labels[number - 1]})) == {"f": value}
    for first, second in itertools.combinations(range(min(9, len(values))), 2):
        form = AskForm(several)
        form.press(str(second + 1))
        form.press(str(first + 1))
        sent = content(several, decided(form.press("enter")))
        assert same_json(sent, {"f": [values[first], values[second]]})


def same_json(one: object, other: object) -> bool:
    return json.dumps(one) == json.dumps(other)


def test_several_choices_can_be_typed_where_that_has_one_meaning() -> None:
    ask = one_field({"type": "array", "items": {"enum": ["a, b", "a", "b", "c"]}})
    assert content(ask, Answer("allow", answers={"f": "a, c"})) == {"f": ["a", "c"]}
    assert content(ask, Answer("allow", answers={"f": '["a", "b"]'})) == {"f": ["a", "b"]}
    assert content(ask, Answer("allow", answers={"f": "[]"})) == {"f": []}
    with pytest.raises(InvalidInput, match="two ways"):
        asks.check(ask, Answer("allow", answers={"f": "a, b"}))


@pytest.mark.parametrize(
    ("kind", "digits"),
    [
        ("integer", "9" * 17),
        ("integer", "9" * 400),
        ("integer", "-" + "9" * 400),
        ("integer", "9" * 9000),
        ("number", "9" * 400),
        ("number", "1e999"),
        ("number", "nan"),
    ],
)
def test_a_number_that_would_not_arrive_as_it_is_is_refused(kind: str, digits: str) -> None:
    filled = AskForm(one_field({"type": kind}))
    assert filled.write(Wants.TEXT, digits) is Wants.NOTHING
    assert filled.problem


def test_what_was_chosen_is_kept_when_it_does_not_fit() -> None:
    filled = AskForm(one_field({"enum": ["a", "b"]}))
    assert filled.write(Wants.TEXT, "c") is Wants.NOTHING
    assert "a / b" in filled.problem
    assert content(filled.ask, decided(filled.write(Wants.TEXT, "b"))) == {"f": "b"}
