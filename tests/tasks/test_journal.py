from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctui.errors import Unavailable
from ctui.redaction.redactor import Redactor
from ctui.sandbox.runner import LogLine
from ctui.tasks.journal.archive import FILE_NAME, Journal, read_entries

DELTA = b'{"type":"stream_event","event":{"type":"content_block_delta"},"parent_tool_use_id":null}'
START = b'{"type":"stream_event","event":{"type":"message_start"},"parent_tool_use_id":null}'
WHOLE = b'{"type":"assistant","message":{},"parent_tool_use_id":null}'
RESULT = b'{"type":"result"}'


class Viewer:
    def __init__(self) -> None:
        self.frames = b""

    def publish(self, frames: bytes) -> None:
        self.frames += frames

    def kinds(self) -> str:
        return "".join(chr(line[0]) for line in self.frames.splitlines())


def out(*lines: bytes) -> list[LogLine]:
    return [LogLine(number, "out", line) for number, line in enumerate(lines)]


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path, Redactor(["s3cret-value"]))


def test_parts_are_shown_live_and_only_whole_lines_are_archived(journal: Journal) -> None:
    viewer = Viewer()
    assert journal.follow(viewer) == 0
    journal.append(1, out(START, DELTA, WHOLE, RESULT))
    assert viewer.kinds() == "LLAA"
    assert [e.line.encode() for e in read_entries(journal.path)] == [WHOLE, RESULT]


def test_who_comes_in_the_middle_of_a_block_gets_its_parts(journal: Journal) -> None:
    journal.append(1, out(START, DELTA, WHOLE, DELTA, DELTA))
    late = Viewer()
    offset = journal.follow(late)
    assert late.kinds() == "LLL"
    assert [e.line.encode() for e in read_entries(journal.path, 0, offset)] == [WHOLE]
    journal.append(1, out(RESULT))
    later = Viewer()
    journal.follow(later)
    assert later.frames == b""


def test_open_blocks_are_kept_within_a_budget(journal: Journal) -> None:
    """S27: a message of another subagent counts as its parts do, and the oldest makes way."""

    def start(parent: int, padding: int) -> bytes:
        message = b'{"type":"message_start"},"parent_tool_use_id":"%d"' % parent
        return b'{"type":"stream_event","event":%s,"x":"%s"}' % (message, b"x" * padding)

    for parent in range(64):
        journal.append(1, out(start(parent, 1 << 20)))
    kept = journal.open_parts()
    assert 14 << 20 < len(kept) <= 16 << 20
    assert b'\\"63\\"' in kept
    assert b'\\"0\\"' not in kept
    journal.append(1, out(START, DELTA))
    assert journal.open_parts().endswith(b"\n")
    assert b"content_block_delta" in journal.open_parts()[-500:]

    journal.forget_parts()
    journal.append(1, out(*(start(parent, 0) for parent in range(5000))))
    assert journal.open_parts().count(b"\n") == 500
    part = b'{"type":"stream_event","event":{},"parent_tool_use_id":"%d"}'
    journal.append(1, out(*(part % parent for parent in range(5000, 9000))))
    assert journal.open_parts().count(b"\n") == 500
    # What ends a block that nobody knows leaves nothing behind.
    journal.forget_parts()
    whole = b'{"type":"assistant","parent_tool_use_id":"%d"}'
    journal.append(1, out(*(whole % parent for parent in range(2000))))
    journal.append(1, out(*(start(parent, 0) for parent in range(2000, 2010))))
    assert journal.open_parts().count(b"\n") == 10


def test_secrets_reach_neither_archive_nor_viewers(journal: Journal, tmp_path: Path) -> None:
    viewer = Viewer()
    journal.follow(viewer)
    journal.append(1, out(b'{"type":"user","x":"s3cret-value"}'))
    assert b"s3cret-value" not in viewer.frames + (tmp_path / FILE_NAME).read_bytes()
    assert b"[redacted]" in viewer.frames


def test_a_line_that_a_crash_cut_off_is_removed(tmp_path: Path) -> None:
    journal = Journal(tmp_path, Redactor([]))
    journal.append(1, out(WHOLE, RESULT))
    journal.close()
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole + b'{"t":3,"run":1,"stream":"out","li')
    again = Journal(tmp_path, Redactor([]))
    assert again.path.read_bytes() == whole
    assert again.size == len(whole)
    again.append(1, out(RESULT))
    assert len(list(read_entries(again.path))) == 3


def test_lines_are_counted_by_run_and_stream(journal: Journal) -> None:
    journal.append(1, [*out(WHOLE, DELTA), LogLine(9, "err", b"oops")])
    journal.append(2, out(RESULT))
    assert journal.archived(1) == {"out": 1, "err": 1}
    assert journal.archived(2) == {"out": 1}


@given(st.binary(max_size=200).filter(lambda data: b"\n" not in data))
def test_any_bytes_become_one_readable_entry(data: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder), Redactor([]))
        journal.append(1, [LogLine(1, "err", data)])
        (entry,) = read_entries(journal.path)
        assert entry.line == data.decode("utf-8", "replace")
        journal.close()


def test_a_damaged_line_is_said_and_the_others_are_read(journal: Journal) -> None:
    journal.append(1, out(WHOLE, RESULT))
    first, second = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(first + b"\xff garbage\n" + b'{"t": "x"}\n' + second)
    entries = list(read_entries(journal.path))
    assert [entry.stream for entry in entries] == ["out", "ctui", "ctui", "out"]
    assert "damaged" in entries[1].line


def test_a_journal_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be read"):
        list(read_entries(tmp_path))


@pytest.mark.parametrize("instead", [None, b"mine\n", b""])
def test_a_file_that_was_taken_away_is_put_back_whole(
    journal: Journal, instead: bytes | None
) -> None:
    """S21: what the open file holds is not lost, and what comes is written where it is read."""
    journal.append(1, out(WHOLE))
    journal.path.unlink()
    if instead is not None:
        journal.path.write_bytes(instead)
    journal.append(1, out(RESULT))
    journal.append(1, out(WHOLE))
    assert [e.line.encode() for e in read_entries(journal.path)] == [WHOLE, RESULT, WHOLE]
    assert journal.path.stat().st_size == journal.size
    assert journal.path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_was_emptied_has_no_hole(journal: Journal) -> None:
    """S21, beside it: by `> journal.jsonl`."""
    journal.append(1, out(WHOLE))
    journal.path.write_bytes(b"")
    journal.append(1, out(RESULT))
    assert [e.line.encode() for e in read_entries(journal.path)] == [RESULT]
    assert journal.path.stat().st_size == journal.size


@pytest.mark.parametrize("end", [bytes(4096), b'{"t":1' + bytes(100), bytes(10) + b"\n"])
def test_what_a_power_failure_left_at_the_end_hides_nothing(
    tmp_path: Path, journal: Journal, end: bytes
) -> None:
    """S18, beside it: NUL bytes, with or without the rest of a line."""
    journal.append(1, out(WHOLE))
    journal.close()
    with journal.path.open("ab") as file:
        file.write(end)
    again = Journal(tmp_path, Redactor([]))
    again.append(1, out(RESULT))
    lines = [e.line.encode() for e in read_entries(again.path) if e.stream == "out"]
    assert lines == [WHOLE, RESULT]
    assert again.archived(1)["out"] == 2
