"""What a person reads of a conversation, one situation at a time."""

from __future__ import annotations

import pytest

from ctui.claude.blocks import (
    AskOutcome,
    FormRecord,
    Notice,
    PermissionRecord,
    PlanRecord,
    Prompt,
    QuestionRecord,
    RunMark,
    Speech,
    Thought,
    ToolCall,
    ToolState,
    TurnEnd,
)
from ctui.claude.decode import decode
from ctui.claude.render import render_block
from ctui.claude.summary import progress
from ctui.claude.transcript import Transcript
from tests.claude import lines
from tests.claude.fold import fold, only, out


def test_streamed_text_keeps_its_id_and_ends_as_its_final_line_says() -> None:
    transcript = fold(
        out(
            [
                lines.init(),
                lines.message_start("m1"),
                *lines.deltas(0, lines.text(""), ["\x1b[3", "1mHel", "lo"], None),
            ]
        )
    )
    (growing,) = only(transcript, Speech)
    assert growing.open
    assert "\x1b" not in str(growing.text)

    final = decode(lines.assistant("m1", lines.text("\x1b[31mHello")))
    changes = transcript.feed(final, run=1, time=9)

    assert changes.changed == (growing.id,)
    assert not changes.added
    assert not changes.removed
    assert transcript.block(growing.id) is transcript.blocks[-1]
    (growing,) = only(transcript, Speech)
    assert str(growing.text) == "Hello"
    assert not growing.open
    assert growing.time == 9


def test_each_delta_changes_its_own_block_only() -> None:
    transcript = fold(out([lines.init(), lines.message_start("m1")]))
    start, first, second = lines.deltas(0, lines.text(""), ["a", "b"], None)
    assert not transcript.feed(decode(start), run=1, time=1)
    added = transcript.feed(decode(first), run=1, time=2)
    changed = transcript.feed(decode(second), run=1, time=3)
    (speech,) = only(transcript, Speech)
    assert (added.added, added.start) == ((speech.id,), 1)
    assert (changed.changed, changed.added, changed.start) == ((speech.id,), (), None)


def test_a_retried_message_replaces_what_was_streamed_of_it() -> None:
    journal = out(
        [
            lines.init(),
            lines.message_start("m1"),
            *lines.deltas(0, lines.text(""), ["half a"], None),
            lines.message_start("m2"),
            *lines.deltas(0, lines.text(""), ["whole"], None),
            lines.assistant("m2", lines.text("whole")),
        ]
    )
    assert [str(block.text) for block in only(fold(journal), Speech)] == ["whole"]


def test_a_block_that_never_closed_is_gone_when_its_run_ends() -> None:
    journal = out(
        [
            lines.init(),
            lines.message_start("m1"),
            *lines.deltas(0, lines.thinking(""), ["hm"], None),
        ]
    )
    assert only(fold(journal), Thought)
    ended = fold([*journal, ("err", 1, lines.relay("exited", code=137))])
    assert not only(ended, Thought)
    assert [(mark.what, mark.code) for mark in only(ended, RunMark)] == [
        ("started", None),
        ("exited", 137),
    ]


def test_parts_that_come_after_the_end_of_a_run_open_nothing() -> None:
    journal = [
        ("err", 1, lines.relay("exited", code=0)),
        *out([lines.message_start("m1"), *lines.deltas(0, lines.text(""), ["late"], None)]),
    ]
    assert not only(fold(journal), Speech)


def test_an_expected_prompt_waits_behind_everything_and_settles_once() -> None:
    transcript = Transcript()
    transcript.expect("u1", "do it", time=1)
    fold(out([lines.init()]), into=transcript)
    (prompt,) = only(transcript, Prompt)
    assert not prompt.delivered
    assert transcript.blocks[-1].id == prompt.id

    fold(out([lines.echo("u1", "do it"), lines.echo("u1", "do it")]), into=transcript)
    transcript.expect("u1", "do it", time=5)

    assert only(transcript, Prompt) == [prompt]
    assert prompt.delivered


def test_messages_that_the_cli_merged_are_shown_once_each() -> None:
    journal = out(
        [lines.echo("u1", "one"), lines.echo("u2", "two"), lines.echo("u3", "one\ntwo\nthree")]
    )
    assert [prompt.text for prompt in only(fold(journal), Prompt)] == ["one", "two", "three"]


def test_a_command_shows_its_output_and_its_exit_status() -> None:
    data = {"stdout": "hi\n", "stderr": "careful", "interrupted": False}
    journal = out(
        [
            lines.assistant("m1", lines.tool_use("t1", "Bash", command="npm test")),
            lines.tool_result("t1", "hi", data),
            lines.assistant("m2", lines.tool_use("t2", "Bash", command="false")),
            lines.tool_result("t2", "Exit code 3\nboom", "Error: Exit code 3\nboom", error=True),
        ]
    )
    good, bad = only(fold(journal), ToolCall)
    assert (good.name, good.subject, good.state) == ("Bash", "npm test", ToolState.OK)
    assert (good.output.stdout, good.output.stderr, good.output.exit_code) == ("hi\n", "careful", 0)
    assert good.finished - good.time == 1
    assert (bad.state, bad.output.text, bad.output.exit_code) == (ToolState.ERROR, "boom", 3)


def test_an_edit_shows_its_diff() -> None:
    patch = [{"oldStart": 4, "oldLines": 1, "newStart": 4, "newLines": 1, "lines": ["-a", "+b"]}]
    journal = out(
        [
            lines.assistant("m1", lines.tool_use("t1", "Edit", file_path="/workspace/a.py")),
            lines.tool_result("t1", "updated", {"structuredPatch": patch, "originalFile": "a"}),
        ]
    )
    (call,) = only(fold(journal), ToolCall)
    assert call.subject == "a.py"
    assert [(hunk.old_start, hunk.lines) for hunk in call.output.hunks] == [(4, ("-a", "+b"))]


def test_a_refused_call_is_denied_and_not_failed() -> None:
    journal = out(
        [
            lines.assistant("m1", lines.tool_use("t1", "Bash", command="rm -rf /")),
            lines.can_use_tool("r1", "t1", "Bash", command="rm -rf /"),
            lines.answer_echo("r1", behavior="deny", message="not today"),
            lines.tool_result("t1", "not today", "Error: not today", error=True),
        ]
    )
    transcript = fold(journal)
    (call,) = only(transcript, ToolCall)
    (record,) = only(transcript, PermissionRecord)
    assert call.state is ToolState.DENIED
    assert (record.outcome, record.message) == (AskOutcome.DENIED, "not today")


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


def test_a_subagents_blocks_name_their_parent_and_lie_deeper() -> None:
    journal = out(
        [
            lines.assistant("m1", lines.tool_use("t1", "Agent", description="look")),
            lines.assistant("m2", lines.tool_use("t2", "Agent", description="deeper"), "t1"),
            lines.assistant("m3", lines.text("found"), "t2"),
            lines.tool_result("t1", "ok"),
        ]
    )
    transcript = fold(journal)
    outer, inner = only(transcript, ToolCall)
    (speech,) = only(transcript, Speech)
    assert [(block.parent, block.depth) for block in (outer, inner, speech)] == [
        ("", 0),
        ("t1", 1),
        ("t2", 2),
    ]


def test_a_turn_costs_what_it_added_to_the_process() -> None:
    first = out([lines.result(0.10), lines.result(0.25)])
    transcript = fold([*first, *out([lines.result(0.05)], run=2)])
    assert [round(end.cost_usd, 4) for end in only(transcript, TurnEnd)] == [0.10, 0.15, 0.05]


def test_an_api_failure_is_a_failed_turn_and_says_so_once() -> None:
    said = "API Error: 429 slow down"
    failure = lines.result(is_error=True, result=said, api_error_status=429)
    (end,) = only(fold(out([failure])), TurnEnd)
    assert (end.ok, end.text) == (False, said)
    (end,) = only(fold(out([lines.assistant("m", lines.text(said)), failure])), TurnEnd)
    assert (end.ok, end.text) == (False, "")


def test_a_turn_that_the_person_ended_is_no_failure() -> None:
    said = lines.line(type="user", message={"content": "[Request interrupted by user]"})
    end = lines.result(
        subtype="error_during_execution",
        is_error=True,
        errors=["[ede_diagnostic] x"],
        terminal_reason="aborted_streaming",
        duration_ms=28_900,
    )
    transcript = fold(out([said, end]))
    (turn,) = only(transcript, TurnEnd)
    assert (turn.interrupted, turn.text) == (True, "")
    assert render_block(turn, 80) == ["■ interrupted (28.9 s, $0.0100 so far)"]
    assert progress(decode(end)) == "■ interrupted"


def test_the_time_of_a_call_is_not_that_of_the_person() -> None:
    ask_user = lines.line(
        type="control_request",
        request_id="r3",
        request={
            "subtype": "mcp_message",
            "message": {
                "method": "tools/call",
                "params": {
                    "name": "ask_user",
                    "arguments": {"question": "q"},
                    "_meta": {"claudecode/toolUseId": "c3"},
                },
            },
        },
    )
    calls = [lines.assistant("m", lines.tool_use(f"c{n}", "Bash", command="x")) for n in (1, 2, 3)]
    asked = [lines.can_use_tool(f"r{n}", f"c{n}", "Bash", command="x") for n in (1, 2)]
    answered = [
        lines.answer_echo("r1", behavior="allow"),
        lines.line(type="control_cancel_request", request_id="r2"),
        lines.answer_echo("r3", mcp_response={"result": {}}),
    ]
    given = [*calls, *asked, ask_user, *answered]
    found = only(fold(out(given)), ToolCall)
    # A line's place stands for its time.
    assert [call.waited for call in found] == [3, 3, 3]


def test_tries_of_one_call_are_one_notice() -> None:
    tries = [
        lines.system("api_retry", attempt=n, max_retries=10, error_status=529, error="overloaded")
        for n in (1, 2, 3)
    ]
    (notice,) = only(fold(out(tries)), Notice)
    assert str(notice.text) == "the API answered 529 (overloaded): trying again, 3 of 10"


def test_a_mode_is_told_only_when_it_changes() -> None:
    journal = out(
        [
            lines.init(mode="default"),
            lines.system("status", status="requesting"),
            lines.system("status", status=None, permissionMode="default"),
            lines.system("status", status=None, permissionMode="plan"),
            lines.init(mode="plan"),
        ]
    )
    assert [str(notice.text) for notice in only(fold(journal), Notice)] == ["permission mode: plan"]


def test_a_second_run_continues_the_transcript() -> None:
    first = out(
        [lines.echo("u1", "go"), lines.assistant("m1", lines.tool_use("t1", "Bash", command="x"))]
    )
    second = out([lines.echo("u1", "go"), lines.assistant("m2", lines.text("on"))], run=2)
    transcript = fold([*first, *second])
    assert [type(block) for block in transcript.blocks] == [
        RunMark,
        Prompt,
        ToolCall,
        RunMark,
        Speech,
    ]
    assert only(transcript, ToolCall)[0].state is ToolState.STOPPED


def test_the_drivers_word_on_an_end_joins_the_relays() -> None:
    journal = [
        ("out", 1, lines.init()),
        ("err", 1, lines.relay("exited", code=1)),
        ("ctui", 1, lines.line(kind="ended", text="run 1 ended")),
        ("ctui", 1, lines.line(kind="imported", text="3 commits")),
    ]
    transcript = fold(journal)  # type: ignore[arg-type]
    (mark,) = [mark for mark in only(transcript, RunMark) if mark.what == "exited"]
    assert (mark.code, mark.text) == (1, "")
    assert [(n.kind, str(n.text)) for n in only(transcript, Notice)] == [("imported", "3 commits")]


def test_stderr_lines_that_follow_each_other_are_one_block() -> None:
    journal = [("err", 1, b"warning: \x1b]0;owned\x07one"), ("err", 1, b"two"), ("err", 1, b"")]
    (notice,) = only(fold(journal), Notice)  # type: ignore[arg-type]
    assert str(notice.text) == "warning: one\ntwo"


def test_a_relay_line_on_stdout_is_not_believed() -> None:
    call = lines.assistant("m1", lines.tool_use("t1", "Bash", command="x"))
    transcript = fold(out([call, lines.relay("exited", code=0)]))
    assert only(transcript, ToolCall)[0].state is ToolState.RUNNING


def test_an_input_is_sanitised_at_every_depth() -> None:
    deep: object = "\u202eend"
    for _ in range(100):
        deep = {"k\x1b[0m": [deep]}
    line = lines.assistant("m1", lines.tool_use("t1", "X", given=deep, plain="a\u202eb"))
    (call,) = only(fold(out([line])), ToolCall)
    assert call.given["plain"] == "a\ufffdb"
    assert "\\u202e" not in ascii(call.given)
    assert "\\x1b" not in ascii(call.given)
