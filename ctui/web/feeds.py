"""Live streams: one connection to the driver for each task that is followed, however many follow.

A follower that is slow gets nothing more into its buffer and reads the archive from the disk
instead, from where it stands. So it loses nothing, holds up nobody, and costs a bounded amount.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from ctui.client.journal.archive import Chunk, growth, read_lines
from ctui.errors import CtuiError, NotFound
from ctui.tasks.calls import Update
from ctui.tasks.journal.archive import Entry
from ctui.tasks.model import Ask, AskState, Notice, Task
from ctui.web.driver_access import DriverAccess
from ctui.web.views import ask_view, task_update

log = logging.getLogger(__name__)

_MOST_WAITING = 1 << 20
"""Bytes that wait for one follower; beyond it that one reads the disk."""

_RETRY_SECONDS = 1.0
_LONGEST_RETRY_SECONDS = 30.0
_DAMAGED = msgspec.json.encode(
    Entry(
        0,
        0,
        "ctui",
        msgspec.json.encode(Notice("problem", "a line of the journal is damaged")).decode(),
    )
)


class Follower:
    """One client's place in a task's stream."""

    def __init__(self, feed: Feed, position: int) -> None:
        self.position = position
        """Of the archive: everything before it was taken."""
        self.over = False
        self._feed = feed
        self._behind = True
        self._frames: deque[tuple[bytes, int]] = deque()
        self._waiting = 0
        self._news: dict[str, bytes] = {}
        self._told: dict[str, bytes] = {}
        self._wake = asyncio.Event()

    async def next(self) -> bytes:
        """Return the next frames for the client; b"" when the stream is over."""
        while True:
            self._wake.clear()
            if frames := self._take():
                return frames
            if self.over:
                return b""
            if self._behind and await self._catch_up():
                continue
            await self._wake.wait()

    def offer(self, frames: bytes, chunk: Chunk) -> None:
        """Take the frames of a chunk that begins where the one before it ended."""
        if self._waiting > _MOST_WAITING:
            self._behind = True
        if not self._behind:
            self._frames.append((frames, chunk.end))
            self._waiting += len(frames)
        self._wake.set()

    def tell(self, event: str, key: str, data: bytes) -> None:
        """Tell how something is now; what it was in between, a slow client does not hear."""
        if self._told.get(key) != data:
            self._told[key] = data
            self._news[key] = b"event: " + event.encode() + b"\ndata: " + data + b"\n\n"
            self._wake.set()

    def fall_behind(self) -> None:
        """Read from the disk next: what comes does not begin where this follower stands."""
        self._behind = True

    def end(self) -> None:
        self.over = True
        self._wake.set()

    def _take(self) -> bytes:
        """Take all that waits. An id is a position in the archive: events have their line's."""
        parts = [frames for frames, _ in self._frames]
        if self._frames:
            self.position = self._frames[-1][1]
        mark = b"id: %d\n" % self.position
        parts += [mark + news for news in self._news.values()]
        self._frames.clear()
        self._news.clear()
        self._waiting = 0
        return b"".join(parts)

    async def _catch_up(self) -> bool:
        """Read the disk up to where the feed is; return True if there may be something new."""
        target = self._feed.position
        if target is None:
            return False
        if self.position >= target:
            # Nothing was awaited since the look at the feed: the next chunk begins here.
            self._behind = False
            return True
        data = await asyncio.to_thread(read_lines, self._feed.path, self.position, target)
        chunk = Chunk(self.position, data)
        self._frames.append((await asyncio.to_thread(line_frames, chunk, check=True), chunk.end))
        return True


class Feed:
    """One task's journal as it grows, and those who follow it."""

    def __init__(self, access: DriverAccess, task: str) -> None:
        self.path = access.archive(task)
        self.position: int | None = None
        """Position of the followers who are not behind; None until the driver said so."""
        self.followers: set[Follower] = set()
        self._access = access
        self._task = task
        self.job = asyncio.create_task(self._run(), name=f"feed of {task}")

    async def _run(self) -> None:
        while True:
            try:
                async with self._access.client():
                    pass  # a driver is there
                async for chunk in growth(self._access.paths, self._task, self._access.environ):
                    self._publish(chunk)
            except NotFound:
                self.end()
                return
            except CtuiError:
                # `Feeds.watch` says why.
                self.position = None
                for follower in self.followers:
                    follower.fall_behind()
                await asyncio.sleep(_RETRY_SECONDS)

    def _publish(self, chunk: Chunk) -> None:
        self.position = chunk.end
        frames = line_frames(chunk) if chunk.data else b""
        for follower in self.followers:
            follower.offer(frames, chunk)

    def tell(self, event: str, key: str, data: bytes) -> None:
        for follower in self.followers:
            follower.tell(event, key, data)

    def end(self) -> None:
        for follower in self.followers:
            follower.end()


class Feeds:
    """All streams of this process."""

    def __init__(self, access: DriverAccess) -> None:
        self._access = access
        self._feeds: dict[str, Feed] = {}
        self._ended: set[asyncio.Task[None]] = set()
        self._closed = False

    @contextmanager
    def follow(self, task: Task, position: int) -> Iterator[Follower]:
        """Stream the task's journal, from a position in its archive, and its state."""
        feed = self._feeds.get(task.id)
        if feed is None:
            feed = self._feeds[task.id] = Feed(self._access, task.id)
        follower = Follower(feed, position)
        feed.followers.add(follower)
        self._tell_task(follower, task)
        for ask in self._access.store.asks.list(AskState.PENDING, task=task.id):
            self._tell_ask(follower, ask)
        if self._closed:
            follower.end()
        try:
            yield follower
        finally:
            feed.followers.discard(follower)
            if not feed.followers:
                self._drop(task.id, feed)

    async def watch(self) -> None:
        """Tell followers of every change; never returns."""
        wait, said = _RETRY_SECONDS, ""
        while True:
            try:
                async with self._access.client() as client:
                    async for update in client.watch():
                        wait, said = _RETRY_SECONDS, ""
                        self._take(update)
            except CtuiError as error:
                if error.message != said:
                    log.warning("%s", error.one_line())
                said = error.message
                await asyncio.sleep(wait)
                wait = min(wait * 2, _LONGEST_RETRY_SECONDS)

    def close(self) -> None:
        """End every stream, those that are to begin too: the server stops."""
        self._closed = True
        for feed in self._feeds.values():
            feed.end()

    async def ended(self) -> None:
        """Wait until no feed holds a connection any more."""
        for task, feed in list(self._feeds.items()):
            self._drop(task, feed)
        await asyncio.gather(*self._ended, return_exceptions=True)

    def _drop(self, task: str, feed: Feed) -> None:
        if self._feeds.get(task) is feed:
            del self._feeds[task]
        feed.job.cancel()
        self._ended.add(feed.job)
        feed.job.add_done_callback(self._ended.discard)

    def _take(self, update: Update) -> None:
        if update.present is not None:
            for task in set(self._feeds) - set(update.present.tasks):
                self._removed(task)
        if update.removed:
            self._removed(update.removed)
        if update.task is not None and (feed := self._feeds.get(update.task.id)):
            self._tell_task(feed, update.task)
        if update.ask is not None and (feed := self._feeds.get(update.ask.task)):
            self._tell_ask(feed, update.ask)

    def _removed(self, task: str) -> None:
        if feed := self._feeds.get(task):
            feed.tell("removed", "removed", msgspec.json.encode({"task_id": task}))
            feed.end()

    def _tell_task(self, listener: Feed | Follower, task: Task) -> None:
        update = task_update(self._access.store, task)
        listener.tell("task", "task", msgspec.json.encode(update))

    def _tell_ask(self, listener: Feed | Follower, ask: Ask) -> None:
        listener.tell("ask", f"ask {ask.id}", msgspec.json.encode(ask_view(ask)))


def line_frames(chunk: Chunk, *, check: bool = False) -> bytes:
    """Return the events of a chunk's lines; each one's id is where the line ends.

    Args:
        chunk: whole lines.
        check: they come from the disk, where one may be damaged.
    """
    parts: list[bytes] = []
    position = chunk.start
    for line in chunk.data.split(b"\n")[:-1]:
        position += len(line) + 1
        data = line if not check or _is_entry(line) else _DAMAGED
        parts.append(b"id: %d\nevent: line\ndata: %b\n\n" % (position, data))
    return b"".join(parts)


def _is_entry(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=Entry)
    except msgspec.DecodeError:
        return False
    return b"\r" not in line
