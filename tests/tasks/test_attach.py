"""`ctui task attach` at a real terminal."""

from __future__ import annotations

import pytest

from tests.tasks.conftest import Person
from tests.tasks.shell_terminal import Terminal
from tests.warm import COMMAND

pytestmark = pytest.mark.engine

_LINE_IS_BACK = "\x1b[?2004h"
"""What prompt_toolkit writes when it reads keys again: pastes come in brackets."""


async def test_a_task_is_answered_and_written_to_in_a_plain_terminal(person: Person) -> None:
    """Part 5: the stream above, a line below; asks with the keys of `ctui run`."""
    await person.start("one", "bash touch made.txt", "say Written.")
    await person.asked("one")
    argv = (*COMMAND, "task", "attach", "one")
    terminal = await Terminal.open(person.repository, person.world.environ, *argv, columns=120)
    try:
        await terminal.shows("made.txt")
        await terminal.shows("y once")
        terminal.type("what\r")
        await terminal.shows("y once")  # it answers nothing, and is no message
        terminal.type("y\r")
        await terminal.shows("Written.")
        await terminal.shows("done")
        terminal.type("Just a word\r")
        await terminal.shows("Just a word")
        await terminal.shows("done")
        # While something is printed the terminal takes the key for the end of a file, and drops it.
        await terminal.shows(_LINE_IS_BACK)
        terminal.type("\x04")
        await terminal.shows("one goes on")
        assert await terminal.exit_code() == 0
    finally:
        terminal.close()
    assert [message.text for message in person.store.messages.of("one")][-1] == "Just a word"
