"""What a person reads of what was asked, and of what came of it."""

from __future__ import annotations

import pytest

from ctui.claude.transcript.blocks import (
    AskOutcome,
    FormRecord,
    PermissionRecord,
    PlanRecord,
    QuestionRecord,
)
from tests.claude import lines
from tests.claude.fold import fold, only, out


def test_a_permission_record_says_what_else_was_allowed_with_it() -> None:
    rule = {"toolName": "Bash", "ruleContent": "npm *"}
    grant = {"type": "addRules", "rules": [rule], "behavior": "allow", "destination": "session"}
    journal = out(
        [
            lines.can_use_tool("r1", "t1", "Bash", command="npm test"),
            lines.answer_echo("r1", behavior="allow", updatedInput={}, updatedPermissions=[grant]),
        ]
    )
    (record,) = only(fold(journal), PermissionRecord)
    assert (record.outcome, record.granted) == (AskOutcome.ALLOWED, "always run `npm *`")


@pytest.mark.parametrize(
    ("ending", "outcome"),
    [
        (("out", lines.line(type="control_cancel_request", request_id="r1")), AskOutcome.CANCELLED),
        (("err", lines.relay("exited", code=0)), AskOutcome.EXPIRED),
        (("out", lines.tool_result("t1", "ok")), AskOutcome.EXPIRED),
    ],
)
def test_a_request_that_nobody_can_answer_any_more_is_closed(
    ending: tuple[str, bytes], outcome: AskOutcome
) -> None:
    stream, line = ending
    journal = out([lines.can_use_tool("r1", "t1", "Bash", command="x")])
    transcript = fold([*journal, (stream, 1, line)])  # type: ignore[list-item]
    assert only(transcript, PermissionRecord)[0].outcome is outcome


def test_questions_carry_their_answers() -> None:
    question = {"question": "Which?", "header": "Colour", "options": [{"label": "Blue"}]}
    call = {"name": "ask_user", "arguments": {"question": "Sure?", "options": ["yes", "no"]}}
    message = {"method": "tools/call", "params": call, "jsonrpc": "2.0", "id": 2}
    reply = {"jsonrpc": "2.0", "id": 2, "result": {"content": [{"type": "text", "text": "yes"}]}}
    request = {"subtype": "mcp_message", "server_name": "ctui", "message": message}
    journal = out(
        [
            lines.can_use_tool("r1", "t1", "AskUserQuestion", questions=[question]),
            lines.answer_echo("r1", behavior="allow", updatedInput={"answers": {"Which?": "Red"}}),
            lines.line(type="control_request", request_id="r2", request=request),
            lines.answer_echo("r2", mcp_response=reply),
        ]
    )
    built_in, own = only(fold(journal), QuestionRecord)
    assert built_in.questions[0].options == ("Blue",)
    assert built_in.answers == {"Which?": "Red"}
    assert own.questions[0].options == ("yes", "no")
    assert own.answers == {"Sure?": "yes"}


def test_plans_and_forms_carry_their_outcome() -> None:
    form = {"subtype": "elicitation", "mcp_server_name": "db", "message": "Password?"}
    journal = out(
        [
            lines.can_use_tool("r1", "t1", "ExitPlanMode", plan="# First\nthen"),
            lines.answer_echo("r1", behavior="deny", message="smaller"),
            lines.line(type="control_request", request_id="r2", request=form),
            lines.answer_echo("r2", action="decline"),
        ]
    )
    transcript = fold(journal)
    (plan,), (asked,) = only(transcript, PlanRecord), only(transcript, FormRecord)
    assert (plan.text, plan.outcome, plan.message) == (
        "# First\nthen",
        AskOutcome.DENIED,
        "smaller",
    )
    assert (asked.server, asked.text, asked.outcome) == ("db", "Password?", AskOutcome.DENIED)
