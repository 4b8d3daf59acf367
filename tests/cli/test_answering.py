"""What is shown of an ask at a plain terminal, and what typed lines mean there."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ctui.cli.task.answering import AskPrompt
from ctui.cli.task.ask_text import ask_outcome, how_to_answer
from ctui.cli.task.task import pair
from ctui.errors import InvalidInput
from ctui.tasks import asks
from ctui.tasks.asks import ask_lines
from ctui.tasks.model import Answer, Ask, AskState
from tests.ask_requests import asked

_SUGGESTION = {
    "type": "addRules",
    "behavior": "allow",
    "rules": [{"toolName": "Bash", "ruleContent": "npm test"}],
}


def permission(tool: str, given: dict[str, Any], *suggestions: dict[str, Any]) -> Ask:
    request = {
        "tool_name": tool,
        "input": given,
        "permission_suggestions": list(suggestions),
    }
    return asked(request)


def questions(*items: dict[str, Any]) -> Ask:
    return permission("AskUserQuestion", {"questions": list(items)})


COLOUR = {"question": "Which colour?", "options": [{"label": "Red"}, {"label": "Blue"}]}
SIZES = {
    "question": "Which sizes?",
    "multiSelect": True,
    "options": [{"label": "S", "description": "small"}, {"label": "L"}],
}


def test_the_whole_command_is_shown_and_nothing_that_could_hide_it() -> None:
    command = "echo ok\n" + "x" * 5000 + "\nrm -rf \x1b[8m/\u202e"
    shown = "\n".join(ask_lines(permission("Bash", {"command": command, "timeout": 5})))
    assert "x" * 5000 in shown
    assert "rm -rf" in shown
    assert "timeout: 5" in shown
    assert not {"\x1b", "\u202e"} & set(shown)


def test_an_edit_is_shown_as_what_goes_and_what_comes() -> None:
    edit = {"file_path": "/workspace/a.py", "old_string": "one\ntwo", "new_string": "three"}
    shown = [line.strip() for line in ask_lines(permission("Edit", edit))]
    assert shown[1:] == ["/workspace/a.py", "- one", "- two", "+ three"]


@pytest.mark.parametrize(
    ("tool", "wish"),
    [("Bash", "run"), ("Write", "write"), ("Edit", "edit"), ("Read", "read"), ("mcp__a__b", "run")],
)
def test_the_first_line_says_what_a_tool_does(tool: str, wish: str) -> None:
    assert ask_lines(permission(tool, {"file_path": "/a"}))[0] == f"? {tool} wants to {wish}:"


def test_the_end_of_a_files_last_line_is_no_other_line() -> None:
    written = ask_lines(permission("Write", {"file_path": "/a", "content": "one\n\ntwo\n"}))
    assert [line.strip() for line in written[2:]] == ["+ one", "+", "+ two"]
    edit = {"file_path": "/a", "old_string": "one\n", "new_string": "two\n"}
    assert [line.strip() for line in ask_lines(permission("Edit", edit))[2:]] == ["- one", "+ two"]
    edit = {"file_path": "/a", "old_string": "one", "new_string": "one\n"}
    assert len(ask_lines(permission("Edit", edit))[2:]) == 3


def test_what_is_too_long_says_so_and_shows_both_ends() -> None:
    command = "\n".join(f"line {number}" for number in range(5000))
    shown = ask_lines(permission("Bash", {"command": command}))
    assert len(shown) < 500
    assert "line 4999" in shown[-1]
    assert any("lines are not shown" in line for line in shown)


def test_input_of_an_unexpected_shape_is_shown_as_it_is() -> None:
    shown = "\n".join(ask_lines(permission("Edit", {"file_path": 7, "old_string": ["a"]})))
    assert "file_path: 7" in shown
    assert 'old_string: ["a"]' in shown


@pytest.mark.parametrize(
    ("typed", "decision", "message"),
    [
        ("y", "allow", ""),
        ("YES", "allow", ""),
        ("s", "session", ""),
        ("d", "deny", ""),
        ("no", "deny", ""),
        ("d not today", "deny", "not today"),
    ],
)
def test_typed_words_for_a_permission(typed: str, decision: str, message: str) -> None:
    prompt = AskPrompt(permission("Bash", {"command": "npm test"}, _SUGGESTION))
    answer = prompt.take(typed)
    assert answer is not None
    assert (answer.decision, answer.message) == (decision, message)
    assert "npm test" in prompt.choices()


@pytest.mark.parametrize("typed", ["", "x", "y please", "yep"])
def test_other_words_decide_nothing(typed: str) -> None:
    assert AskPrompt(permission("Bash", {"command": "npm test"})).take(typed) is None


def test_nothing_to_allow_for_the_session_offers_no_key_for_it() -> None:
    prompt = AskPrompt(permission("Bash", {"command": "npm test"}))
    assert prompt.take("s") is None
    assert " s " not in prompt.choices()


def test_questions_are_answered_one_after_the_other() -> None:
    prompt = AskPrompt(questions(COLOUR, SIZES))
    assert "1  Red" in "\n".join(prompt.shown())
    assert "Which colour?" in prompt.choices()
    assert prompt.take("2") is None
    assert "Which sizes?" in prompt.choices()
    answer = prompt.take("1, 2")
    assert answer is not None
    assert answer.answers == {"Which colour?": "Blue", "Which sizes?": "S, L"}
    asks.check(prompt.ask, answer)


def test_a_question_takes_any_text_and_can_be_denied() -> None:
    free = AskPrompt(questions(COLOUR)).take("9, like the sky")
    assert free is not None
    assert free.answers == {"Which colour?": "9, like the sky"}
    denied = AskPrompt(questions(COLOUR)).take("/deny ask later")
    assert denied is not None
    assert (denied.decision, denied.message) == ("deny", "ask later")


def test_how_to_answer_fits_the_ask() -> None:
    assert "--text" in how_to_answer(questions(COLOUR))
    assert "--answer" in how_to_answer(questions(COLOUR, SIZES))
    assert "session" in how_to_answer(permission("Bash", {"command": "ls"}, _SUGGESTION))
    assert "session" not in how_to_answer(permission("Bash", {"command": "ls"}))


def test_an_outcome_says_what_was_decided() -> None:
    ask = permission("Bash", {"command": "ls"})
    done = msgspec.structs.replace(
        ask, state=AskState.DELIVERED, answer=Answer("deny", message="no")
    )
    assert ask_outcome(done) == "denied: no"
    late = msgspec.structs.replace(ask, state=AskState.TOO_LATE, answer=Answer("allow"))
    assert ask_outcome(late) == "allowed (too late)"


def test_a_line_behind_the_last_answer_is_harmless() -> None:
    prompt = AskPrompt(questions(COLOUR))
    assert prompt.take("1") is not None
    assert "Which colour?" not in prompt.choices()
    assert prompt.take("2") is not None


def test_a_form_is_typed_and_its_defaults_are_told() -> None:
    days = {"type": "array", "items": {"enum": ["a, b", "a", "b"]}}
    safe = {"type": "boolean", "default": True}
    schema = {"properties": {"days": days, "safe": safe}, "required": ["days", "safe"]}
    request = {"mcp_server_name": "db", "message": "Which?", "requested_schema": schema}
    ask = asked(request)
    prompt = AskPrompt(ask)
    assert prompt.take("2, 3") is None
    assert "nothing to leave it: yes" in prompt.choices()
    answer = prompt.take("")
    assert answer is not None
    line = msgspec.json.decode(asks.reply(ask, answer))
    assert line["response"]["response"]["content"] == {"days": ["a", "b"], "safe": True}


def test_question_and_answer_may_both_have_an_equals_sign() -> None:
    flag = {"question": "Is a=b, or a=b=c?", "options": [{"label": "x=1"}, {"label": "y"}]}
    ask = questions(flag, COLOUR)
    assert pair(ask, "Is a=b, or a=b=c?=x=1") == ("Is a=b, or a=b=c?", "x=1")
    assert pair(ask, "Which colour?=#f=1") == ("Which colour?", "#f=1")
    with pytest.raises(InvalidInput):
        pair(ask, "Red")


def test_a_plain_command_can_be_allowed_for_good() -> None:
    ask = permission("Bash", {"command": "npm test"})
    prompt = AskPrompt(ask)
    assert "w always run `npm test` in this repository" in prompt.choices()
    assert prompt.take("w") == Answer("always", by="terminal")
    assert "always" in how_to_answer(ask)
    wild = AskPrompt(permission("Bash", {"command": "rm a\nrm b"}))
    assert "always" not in wild.choices()
    assert wild.take("w") is None
    assert "always" not in how_to_answer(wild.ask)
