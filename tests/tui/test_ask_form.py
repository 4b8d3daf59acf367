"""Keys in the ask panel, and what they decide."""

from __future__ import annotations

from typing import Any

import pytest

from ctui.tasks import asks
from ctui.tasks.model import Answer, Ask
from ctui.tui.asks.ask_form import AskForm, Wants
from tests.ask_requests import asked

COLOUR = {"question": "Which colour?", "options": [{"label": "Red"}, {"label": "Blue"}]}
SIZES = {
    "question": "Which sizes?",
    "multiSelect": True,
    "options": [{"label": "S"}, {"label": "M"}, {"label": "L"}],
}


def permission(tool: str, given: dict[str, Any], *suggestions: dict[str, Any]) -> Ask:
    request = {"tool_name": tool, "input": given, "permission_suggestions": list(suggestions)}
    return asked(request)


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


def test_for_good_is_offered_only_for_what_a_grant_can_say() -> None:
    form = AskForm(permission("Bash", {"command": "npm test"}))
    assert any("always run `npm test` in this" in choice.label for choice in form.choices())
    assert decided(form.press("w")).decision == "always"
    assert AskForm(permission("Bash", {"command": "rm a\nrm b"})).press("w") is Wants.NOTHING
    assert AskForm(permission("Write", {"file_path": "a"})).press("w") is Wants.NOTHING


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
    assert "12  o11" in shown


def test_an_option_beyond_the_keys_is_chosen_by_its_number() -> None:
    labels = [{"label": f"o{n}"} for n in range(1, 13)]
    form = AskForm(questions({"question": "Which?", "options": labels}))
    assert any("1-12" in choice.label for choice in form.choices())
    assert "number" in form.hint(Wants.TEXT)
    assert decided(form.write(Wants.TEXT, "12")).answers == {"Which?": "o12"}
    several = AskForm(questions({"question": "Which?", "options": labels, "multiSelect": True}))
    assert several.press("1") is Wants.NOTHING
    assert several.write(Wants.TEXT, "10, 12") is Wants.NOTHING
    assert "[x] o12" in "\n".join(several.lines())
    assert decided(several.press("enter")).answers == {"Which?": "o1, o10, o12"}


def test_a_number_can_be_an_answer_of_ones_own() -> None:
    form = AskForm(questions(COLOUR))
    assert decided(form.write(Wants.TEXT, "2")).answers == {"Which colour?": "2"}


@pytest.mark.parametrize("key", ["²", "٣", "12", ""])
def test_only_plain_digits_are_keys(key: str) -> None:
    form = AskForm(questions(COLOUR))
    assert form.press(key) is Wants.NOTHING
    assert not form.takes(key)


def test_the_lines_are_made_once_for_what_is_chosen() -> None:
    form = AskForm(questions(SIZES))
    before = form.lines()
    assert form.lines() is before
    form.press("x")
    assert form.lines() is before
    form.press("1")
    assert "[x] S" in "\n".join(form.lines())
    large = AskForm(permission("Write", {"file_path": "/a", "content": "x\n" * 100_000}))
    assert large.lines() is large.lines()


def test_several_choices_are_told_once() -> None:
    form = AskForm(questions(SIZES))
    assert [choice for choice in form.choices() if choice.key in {"1-3", "enter"}] == [
        ("1-3", "choose several")
    ]
    form.press("1")
    assert ("enter", "that is all") in form.choices()


def test_a_key_behind_the_last_answer_is_harmless() -> None:
    form = AskForm(questions(COLOUR))
    decided(form.press("1"))
    assert form.lines()
    assert form.choices()
