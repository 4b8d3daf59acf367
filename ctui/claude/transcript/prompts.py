"""Messages of the person, from the moment they are said to the CLI's echo."""

from __future__ import annotations

from collections.abc import Iterable

from ctui.claude.protocol.control import as_said
from ctui.claude.transcript.blocks import Prompt
from ctui.claude.transcript.cursor import Cursor
from ctui.text import sanitise

_LONGEST_QUEUE = 64
"""Messages that are looked at to tell which of them the CLI merged."""


class Prompts:
    """Messages of the person, each settled once, where its first echo stands."""

    def __init__(self, cursor: Cursor, echoed: Iterable[str] = ()) -> None:
        """Begin with nothing settled; messages that were `echoed` before are no news."""
        self._cursor = cursor
        self._echoed = set(echoed)
        self._expected: dict[str, Prompt] = {}
        self._queue: dict[str, str] = {}
        self._queue_end = 0

    def expect(self, uuid: str, text: str, time: int) -> None:
        """Show a message as not delivered until its echo comes."""
        if uuid in self._echoed or uuid in self._expected:
            return
        run = max(1, self._cursor.run)
        prompt = Prompt(run=run, time=time, uuid=uuid, text=sanitise(text), delivered=False)
        self._expected[uuid] = prompt
        self._cursor.ledger.open(prompt)

    def echoed(self, uuid: str, text: str, parent: str) -> None:
        """Settle a message that the CLI took; one that was sent twice is echoed twice."""
        text = self._without_merged(sanitise(text))
        if uuid not in self._echoed:
            self._settle(uuid, as_said(text), parent)
        self._queue.pop(uuid, None)
        self._queue[uuid] = text
        self._queue_end = self._cursor.ledger.settled

    def _settle(self, uuid: str, text: str, parent: str) -> None:
        if uuid:
            self._echoed.add(uuid)
        prompt = self._expected.pop(uuid, None)
        if prompt is None:
            prompt = Prompt(**self._cursor.origin(parent), uuid=uuid, text=text)
        prompt.run, prompt.time = self._cursor.run, self._cursor.time
        prompt.text, prompt.delivered = text, True
        self._cursor.ledger.settle(prompt)

    def _without_merged(self, text: str) -> str:
        """Return an echo's text without the messages that the CLI merged into it.

        It joins messages that waited together, and echoes the last one with all texts. One that
        was sent again is among them, although its own echo is no news.
        """
        if self._cursor.ledger.settled != self._queue_end:
            self._queue.clear()
        waited = list(self._queue.values())[-_LONGEST_QUEUE:]
        earlier = "".join(f"{said}\n" for said in waited)
        return text.removeprefix(earlier)
