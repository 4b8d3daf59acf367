"""Keys in the ask panel, and what they decide."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ctui.errors import InvalidInput
from ctui.tasks import asks
from ctui.tasks.model import Answer, Ask
from ctui.tui.ask_form import AskForm, Wants

COLOUR = {"question": "Which colour?", "options": [{"label": "Red"}, {"label": "Blue"}]}
SIZES = {
    "question": "Which sizes?",
    "multiSelect": True,
    "options": [{"label": "S"}, {"label": "M"}, {"label": "L"}],
}


def permission(tool: str, given: dict[str, Any], *suggestions: dict[str, Any]) -> Ask:
    request = {"tool_name": tool, "input": given, "permission_suggestions": list(suggestions)}
    return asks.from_permission("t", 1, 0, "r", request)


def questions(*items: dict[str, Any]) -> Ask:
    return permission("AskUserQuestion", {"questions": list(items)})


def decided(outcome: Answer | Wants) -> Answer:
    assert isinstance(outcome, Answer)
    return outcome


@pytest.mark.parametrize(("key", "decision"), [("y", "allow"), ("d", "deny")])
def test_one_key_decides_a_permission(key: str, decision: str) -> None:
    form = AskForm(permission("Bash", {"command": "ls"}))
    assert decided(form.press(key)).decision == decision


def test_the_session_is_offered_with_all_that_it_allows() -> None:
    rule = {"toolName": "Bash", "ruleContent": "npm test:*"}
    suggestion = {"type": "addRules", "behavior": "allow", "rules": [rule]}
    form = AskForm(permission("Bash", {"command": "npm test"}, suggestion))
    assert any("npm test:*" in choice.label for choice in form.choices())
    assert decided(form.press("s")).decision == "session"


@pytest.mark.parametrize("key", ["s", "x", "1", "enter", "t", "Y"])
def test_a_key_that_is_no_choice_decides_nothing(key: str) -> None:
    assert AskForm(permission("Bash", {"command": "ls"})).press(key) is Wants.NOTHING


def test_a_denial_can_say_why() -> None:
    form = AskForm(permission("Bash", {"command": "ls"}))
    assert form.press("D") is Wants.REASON
    assert decided(form.write(Wants.REASON, " not now ")).message == "not now"


def test_questions_come_one_after_the_other() -> None:
    form = AskForm(questions(COLOUR, SIZES))
    assert "Which colour?" in form.lines()[0]
    assert "1 of 2" in form.lines()[0]
    assert form.press("2") is Wants.NOTHING
    assert "Which sizes?" in form.lines()[0]
    assert form.press("3") is Wants.NOTHING
    assert form.press("1") is Wants.NOTHING
    assert form.press("1") is Wants.NOTHING  # taken back
    assert "[x] L" in "\n".join(form.lines())
    answer = decided(form.press("enter"))
    assert answer.answers == {"Which colour?": "Blue", "Which sizes?": "L"}
    asks.check(form.ask, answer)


def test_a_question_takes_words_of_ones_own() -> None:
    form = AskForm(questions(COLOUR))
    assert form.press("t") is Wants.TEXT
    assert form.write(Wants.TEXT, "  ") is Wants.NOTHING
    assert decided(form.write(Wants.TEXT, "Green")).answers == {"Which colour?": "Green"}


def test_a_number_without_an_option_says_nothing() -> None:
    form = AskForm(questions(COLOUR))
    assert form.press("3") is Wants.NOTHING
    assert form.press("0") is Wants.NOTHING


def test_hostile_texts_are_shown_harmless() -> None:
    evil = {"question": "Q\x1b[2J", "options": [{"label": "[b]\u202eA", "description": "\x9b1m"}]}
    shown = "\n".join(AskForm(questions(evil)).lines())
    assert not {"\x1b", "\u202e", "\x9b"} & set(shown)
    assert "[b]" in shown


def test_nothing_is_left_out_without_a_word() -> None:
    many = {"question": "q" * 9000, "options": [{"label": f"o{n}"} for n in range(12)]}
    shown = "\n".join(AskForm(questions(many)).lines())
    assert "7,000 characters are not shown" in shown
    assert "3 more" in shown


def test_a_key_behind_the_last_answer_is_harmless() -> None:
    form = AskForm(questions(COLOUR))
    decided(form.press("1"))
    assert form.lines()
    assert form.choices()


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
    return asks.from_elicitation("t", 1, 0, "r", request)


def content(ask: Ask, answer: Answer) -> Any:
    asks.check(ask, answer)
    line = json.loads(asks.line(ask, answer))
    return line["response"]["response"]["content"]


def test_a_form_is_filled_in_field_by_field() -> None:
    ask = form(FORM)
    filled = AskForm(ask)
    assert filled.lines()[:2] == ["? db wants to know:", "    Which one?"]
    assert "name: Name - of the server (1 of 5)" in filled.lines()[2]
    assert filled.press("t") is Wants.TEXT
    assert filled.write(Wants.TEXT, "main") is Wants.NOTHING
    assert filled.write(Wants.TEXT, "10") is Wants.NOTHING
    assert "at most 9" in filled.lines()[-1]
    assert filled.write(Wants.TEXT, "3") is Wants.NOTHING
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


@pytest.mark.parametrize(("key", "decision"), [("d", "deny"), ("c", "cancel")])
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
