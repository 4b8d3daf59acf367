"""What a pane has to show as soon as it opens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import msgspec
import pytest

from ctui.claude.transcript.blocks import Prompt
from ctui.paths import Paths
from ctui.tasks.journal.archive import FILE_NAME, Entry
from ctui.tasks.session.messages import new_message
from ctui.tasks.store import Store
from ctui.tui.pane.feed import read_task
from tests.claude import lines
from tests.tui.test_board import task


@pytest.fixture
def store(paths: Paths) -> Iterator[Store]:
    paths.state.mkdir(parents=True)
    with closing(Store(paths.database)) as store:
        store.tasks.add(task("t"))
        yield store


def _prompts(paths: Paths) -> list[tuple[str, bool]]:
    blocks = read_task(paths, "t", 1_000).transcript.blocks
    return [(block.text, block.delivered) for block in blocks if isinstance(block, Prompt)]


def test_what_the_cli_has_not_taken_is_shown(paths: Paths, store: Store) -> None:
    first, second = new_message("t", "the prompt\x1b[2J", 1), new_message("t", "more", 2)
    for message in (first, second):
        store.messages.add(message)
    assert _prompts(paths) == [("the prompt", False), ("more", False)]
    store.messages.mark_delivered(first.task, first.id)
    assert _prompts(paths) == [("more", False)]


def test_what_has_its_echo_in_the_journal_is_shown_once(paths: Paths, store: Store) -> None:
    message = new_message("t", "the prompt", 1)
    store.messages.add(message)
    file = paths.task("t") / FILE_NAME
    file.parent.mkdir(parents=True)
    echo = Entry(1, 1, "out", lines.echo(message.id, "the prompt").decode())
    file.write_bytes(msgspec.json.encode(echo) + b"\n")
    assert _prompts(paths) == [("the prompt", True)]


def test_without_a_store_the_journal_is_shown(paths: Paths) -> None:
    assert _prompts(paths) == []
