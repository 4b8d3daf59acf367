"""A message that begins with a slash, and the real CLI."""

from __future__ import annotations

import uuid

import pytest

from ctui.claude.protocol.control import as_cli_text, commands_of
from ctui.claude.protocol.decode import decode
from ctui.claude.protocol.events import Init, Response
from ctui.demo.model.script import fenced
from ctui.tasks import calls
from ctui.tasks.model import TaskState
from tests.tasks.conftest import Person

pytestmark = pytest.mark.engine


async def test_a_slash_that_is_no_command_reaches_the_model(person: Person) -> None:
    """T9: the CLI says which commands it has, and takes everything else as text."""
    await person.start("slash", "say First.")
    await person.idle("slash")
    events = [decode(entry.line, entry.stream) for entry in person.journal("slash")]
    commands = next(
        commands_of(event.response)
        for event in events
        if isinstance(event, Response) and commands_of(event.response)
    )
    assert {"compact", "context", "clear", "cost"} <= commands
    init = next(event for event in events if isinstance(event, Init))
    assert set(init.commands) <= commands
    text = "/users endpoint returns 500, fix it\n" + fenced("say Fixed.")
    message = "6a6f8a1e-3a0b-4d8e-9a55-6d2f0a4f7c11"
    await person.client.call(calls.SendMessage("slash", message, as_cli_text(text, commands)))
    assert (await person.idle("slash", turns=2)).result == "Fixed."


async def test_commands_that_wait_behind_a_turn_are_taken_by_turns_of_their_own(
    person: Person,
) -> None:
    """They have no echo, and the CLI says only once that it works."""
    await person.start("commands", "bash sleep 2", "say First.")
    await person.until("commands", lambda task: task.state is TaskState.RUNNING)
    for text in ("/cost", "/context"):
        await person.client.call(calls.SendMessage("commands", str(uuid.uuid4()), text))
    task = await person.idle("commands", turns=3)
    assert "Context Usage" in task.result
    assert person.store.messages.undelivered("commands") == []
