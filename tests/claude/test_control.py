"""Our lines to the CLI: whole, in JSON that every reader takes, or refused before they are sent."""

from __future__ import annotations

import json
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from ctui.claude.protocol import control
from ctui.errors import InvalidInput

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)


def said(line: bytes) -> Any:
    """What the CLI reads: the line's JSON, read as strictly as JavaScript does."""
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    return json.loads(line, parse_constant=refuse)


@given(ANY_TEXT)
def test_every_text_survives_on_one_line(text: str) -> None:
    line = control.user_message(text, "u1")
    assert said(line)["message"]["content"] == text
    assert line.isascii()


def test_a_megabyte_of_control_characters_is_one_message() -> None:
    text = "\x00\x1b\n\u2028" * 250_000
    assert said(control.user_message(text, "u1"))["message"]["content"] == text


def test_a_message_that_no_reader_takes_is_refused() -> None:
    with pytest.raises(InvalidInput, match="MB") as caught:
        control.user_message("x" * control.MAX_LINE, "u1")
    assert "file" in caught.value.hint


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"bytes"])
def test_what_json_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(InvalidInput):
        control.allow("r1", {"value": value})


def test_an_input_nested_too_deep_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InvalidInput):
        control.allow("r1", {"value": deep})


def test_requests_have_the_fields_without_which_the_cli_ends() -> None:
    assert said(control.initialize("h1")) == {
        "type": "control_request",
        "request_id": "h1",
        "request": {"subtype": "initialize", "hooks": None, "sdkMcpServers": ["ctui"]},
    }
    assert said(control.interrupt("h2"))["request"] == {"subtype": "interrupt"}
    assert said(control.set_permission_mode("h5", "plan"))["request"]["mode"] == "plan"
    with pytest.raises(InvalidInput, match="yolo"):
        control.set_permission_mode("h6", "yolo")


def answer(line: bytes) -> Any:
    response = said(line)["response"]
    assert response["request_id"] == "r1"
    return response["response"] if response["subtype"] == "success" else response["error"]


def test_answers_say_what_was_decided() -> None:
    given_input = {"command": "npm test"}
    assert answer(control.allow("r1", given_input)) == {
        "behavior": "allow",
        "updatedInput": given_input,
    }
    assert answer(control.deny("r1", "no")) == {"behavior": "deny", "message": "no"}
    assert answer(control.deny("r1", "no", interrupt=True))["interrupt"] is True
    assert answer(control.approve_plan("r1", {"plan": "p"}, accept_edits=True)) == {
        "behavior": "allow",
        "updatedInput": {"planFilePath": ""},  # the CLI takes {} for the input with the plan
        "updatedPermissions": [dict(control.ACCEPT_EDITS)],
    }
    assert "updatedPermissions" not in answer(control.approve_plan("r1", {"plan": "p"}))
    assert answer(control.no_opinion("r1")) == {}
    assert answer(control.refuse("r1", "unknown")) == "unknown"
    assert answer(control.mcp_reply("r1", {"id": 1})) == {"mcp_response": {"id": 1}}


def test_answered_questions_carry_the_questions_answers_and_notes() -> None:
    line = control.answer_questions("r1", {"questions": [1]}, {"Which?": "A, B"}, {"Which?": "hm"})
    assert answer(line)["updatedInput"] == {
        "questions": [1],
        "answers": {"Which?": "A, B"},
        "annotations": {"Which?": {"notes": "hm"}},
    }


def test_a_form_is_filled_in_only_when_it_is_accepted() -> None:
    content = {"color": "blue"}
    accepted = control.answer_elicitation("r1", "accept", content)
    assert answer(accepted) == {"action": "accept", "content": content}
    assert answer(control.answer_elicitation("r1", "decline", content)) == {"action": "decline"}
    with pytest.raises(InvalidInput):
        control.answer_elicitation("r1", "maybe", content)


RULE = {"toolName": "Bash", "ruleContent": "npm test"}
SUGGESTIONS: list[dict[str, Any]] = [
    {"type": "addRules", "rules": [RULE], "behavior": "allow", "destination": "localSettings"},
    {"type": "addDirectories", "directories": ["/x"], "destination": "projectSettings"},
    {"type": "setMode", "mode": "acceptEdits", "destination": "session", "extra": 1},
]


def test_suggestions_hold_for_the_session_only() -> None:
    assert control.session_permissions(SUGGESTIONS) == [
        {"type": "addRules", "rules": [RULE], "behavior": "allow", "destination": "session"},
        {"type": "addDirectories", "directories": ["/x"], "destination": "session"},
        {"type": "setMode", "mode": "acceptEdits", "destination": "session"},
    ]


def test_the_label_leaves_out_nothing_that_is_allowed() -> None:
    assert control.session_label(SUGGESTIONS) == (
        "always run `npm test`, work in /x, accept all edits in this task"
    )
    bare = [{"type": "addRules", "behavior": "allow", "rules": [{"toolName": "Bash"}]}]
    assert control.session_label(bare) == "always run any command in this task"
    tool = [{"type": "addRules", "behavior": "allow", "rules": [{"toolName": "mcp__db__ask"}]}]
    assert control.session_label(tool) == "always allow mcp__db__ask in this task"
    assert control.session_label([]) == ""


@pytest.mark.parametrize(
    "suggestion",
    [
        {},
        {"type": "setMode", "mode": "bypassPermissions"},
        {"type": "replaceRules", "rules": [RULE], "behavior": "allow"},
        {"type": "removeRules", "rules": [RULE], "behavior": "deny"},
        {"type": "addRules", "rules": [RULE], "behavior": "deny"},
        {"type": "addRules", "rules": [{"ruleContent": "x"}], "behavior": "allow"},
        {"type": "addRules", "rules": "Bash", "behavior": "allow"},
        {"type": "addDirectories", "directories": [7]},
        {"type": ["setMode"], "mode": "acceptEdits"},
    ],
)
def test_a_suggestion_that_does_anything_else_is_left_out(suggestion: dict[str, Any]) -> None:
    assert control.session_permissions([suggestion]) == []
    assert control.session_label([suggestion]) == ""


@given(st.lists(st.dictionaries(ANY_TEXT, ANY_TEXT | st.lists(ANY_TEXT), max_size=4), max_size=4))
@settings(max_examples=50)
def test_hostile_suggestions_never_raise(suggestions: list[dict[str, Any]]) -> None:
    said(control.allow("r1", {}, permissions=control.session_permissions(suggestions)))


def test_a_label_cannot_write_to_the_terminal() -> None:
    rule = {"toolName": "Bash", "ruleContent": "\x1b]0;x\x07\u202erm -rf\n/"}
    label = control.session_label([{"type": "addRules", "behavior": "allow", "rules": [rule]}])
    assert label == "always run `\ufffdrm -rf /` in this task"


_COMMANDS = frozenset({"compact", "cost", "code-review"})


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("/users endpoint returns 500, fix it", " /users endpoint returns 500, fix it"),
        ("/tmp/x.py is broken", " /tmp/x.py is broken"),
        ("/compact", "/compact"),
        ("/compact keep the names", "/compact keep the names"),
        ("/code-review\nall of it", "/code-review\nall of it"),
        ("/cost: what is it", " /cost: what is it"),
        ("/Compact", " /Compact"),
        ("/", " /"),
        (" /compact", " /compact"),
        ("look at /users", "look at /users"),
        ("", ""),
    ],
)
def test_only_a_command_of_the_cli_is_sent_as_one(text: str, sent: str) -> None:
    """T9: everything else reaches the model as text."""
    assert control.as_cli_text(text, _COMMANDS) == sent
    assert control.as_said(sent).strip() == text.strip()


def test_the_answer_to_initialize_names_commands_and_aliases() -> None:
    """T9, beside it: whatever else is in that answer names none."""
    answer = {"commands": [{"name": "usage", "aliases": ["cost", 7]}, {"other": 3}, "x"]}
    assert control.commands_of(answer) == {"usage", "cost"}
    assert control.commands_of({"commands": "none"}) == frozenset()
