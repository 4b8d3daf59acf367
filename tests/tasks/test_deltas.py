"""Secrets in the parts of blocks: the parts joined do not have them either."""

from __future__ import annotations

import json
import resource
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from ctui.errors import Unavailable
from ctui.redaction.forms import forms, squeeze, weakness
from ctui.redaction.redactor import Redactor
from ctui.rpc import Frame
from ctui.sandbox.runner import LogLine
from ctui.tasks.journal.archive import Journal
from tests.redaction.test_redaction import AROUND, PEM, SECRETS, ways

FIELDS = {"text": "text_delta", "thinking": "thinking_delta", "partial_json": "input_json_delta"}


def event(kind: str, parent: str | None = None, **more: Any) -> bytes:
    said = {"type": kind, **more}
    line = {"type": "stream_event", "event": said, "session_id": "s", "parent_tool_use_id": parent}
    return json.dumps(line, separators=(",", ":")).encode()


def part(field: str, text: str, index: int = 0, parent: str | None = None) -> bytes:
    delta = {"type": FIELDS[field], field: text}
    return event("content_block_delta", parent, index=index, delta=delta)


class Viewer:
    """Joins what it is shown."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def publish(self, frames: bytes) -> None:
        for frame in frames.splitlines():
            assert frame[:1] in {Frame.LIVE, Frame.ARCHIVED}
            self.lines.append(json.loads(json.loads(frame[1:])["line"]))

    def joined(self, field: str, index: int = 0, parent: str | None = None) -> str:
        return "".join(
            line["event"].get("delta", {}).get(field, "")
            for line in self.lines
            if line["event"].get("index") == index and line["parent_tool_use_id"] == parent
        )


def cut(text: str, places: list[int]) -> list[str]:
    at = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[start:end] for start, end in pairwise(at)]


def shown(redactor: Redactor, *lines: bytes) -> Viewer:
    viewer = Viewer()
    with TemporaryDirectory() as folder:
        journal = Journal(Path(folder), redactor)
        journal.follow(viewer)
        for number, line in enumerate(lines):
            journal.append(1, [LogLine(number, "out", line)])
        journal.close()
    return viewer


@given(
    SECRETS,
    AROUND,
    st.text(st.characters(codec="ascii"), max_size=30),
    st.lists(st.integers(0, 10_000), max_size=40),
    st.sampled_from(sorted(FIELDS)),
)
@example(PEM, b"user:", "and more", [5, 70, 71, 90, 200], "partial_json")
@example(PEM, b"user:", "", list(range(400)), "text")
def test_joined_parts_have_no_form_of_a_secret(
    secret: str, before: bytes, after: str, places: list[int], field: str
) -> None:
    """Issue: also where stream deltas split it over several lines (deltas joined)."""
    assume(not weakness(secret))
    redactor = Redactor([secret])
    for printed in ways(secret, before, b"").values():
        text = f"Look: <{printed.decode('utf-8', 'replace')}> {after}"
        viewer = shown(
            redactor,
            event("content_block_start", index=0),
            *(part(field, piece) for piece in cut(text, places)),
            event("content_block_stop", index=0),
        )
        joined = viewer.joined(field)
        assert joined.startswith("Look: <")
        left = squeeze(joined.encode())
        assert not any(form in left for form in forms(secret))
        if not any(form[:2] in squeeze(after.encode()) for form in forms(secret)):
            assert squeeze(after.encode()) in left


@given(st.text(st.characters(codec="utf-8"), max_size=60), st.lists(st.integers(0, 99)))
def test_nothing_else_is_lost(text: str, places: list[int]) -> None:
    redactor = Redactor(["sk-ant-api03-abcdefghijklmnop", "ab12cd34", "eyJhbGciOiJ"])
    assume(redactor.redact_text(text) == text)
    pieces = [part("text", piece) for piece in cut(text, places)]
    viewer = shown(redactor, *pieces, event("content_block_stop", index=0))
    assert viewer.joined("text") == text


def test_blocks_side_by_side_are_held_apart() -> None:
    redactor = Redactor(["s3cret-value"])
    viewer = shown(
        redactor,
        part("text", "a s3cr", 0),
        part("text", "b s3cr", 1),
        part("text", "c s3cr", 0, "toolu_1"),
        part("text", "et-value.", 0),
        part("text", "umpy.", 1),
        event("content_block_stop", index=0, parent="toolu_1"),
    )
    assert viewer.joined("text", 0) == "a [redacted]."
    assert viewer.joined("text", 1) == "b s3crumpy."
    assert viewer.joined("text", 0, "toolu_1") == "c s3cr"


@given(st.lists(st.integers(0, 10_000), max_size=20))
def test_a_long_secret_goes_with_all_that_belongs_to_it(places: list[int]) -> None:
    secret = "-".join(f"part{number}" for number in range(40))
    pieces = [part("text", piece) for piece in cut(f"a {secret}. {secret[:99]}", places)]
    viewer = shown(Redactor([secret]), *pieces, event("content_block_stop", index=0))
    assert viewer.joined("text") == "a [redacted]. [redacted]"


def test_white_space_is_not_held_back_for_ever() -> None:
    redactor = Redactor(["s3cret-value"])
    pieces = [part("text", "a s3c"), *(part("text", " " * 100) for _ in range(100))]
    viewer = shown(redactor, *pieces)
    assert len(viewer.joined("text")) > 5000


def test_what_could_not_be_stored_is_held_back_once() -> None:
    """A batch that the disk did not take comes again."""
    viewer = Viewer()
    with TemporaryDirectory() as folder:
        journal = Journal(Path(folder), Redactor(["s3cret-value"]))
        journal.follow(viewer)
        batch = [LogLine(1, "out", part("text", "a s3cr")), LogLine(1, "err", b'{"event":{}}')]
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
        try:
            with pytest.raises(Unavailable):
                journal.append(1, batch)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        journal.append(1, batch)
        journal.append(1, [LogLine(2, "out", part("text", "et"))])
        journal.append(1, [LogLine(3, "out", event("content_block_stop", index=0))])
        journal.close()
    assert "".join(line["event"].get("delta", {}).get("text", "") for line in viewer.lines) == (
        "a s3cret"
    )
