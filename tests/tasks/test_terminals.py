"""Terminals in a task, by the real CLI: off unless switched on, asked about like Bash."""

from __future__ import annotations

import json

import pytest

from ctui.demo.model.script import fenced
from ctui.tasks.model import Answer
from tests.tasks.conftest import Person

pytestmark = pytest.mark.engine


def tool(name: str, **given: object) -> str:
    return f"tool mcp__terminal__terminal_{name} {json.dumps(given)}"


def offered(person: Person, task: str) -> bool:
    """Return True if the newest turn of a task had terminals."""
    inits = [event for event in person.events(task) if event.get("subtype") == "init"]
    return "mcp__terminal__terminal_open" in inits[-1]["tools"]


async def test_claude_drives_an_interactive_program(person: Person) -> None:
    """Issue: terminal_open, _send, _snapshot, _close; each start and each input is asked about."""
    steps = (
        tool("open", command='read -p "name? " name; echo "hi $name"; sleep 100'),
        tool("snapshot", terminal="1", wait_for="name?"),
        tool("send", terminal="1", text="you", keys=["enter"]),
        tool("snapshot", terminal="1", wait_for="hi you"),
        tool("close", terminal="1"),
    )
    # The CLI does not wait for a server before its first turn.
    code, said = await person.ctui(
        *("run", fenced("say Ready."), "--task-id", "term", "--name", "term"),
        *("--mcp", "terminal", "--detach"),
    )
    assert code == 0, said
    await person.idle("term")
    while not offered(person, "term"):
        turns = (await person.idle("term")).turns
        await person.say("term", "say Ready.")
        await person.idle("term", turns=turns + 1)
    turns = (await person.idle("term")).turns
    await person.say("term", *steps, "say Done.")
    asked = []
    for _ in range(2):
        ask = await person.asked("term")
        asked.append(ask.tool)
        assert b"name" in bytes(ask.input) or b"you" in bytes(ask.input)
        await person.answer(ask, Answer("allow"))
    await person.idle("term", turns=turns + 1)
    assert asked == ["mcp__terminal__terminal_open", "mcp__terminal__terminal_send"]
    output = person.tool_output("term")
    assert "name? you\\\\nhi you" in output or "name? you\\nhi you" in output
    assert '"is_error": true' not in output
    _, shown = await person.ctui("task", "show", "term")
    assert "mcp        terminal" in shown
    managed = person.world.paths.task("term") / "managed/terminal"
    assert (managed / "pyte/screens.py").is_file()
    await person.start("plain", "say Done.")
    await person.idle("plain")
    assert not offered(person, "plain")
