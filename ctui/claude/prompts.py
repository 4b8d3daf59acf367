"""What the person said, from the moment they said it to the CLI's echo."""

from __future__ import annotations

from ctui.claude.blocks import Prompt
from ctui.claude.cursor import Cursor
from ctui.text import sanitise

_LONGEST_QUEUE = 64
"""Messages that are looked at to tell which of them the CLI merged."""


class Prompts:
    """Settles each message once, where its echo stands."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._echoed: set[str] = set()
        self._expected: dict[str, Prompt] = {}

    def expect(self, uuid: str, text: str, time: int) -> None:
        """The person said this; no echo has come yet."""
        if uuid in self._echoed or uuid in self._expected:
            return
        run = max(1, self._cursor.run)
        prompt = Prompt(run=run, time=time, uuid=uuid, text=sanitise(text), delivered=False)
        self._expected[uuid] = prompt
        self._cursor.ledger.open(prompt)

    def echoed(self, uuid: str, text: str, parent: str) -> None:
        """The CLI took it. What was sent twice is echoed twice, and was said once."""
        if uuid in self._echoed:
            return
        if uuid:
            self._echoed.add(uuid)
        text = self._without_merged(sanitise(text))
        prompt = self._expected.pop(uuid, None)
        if prompt is None:
            prompt = Prompt(**self._cursor.origin(parent), uuid=uuid, text=text)
        prompt.run, prompt.time = self._cursor.run, self._cursor.time
        prompt.text, prompt.delivered = text, True
        self._cursor.ledger.settle(prompt)

    def _without_merged(self, text: str) -> str:
        """The CLI joins messages that waited together, and echoes the last one with all texts."""
        ledger = self._cursor.ledger
        queue: list[str] = []
        for block in reversed(
            ledger.blocks[max(0, ledger.settled - _LONGEST_QUEUE) : ledger.settled]
        ):
            if not isinstance(block, Prompt) or block.parent:
                break
            queue.append(block.text)
        earlier = "\n".join(reversed(queue)) + "\n"
        return text.removeprefix(earlier) if queue else text
