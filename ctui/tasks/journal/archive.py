"""A task's journal: every line of its runs, in order, with the time the engine read it.

The engine's log is the record while a run lives; this archive is the record afterwards. Its file
`journal.jsonl` holds one `Entry` a line, without the partial lines of blocks that are complete: a
block's final line says everything that its parts said. Only the driver writes it.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from ctui.claude.protocol.events import is_partial
from ctui.errors import Unavailable
from ctui.redaction.redactor import Redactor
from ctui.rpc import Frame
from ctui.sandbox.runner import LogLine
from ctui.tasks.journal.commands import note_commands
from ctui.tasks.journal.deltas import Deltas
from ctui.tasks.model import Notice

FILE_NAME = "journal.jsonl"
_PARENT = re.compile(rb'"parent_tool_use_id":("[^"]{1,200}")')
_HEAD = re.compile(rb'\{"t":(\d+),"run":(\d+),"stream":"(\w+)"')
_DAMAGED = '{"kind":"problem","text":"a line of the journal is damaged, and left out here"}'
_APPENDING = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
_TAIL_LIMIT = 16 << 20
"""Bytes of open blocks that are kept for a viewer who comes in the middle of one."""
_TAILS_LIMIT = 500
"""Messages at once of which they are kept: the task's own, and one of each of its subagents."""


class Entry(msgspec.Struct, frozen=True):
    """One journal line."""

    t: int
    """Nanoseconds since the epoch, as the engine stamped it."""
    run: int
    stream: Literal["out", "err", "ctui"]
    """The CLI's stdout, its stderr (with the relay's lines), or the driver's own notices."""
    line: str


class Viewer(Protocol):
    """Follower of a live journal."""

    def publish(self, frames: bytes) -> None:
        """Take these frames (see `rpc.Frame`). Must not block, and must not raise."""


class Journal:
    """The archive of one task, and those who follow it live."""

    def __init__(self, folder: Path, redaction: Redactor) -> None:
        """Open the archive for appending; a line that a crash cut off is removed.

        Raises:
            Unavailable: the folder cannot be written.
        """
        self.path = folder / FILE_NAME
        self.redaction = redaction
        self._deltas = Deltas(redaction)
        self._viewers: list[Viewer] = []
        self._tails: dict[bytes, list[bytes]] = {}
        self._tail_size = 0
        self._run = 0
        self.commands: dict[str, str] = {}
        """The CLI's id of each command that still runs -> id of its call."""
        self.commands_changed: Callable[[], None] | None = None
        """To be called when these are others."""
        self._encode = msgspec.json.Encoder().encode
        with _translated(self.path):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(self.path, _APPENDING, 0o600)
            self.size = _whole_lines(self._file)
            os.ftruncate(self._file, self.size)

    def close(self) -> None:
        os.close(self._file)

    def sync(self) -> None:
        """Put the archive on the disk itself, before the engine's log goes away."""
        with _translated(self.path):
            os.fsync(self._file)

    def append(self, run: int, lines: Sequence[LogLine]) -> None:
        """Archive and publish the lines of a run.

        Raises:
            Unavailable: the disk is full; nothing of this call was archived or published.
        """
        archived: list[bytes] = []
        frames: list[bytes] = []
        deltas = self._deltas.clone()
        for line in lines:
            partial = line.stream == "out" and is_partial(line.data)
            shown = deltas.redact(line.data) if partial else [self.redaction.redact(line.data)]
            for data in shown:
                text = data.decode("utf-8", "replace")
                entry = self._encode(Entry(line.time, run, line.stream, text)) + b"\n"
                if partial:
                    frames.append(Frame.LIVE + entry)
                else:
                    archived.append(entry)
                    frames.append(Frame.ARCHIVED + entry)
                if line.stream == "out":
                    self._keep_tail(data, Frame.LIVE + entry, partial=partial)
        self._write(b"".join(archived))
        self._deltas = deltas
        self._publish(b"".join(frames))
        self._note_commands(run, lines)

    def show(self, run: int, time: int, part: bytes) -> None:
        """Publish a part of the driver's own, which is not archived."""
        entry = self._encode(Entry(time, run, "out", part.decode())) + b"\n"
        self._publish(Frame.LIVE + entry)

    def _note_commands(self, run: int, lines: Sequence[LogLine]) -> None:
        changed = run != self._run and bool(self.commands)
        if run != self._run:
            self._run, self.commands = run, {}
        for line in lines:
            if line.stream == "out":
                changed = note_commands(self.commands, line.data) or changed
        if changed and self.commands_changed is not None:
            self.commands_changed()

    def note(self, run: int, time: int, notice: Notice) -> None:
        """Archive and publish a line of the driver's own."""
        text = self._encode(notice)
        entry = self._encode(Entry(time, run, "ctui", self.redaction.redact(text).decode())) + b"\n"
        self._write(entry)
        self._publish(Frame.ARCHIVED + entry)

    def archived(self, run: int) -> Counter[str]:
        """Return the number of lines of each stream of that run in the archive."""
        counts: Counter[str] = Counter()
        wanted = str(run).encode()
        with self.path.open("rb") as file:
            for line in file:
                if (head := _HEAD.match(line)) and head.group(2) == wanted:
                    counts[head.group(3).decode()] += 1
        return counts

    def follow(self, viewer: Viewer) -> int:
        """Publish to `viewer` from now on, first the parts of every block that is open.

        Returns:
            The archive's size in bytes: what is before it, the viewer reads from the disk.
        """
        self._viewers.append(viewer)
        viewer.publish(self.open_parts())
        return self.size

    @property
    def followed(self) -> bool:
        return bool(self._viewers)

    def unfollow(self, viewer: Viewer) -> None:
        with suppress(ValueError):
            self._viewers.remove(viewer)

    def open_parts(self) -> bytes:
        """Return the frames of all blocks that are not complete yet."""
        return b"".join(frame for tail in self._tails.values() for frame in tail)

    def forget_parts(self) -> None:
        """Forget all open blocks, which will never close."""
        self._deltas.forget()
        self._tails.clear()
        self._tail_size = 0

    def _keep_tail(self, data: bytes, frame: bytes, *, partial: bool) -> None:
        if not partial and not data.startswith(b'{"type":"assistant"'):
            if data.startswith(b'{"type":"result"'):
                self.forget_parts()
            return
        parent = found.group(1) if (found := _PARENT.search(data)) else b""
        if not partial:
            # The block is complete, but its message goes on: its first line names the message.
            for first in self._drop_tail(parent)[:1]:
                self._add_part(parent, first)
        elif b'"message_start"' in data[:200]:
            self._drop_tail(parent)
            # The oldest makes way: nothing ends the message of a subagent that was cut off.
            while self._tails and not self._has_room(parent, frame):
                self._drop_tail(next(iter(self._tails)))
            self._add_part(parent, frame)
        else:
            self._add_part(parent, frame)

    def _add_part(self, parent: bytes, frame: bytes) -> None:
        if self._has_room(parent, frame):
            self._tails.setdefault(parent, []).append(frame)
            self._tail_size += len(frame)

    def _has_room(self, parent: bytes, frame: bytes) -> bool:
        known = parent in self._tails or len(self._tails) < _TAILS_LIMIT
        return known and self._tail_size + len(frame) <= _TAIL_LIMIT

    def _drop_tail(self, parent: bytes) -> list[bytes]:
        dropped = self._tails.pop(parent, [])
        self._tail_size -= sum(map(len, dropped))
        return dropped

    def _write(self, data: bytes) -> None:
        if not data:
            return
        view = memoryview(data)
        with _translated(self.path):
            self._keep_in_place()
            try:
                while view:
                    view = view[os.write(self._file, view) :]
            except OSError:
                # Half a batch must not be taken for a whole one when it is tried again.
                os.ftruncate(self._file, self.size)
                raise
        self.size += len(data)

    def _keep_in_place(self) -> None:
        """Put the archive back where somebody took it away: the open file still has all of it."""
        ours = os.fstat(self._file)
        # Who cut it off took the lines; what is written now must not stand behind a hole.
        self.size = min(self.size, ours.st_size)
        with suppress(FileNotFoundError):
            there = self.path.lstat()
            if (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino):
                return
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = self.path.with_suffix(".back")
        with beside.open("wb") as copy:
            position = 0
            while part := os.pread(self._file, 1 << 20, position):
                position += copy.write(part)
        beside.chmod(0o600)
        beside.replace(self.path)
        os.close(self._file)
        self._file = os.open(self.path, _APPENDING)

    def _publish(self, frames: bytes) -> None:
        if frames:
            for viewer in self._viewers:
                viewer.publish(frames)


def read_entries(path: Path, start: int = 0, end: int | None = None) -> Iterator[Entry]:
    """Yield the archive's entries between two byte offsets that lie at line starts.

    A line that is damaged is replaced by a notice that says so: the others can still be read.

    Raises:
        Unavailable: the archive cannot be read.
    """
    decode = msgspec.json.Decoder(Entry).decode
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}") from error
    last = Entry(0, 1, "ctui", "")
    with file:
        file.seek(start)
        left = None if end is None else end - start
        for line in file:
            if left is not None:
                left -= len(line)
                if left < 0:
                    return
            if not line.endswith(b"\n"):
                continue
            try:
                last = decode(line)
                yield last
            except msgspec.DecodeError:
                yield msgspec.structs.replace(last, stream="ctui", line=_DAMAGED)


def _whole_lines(file: int) -> int:
    """Return the size of the file up to and with its last newline."""
    size = os.fstat(file).st_size
    position = size
    while position > 0:
        start = max(0, position - (1 << 16))
        found = os.pread(file, position - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        position = start
    return 0


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be written: {error.strerror}",
            hint="free some space or make the folder writable; the task goes on by itself then",
        ) from error
