"""A journal that is read from its end says the same as one that is read from its start."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ctui.claude.transcript.blocks import Prompt, Speech
from ctui.client.journal.history import larger, read_past
from ctui.tasks.journal.archive import Entry
from ctui.tasks.model import Message
from tests.claude import lines
from tests.claude.fold import contents


def write(path: Path, turns: int, *, calls: int = 3, size: int = 400) -> None:
    """A journal of so many turns, each with some tool calls."""
    found: list[tuple[int, bytes]] = []
    for turn in range(turns):
        run = 1 + turn // 40
        if turn % 40 == 0:
            found.append((run, lines.init(session="s")))
        found.append((run, lines.echo(f"u{turn}", f"prompt {turn}")))
        for call in range(calls):
            name = f"c{turn}-{call}"
            found.append(
                (run, lines.assistant(f"m{name}", lines.tool_use(name, "Bash", command="ls")))
            )
            found.append((run, lines.can_use_tool(f"r{name}", name, "Bash", command="ls")))
            found.append((run, lines.answer_echo(f"r{name}", behavior="allow", updatedInput={})))
            found.append((run, lines.tool_result(name, "x" * size)))
        found.append((run, lines.assistant(f"m{turn}", lines.text(f"Done {turn}."))))
        found.append((run, lines.result(0.01 * (turn % 40 + 1))))
    encoded = (
        msgspec.json.encode(Entry(number, run, "out", line.decode()))
        for number, (run, line) in enumerate(found)
    )
    path.write_bytes(b"".join(line + b"\n" for line in encoded))


def test_a_missing_journal_is_an_empty_one(tmp_path: Path) -> None:
    past = read_past(tmp_path / "none")
    assert (list(past.transcript.blocks), past.end, past.complete) == ([], 0, True)


def test_the_end_reads_the_same_wherever_reading_began(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    write(path, 120)
    whole = contents(read_past(path, size=path.stat().st_size).transcript.blocks)
    sizes = [4_000, 20_000, 70_000, 200_000]
    for size in sizes:
        past = read_past(path, size=size)
        found = contents(past.transcript.blocks)
        assert not past.complete
        assert len(found) > 3
        assert found == whole[-len(found) :]


def test_further_portions_reach_the_start(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    write(path, 60)
    past, steps = read_past(path, size=2_000), 0
    while not past.complete:
        before = past.start
        past, steps = read_past(path, size=larger(past)), steps + 1
        assert past.start < before
    assert steps < 8


def test_one_turn_without_an_end_is_entered_in_its_middle(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    write(path, 1, calls=40_000, size=200)
    past = read_past(path)
    assert not past.complete
    assert past.end - past.start < 20 << 20
    last = [block for block in past.transcript.blocks if isinstance(block, Speech)]
    assert str(last[-1].text) == "Done 0."


def test_a_line_that_is_being_written_is_left_for_later(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    write(path, 2)
    size = path.stat().st_size
    with path.open("ab") as file:
        file.write(b'{"t":1,"run":1,"stream":"out","li')
    assert read_past(path).end == size


def test_a_message_of_before_is_not_shown_again(tmp_path: Path) -> None:
    """S6: what was sent again after a crash has its second echo in the part that is read."""
    path = tmp_path / "journal.jsonl"
    write(path, 40)
    again = Entry(1_000, 1, "out", lines.echo("u3", "prompt 3").decode())
    with path.open("ab") as file:
        file.write(msgspec.json.encode(again) + b"\n")
    messages = [
        Message(id=f"u{turn}", task="t", text=f"prompt {turn}", created=0, delivered=turn * 15 + 2)
        for turn in range(40)
    ]
    whole = read_past(path, size=path.stat().st_size).transcript.blocks
    past = read_past(path, size=20_000, messages=messages)
    assert not past.complete
    assert contents(past.transcript.blocks) == contents(whole[-len(past.transcript.blocks) :])
    assert "prompt 3" not in [
        block.text for block in past.transcript.blocks if isinstance(block, Prompt)
    ]
