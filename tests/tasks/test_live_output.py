"""Output of a command that runs: found by the CLI's own lines, redacted, shown, never archived."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from ctui.claude.protocol.control import command_output
from ctui.claude.protocol.decode import decode
from ctui.claude.protocol.events import CommandOutput, is_partial
from ctui.claude.transcript.blocks import ToolCall
from ctui.claude.transcript.transcript import Transcript
from ctui.demo.model.script import fenced
from ctui.redaction.redactor import Redactor
from ctui.tasks.driver.live_output import last_lines
from ctui.tasks.journal.commands import note_commands
from ctui.tui.text.tool_lines import tool_lines
from tests.tasks.conftest import WAIT_SECONDS, Person

SECRET = "s3cret-Value-of-the-task"


def started(name: str, call: str, **other: Any) -> bytes:
    line = {"type": "system", "subtype": "task_started", "task_id": name, "tool_use_id": call}
    return json.dumps({**line, "task_type": "local_bash", **other}, separators=(",", ":")).encode()


def test_a_command_runs_from_its_notice_to_its_result() -> None:
    """Subagents, odd names and floods are none; the end is a notice, or the call's result."""
    running: dict[str, str] = {}
    assert note_commands(running, started("b1", "toolu_1"))
    assert not note_commands(running, started("../x", "toolu_2"))
    assert not note_commands(running, started("b2", 'toolu"'))
    assert not note_commands(running, started("b2", "toolu_2", task_type="local_agent"))
    assert not note_commands(running, b'{"type":"system","subtype":"task_started"')
    assert running == {"b1": "toolu_1"}
    other = b'{"type":"user","message":{"content":[{"tool_use_id":"toolu_9"}]}}'
    assert not note_commands(running, other)
    assert note_commands(running, other.replace(b"toolu_9", b"toolu_1"))
    assert running == {}
    for number in range(100):
        note_commands(running, started(f"b{number}", f"toolu_{number}"))
    assert len(running) == 32
    over = b'{"type":"system","subtype":"task_notification","task_id":"b3"}'
    assert note_commands(running, over)
    assert "b3" not in running


def end(text: str, *, cut: bool = False) -> bytes:
    return json.dumps({"cut": cut, "text": text}).encode()


def test_only_the_last_lines_are_shown_and_no_secret() -> None:
    """Whole, begun at the end, cut off at the beginning; a bar is its last state."""
    redactor = Redactor([SECRET])
    assert last_lines(end("".join(f"{n}\n" for n in range(9))), redactor) == "3\n4\n5\n6\n7\n8"
    assert last_lines(end("10%\r20%\r30%"), redactor) == "30%"
    assert last_lines(end(f"a {SECRET} b"), redactor) == "a [redacted] b"
    assert last_lines(end(f"a {SECRET[:12]}"), redactor) == "a "
    assert last_lines(end("all tests"), redactor) == "all tests"
    assert last_lines(end(f"{SECRET[9:]}\nplain", cut=True), redactor) == "plain"
    assert len(last_lines(end("x" * 5000), redactor)) == 400
    assert last_lines(b"{", redactor) == ""
    redactor.add("y9-" * 9000)
    assert last_lines(end("a\nplain", cut=True), redactor) == ""
    assert last_lines(end("plain"), redactor) == "plain"


def test_it_stands_under_its_call_until_that_has_ended() -> None:
    """A part, like those of the model's words; it changes nothing of what is left at the end."""
    line = command_output("toolu_1", "one\ntwo\x1b[31m")
    assert is_partial(line)
    event = decode(line)
    assert event == CommandOutput("toolu_1", "one\ntwo\x1b[31m")
    use = {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"command": "make"}}
    message = {"type": "assistant", "message": {"id": "m", "content": [use]}}
    transcript = Transcript()
    for said in (json.dumps(message), line.decode(), command_output("toolu_2", "x").decode()):
        transcript.feed(decode(said), run=1, time=1)
    [call] = [block for block in transcript.blocks if isinstance(block, ToolCall)]
    shown = [each.text for each in tool_lines(call, unfolded=False)[0]]
    assert shown[0] == "Bash make"
    assert shown[1] == "one"
    assert shown[2].startswith("two")
    assert "\x1b" not in "".join(shown)
    result = {"tool_use_id": "toolu_1", "type": "tool_result", "content": "all", "is_error": False}
    transcript.feed(
        decode(json.dumps({"type": "user", "message": {"content": [result]}})), run=1, time=2
    )
    assert call.growing == ""
    transcript.feed(decode(line), run=1, time=3)
    assert call.growing == ""


@pytest.mark.engine
async def test_what_a_command_prints_is_seen_while_it_runs(person: Person) -> None:
    """Issue: live output of the running command, growing; by the real CLI; nothing is kept."""
    environ = {"GIVEN_SECRET": SECRET}
    code, said = await person.ctui("secret", "set", "GIVEN_SECRET", "--from-env", "GIVEN_SECRET")
    assert code == 0, said
    person.world = person.world._replace(environ={**person.world.environ, **environ})
    steps = (
        "bash echo first; echo token=$GIVEN_SECRET; "
        "until test -e go; do sleep 0.2; done; echo second; until test -e on; do sleep 0.2; done"
    )
    code, said = await person.ctui(
        *("run", fenced(steps, "say Done."), "--task-id", "live", "--name", "live", "--detach"),
        *("--skip-permissions", "--secret", "GIVEN_SECRET"),
    )
    assert code == 0, said
    worktree = person.store.tasks.get("live").worktree
    seen: list[str] = []

    async def look() -> None:
        async for batch in person.client.follow("live"):
            events = (decode(entry.line, entry.stream) for entry in batch)
            for event in events:
                if isinstance(event, CommandOutput):
                    seen.append(event.text)
                    touch(worktree, "go")
            if seen and seen[-1].endswith("second"):
                return

    await asyncio.wait_for(look(), WAIT_SECONDS)
    assert seen[0] == "first\ntoken=[redacted]"
    assert seen[-1] == "first\ntoken=[redacted]\nsecond"
    touch(worktree, "on")
    await person.idle("live")
    assert not any("ctui_output" in entry.line for entry in person.journal("live"))
    container = person.store.runs.last("live")
    assert container is not None
    process = await asyncio.create_subprocess_exec(
        *("docker", "top", container.container, "-o", "args"), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert b"output.py" not in output
    assert b"tasks/" not in output


def touch(folder: str, name: str) -> None:
    (Path(folder) / name).touch()
