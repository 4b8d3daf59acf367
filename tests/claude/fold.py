"""Folding lines, and comparing what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from ctui.claude.protocol.decode import decode
from ctui.claude.protocol.events import Stream, is_partial
from ctui.claude.transcript.blocks import Block
from ctui.claude.transcript.transcript import Transcript

JournalLine = tuple[Stream, int, bytes]
"""Stream, run, line. Its place in the journal stands for its time."""


def out(lines: Iterable[bytes], run: int = 1) -> list[JournalLine]:
    return [("out", run, line) for line in lines]


def fold(
    journal: Sequence[JournalLine], *, archived: bool = False, into: Transcript | None = None
) -> Transcript:
    """Feed a journal, or with `archived` only what an archive keeps of it."""
    transcript = into or Transcript()
    for time, (stream, run, line) in enumerate(journal):
        if not (archived and stream == "out" and is_partial(line)):
            transcript.feed(decode(line, stream), run=run, time=time)
    return transcript


def contents(blocks: Iterable[Block]) -> list[tuple[str, dict[str, Any]]]:
    """All that blocks say: everything but the ids, which only name them."""
    return [(type(block).__name__, {**msgspec.structs.asdict(block), "id": 0}) for block in blocks]


def only(transcript: Transcript, kind: type[Block]) -> list[Any]:
    return [block for block in transcript.blocks if isinstance(block, kind)]
