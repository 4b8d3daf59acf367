"""Notices of what happens beside the conversation: retries, modes, compaction, stderr."""

from __future__ import annotations

from ctui.claude.protocol import events
from ctui.claude.transcript.blocks import LongText, Notice
from ctui.claude.transcript.cursor import Cursor
from ctui.text import one_line, sanitise

_UNKNOWN = "?"
_STDERR_LIMIT = 1 << 16
"""Characters of stray text in one block; what comes behind begins another."""


class Notices:
    """Source of notices, which knows what was said already."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._mode = ""
        self._session = ""
        self._agents: set[str] = set()

    def go_on(self, session: str) -> None:
        """Take up a run that has begun before and said so, in a mode that is not known here."""
        self._session, self._mode = session, _UNKNOWN

    def begin_run(self) -> None:
        """Forget the mode: a new process starts in one of its own."""
        self._mode = ""

    def init(self, event: events.Init) -> None:
        if self._session and event.session and event.session != self._session:
            self._cursor.notice("session", "a new conversation begins")
        if not self._mode:
            for server in event.failed_servers:
                self._cursor.notice("server", f"the tool server {server} does not answer")
        self._session = event.session or self._session
        self._mode = event.permission_mode or self._mode

    def status(self, event: events.Status) -> None:
        mode = event.permission_mode
        if mode and mode != self._mode:
            self._mode = mode
            self._cursor.notice("mode", f"permission mode: {one_line(mode)}")
        if event.compact_result == "failed":
            error = one_line(event.compact_error) or "no reason given"
            text = f"the conversation could not be compacted: {error}"
            self._cursor.notice("compaction", text)

    def api_retry(self, event: events.ApiRetry) -> None:
        """Settle one notice for all tries of a call."""
        answer = f"answered {event.status}" if event.status else "did not answer"
        count = f"{event.attempt} of {event.max_retries}"
        text = f"the API {answer} ({one_line(event.error)}): trying again, {count}"
        last = self._last("retry")
        if last is None:
            self._cursor.notice("retry", text)
        else:
            last.text = LongText(text)
            self._cursor.ledger.touch(last)

    def permission_denied(self, event: events.PermissionDenied) -> None:
        self._cursor.notice("denied", f"{one_line(event.tool)} was denied: {event.message}")

    def compacted(self, event: events.Compacted) -> None:
        sizes = f"{event.before_tokens} to {event.after_tokens} tokens"
        self._cursor.notice("compaction", f"the conversation was compacted from {sizes}")

    def background(self, event: events.BackgroundTask) -> None:
        """Settle a background command's end. A subagent's end is the result of its tool call."""
        if event.kind == "local_agent":
            self._agents.add(event.id)
        elif event.phase == "ended" and event.id not in self._agents:
            self._cursor.notice("background", event.summary or event.description or event.status)

    def stray(self, event: events.Stray) -> None:
        """Settle one notice for lines that follow each other."""
        text = sanitise(event.text).strip("\n")
        if not text.strip():
            return
        last = self._last("stderr")
        if last is None or len(last.text) >= _STDERR_LIMIT:
            self._cursor.notice("stderr", text)
        else:
            last.text.append(f"\n{text}")
            self._cursor.ledger.touch(last)

    def _last(self, kind: str) -> Notice | None:
        last = self._cursor.ledger.last
        same = isinstance(last, Notice) and last.kind == kind and last.run == self._cursor.run
        return last if same and isinstance(last, Notice) else None
