"""The output that clients read is made from the journal; its end is the end of the whole."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from ctui.tasks.journal.archive import Entry
from ctui.web.output import recent_output, whole_output

_LINES = st.sampled_from(
    [
        ("out", '{"type":"system","subtype":"init"}'),
        ("out", '{"type":"system","subtype":"session_state_changed","state":"idle"}'),
        ("out", '{"type":"user","message":{}}'),
        ("out", '{"type":"assistant","message":{"text":"' + "é" * 900 + '"}}'),
        ("out", '{"type":"assistant","message":{"text":"__CLAUDE_EXIT_CODE_0__"}}'),
        ("out", '{"type":"result","is_error":false}'),
        ("out", '{"type":"result","is_error":true}'),
        ("out", '{"type":"control_request","request_id":"1"}'),
        ("out", "__CLAUDE_EXIT_CODE_0__"),
        ("err", '{"ctui_relay": "exited", "code": 0}'),
        ("ctui", '{"kind":"ended","text":"run 1 ended (exit code 137)","urgent":false}'),
        ("ctui", '{"kind":"ended","text":"run 1 ended (exit code unknown)","urgent":false}'),
    ]
)


def _write(path: Path, entries: list[tuple[str, str]], rest: bytes = b"") -> None:
    encoded = [
        msgspec.json.encode({"t": number, "run": 1, "stream": stream, "line": line}) + b"\n"
        for number, (stream, line) in enumerate(entries)
    ]
    path.write_bytes(b"".join(encoded) + rest)


def _whole(path: Path, lines: int | None = None) -> list[str]:
    return b"".join(whole_output(path, lines)).decode().splitlines()


def test_a_turn_ends_with_its_exit_code(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    user, good, bad = '{"type":"user"}', '{"type":"result"}', '{"type":"result","is_error":true}'
    idle = '{"type":"system","subtype":"session_state_changed"}'
    ended = '{"kind":"ended","text":"run 1 ended (exit code 137)","urgent":false}'
    lines = [("out", user), ("out", good), ("out", idle), ("ctui", ended)]
    lines += [("out", user), ("out", bad), ("out", user), ("ctui", ended)]
    _write(path, lines)
    assert _whole(path) == [
        user,
        good,
        "__CLAUDE_EXIT_CODE_0__",
        user,
        bad,
        "__CLAUDE_EXIT_CODE_1__",
        user,
        "__CLAUDE_EXIT_CODE_137__",
    ]
    assert recent_output(path, 1, 1 << 20) == ("__CLAUDE_EXIT_CODE_137__\n", 7)


@settings(max_examples=400)
@given(st.lists(_LINES, max_size=40), st.integers(1, 50), st.sampled_from([b"", b'{"t":1,"r']))
def test_the_end_is_the_end_of_the_whole(
    entries: list[tuple[str, str]], count: int, rest: bytes
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.jsonl"
        _write(path, entries, rest)
        whole = _whole(path)
        assert _whole(path, count) == whole[-count:]
        recent = recent_output(path, count, 1 << 30)
        assert recent.text.splitlines() == whole[-count:]
        for line in whole:
            assert line.startswith("__CLAUDE_EXIT_CODE_") or json.loads(line)
        limited = recent_output(path, count, 2000).text.splitlines()
        assert limited == whole[len(whole) - len(limited) :]
        assert bool(limited) == bool(whole)


def test_a_line_that_is_longer_than_any_block(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    long = '{"type":"assistant","x":"' + "y" * 3_000_000 + '"}'
    short = '{"type":"user"}'
    _write(path, [("out", short), ("out", long), ("out", short), ("out", '{"type":"result"}')])
    assert _whole(path, 4) == _whole(path)[1:]
    assert recent_output(path, 50, 1 << 20).text.splitlines() == _whole(path)[-3:]


def test_no_journal_and_a_damaged_one(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    assert _whole(path) == []
    assert _whole(path, 5) == []
    assert recent_output(path, 50, 1 << 20) == ("", None)
    path.write_bytes(b"not a line\n" + msgspec.json.encode(Entry(1, 1, "out", "{}")) + b"\n\n\n")
    assert _whole(path) == ["{}"]
    assert _whole(path, 3) == ["{}"]
