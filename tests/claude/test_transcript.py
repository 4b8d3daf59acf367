"""What a person reads of what Claude says and does, one situation at a time."""

from __future__ import annotations

from ctui.claude.protocol.decode import decode
from ctui.claude.transcript.blocks import (
    AskOutcome,
    Notice,
    PermissionRecord,
    Prompt,
    RunMark,
    Speech,
    Thought,
    ToolCall,
    ToolState,
)
from ctui.claude.transcript.transcript import Transcript
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


def test_an_input_is_sanitised_at_every_depth() -> None:
    deep: object = "\u202eend"
    for _ in range(100):
        deep = {"k\x1b[0m": [deep]}
    line = lines.assistant("m1", lines.tool_use("t1", "X", given=deep, plain="a\u202eb"))
    (call,) = only(fold(out([line])), ToolCall)
    assert call.given["plain"] == "a\ufffdb"
    assert "\\u202e" not in ascii(call.given)
    assert "\\x1b" not in ascii(call.given)


def test_a_command_that_takes_its_time_has_no_second_end() -> None:
    """The CLI tells of it as of one in the background, whose end is told apart."""

    def journal(*, behind: bool) -> Transcript:
        told = {"task_id": "b1", "tool_use_id": "c1"}
        given = (
            {"command": "curl x", "run_in_background": True} if behind else {"command": "curl x"}
        )
        ended = lines.system("task_notification", **told, status="completed", summary="curl x")
        returned = lines.tool_result("c1", "over")
        return fold(
            out(
                [
                    lines.init(),
                    lines.assistant("m1", lines.tool_use("c1", "Bash", **given)),
                    lines.system("task_started", **told, task_type="local_bash"),
                    *([returned, ended] if behind else [ended, returned]),
                ]
            )
        )

    assert only(journal(behind=False), Notice) == []
    [notice] = only(journal(behind=True), Notice)
    assert str(notice.text) == "curl x"
