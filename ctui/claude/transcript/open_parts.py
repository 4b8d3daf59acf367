"""Blocks that are still being written: streamed parts, before the line that says them whole."""

from __future__ import annotations

import msgspec

from ctui.claude.protocol.content import Content, Text, Thinking, ToolUse
from ctui.claude.protocol.events import BlockDelta, BlockStarted, MessageStarted
from ctui.claude.transcript.blocks import Block, LongText, Speech, Thought, ToolCall, ToolState
from ctui.claude.transcript.cursor import Cursor
from ctui.text import one_line, sanitise

_MOST_BLOCKS = 256
_MOST_MESSAGES = 64
"""Far more than a model opens at a time; a flood of parts must not make every step slow."""


class _Message(msgspec.Struct):
    """A message that is being streamed, and its blocks by their index."""

    id: str
    waiting: dict[int, Content] = {}
    """Texts and thoughts that have begun but have no character yet."""
    open: dict[int, Block] = {}


class OpenParts:
    """Blocks of the messages that are being streamed, until they are completed or dropped."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._messages: dict[str, _Message] = {}

    def start_message(self, event: MessageStarted) -> None:
        """Begin a message, and drop what its speaker left open: it will never be completed."""
        self._drop(self._messages.pop(event.parent, None))
        if len(self._messages) < _MOST_MESSAGES and not self._cursor.run_over:
            self._messages[event.parent] = _Message(event.message_id)

    def start_block(self, event: BlockStarted) -> None:
        message = self._messages.get(event.parent)
        if message is None or event.index in message.open or len(message.open) >= _MOST_BLOCKS:
            return
        if isinstance(event.block, ToolUse):
            block = ToolCall(
                **self._cursor.origin(event.parent),
                call_id=event.block.id,
                name=one_line(event.block.name),
                state=ToolState.PREPARING,
            )
            message.open[event.index] = block
            self._cursor.ledger.open(block)
        elif isinstance(event.block, Text | Thinking) and len(message.waiting) < _MOST_BLOCKS:
            message.waiting[event.index] = event.block
            if event.block.text:
                first = BlockDelta(event.parent, event.index, event.block.text)
                self.grow(first)

    def grow(self, event: BlockDelta) -> None:
        """Add a delta to its block."""
        message = self._messages.get(event.parent)
        if message is None:
            return
        block = message.open.get(event.index)
        if block is None:
            kind = message.waiting.pop(event.index, None)
            if kind is None:
                return
            make = Speech if isinstance(kind, Text) else Thought
            text = LongText(sanitise(event.text))
            block = make(**self._cursor.origin(event.parent), text=text, open=True)
            message.open[event.index] = block
            self._cursor.ledger.open(block)
        elif isinstance(block, Speech | Thought):
            block.text.append(sanitise(event.text))
            self._cursor.ledger.touch(block)

    def take(self, parent: str, message_id: str, content: Content) -> Block | None:
        """Remove and return the open block that `content` completes; None if there is none.

        The CLI says a message's blocks in order, and leaves out those that stayed empty; so it is
        the first of its kind, and for a tool call the one with its id.
        """
        message = self._messages.get(parent)
        if message is None or message.id != message_id:
            return None
        for index in sorted(message.open):
            if _completes(content, message.open[index]):
                return message.open.pop(index)
        return None

    def drop_all(self) -> None:
        """Drop all that is open: it will never be completed."""
        for message in self._messages.values():
            self._drop(message)
        self._messages.clear()

    def _drop(self, message: _Message | None) -> None:
        for block in message.open.values() if message else ():
            self._cursor.ledger.drop(block)


def _completes(content: Content, block: Block) -> bool:
    match content:
        case ToolUse():
            return isinstance(block, ToolCall) and block.call_id == content.id
        case Text():
            return isinstance(block, Speech)
        case Thinking():
            return isinstance(block, Thought)
    return False
