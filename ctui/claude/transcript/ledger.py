"""The list of a transcript's blocks, and what changed in it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ctui.claude.transcript.blocks import Block


class Changes(msgspec.Struct, frozen=True):
    """Changes by one event, as ids of blocks, so that a screen repaints these and nothing else."""

    added: tuple[int, ...] = ()
    changed: tuple[int, ...] = ()
    removed: tuple[int, ...] = ()
    start: int | None = None
    """The first index at which another block stands than before; None if no place changed."""

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed or self.start is not None)


NOTHING = Changes()


class Ledger:
    """Settled blocks, in the order of the lines that completed them, and behind them open ones.

    An open block is not yet, or not only, said by a line that an archive keeps. So its place is
    behind all that is settled, and it is settled, by its final line, where that line stands: the
    settled part of a ledger is the same however much of the open part somebody has seen.
    """

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._by_id: dict[int, Block] = {}
        self._settled = 0
        self._last_id = 0
        self._added: list[int] = []
        self._changed: dict[int, None] = {}
        self._removed: list[int] = []
        self._start: int | None = None

    @property
    def blocks(self) -> Sequence[Block]:
        return self._blocks

    @property
    def settled(self) -> int:
        """Return the number of settled blocks; all others are behind them."""
        return self._settled

    @property
    def last(self) -> Block | None:
        """Return the last settled block, or None."""
        return self._blocks[self._settled - 1] if self._settled else None

    def get(self, block_id: int) -> Block | None:
        return self._by_id.get(block_id)

    def settle(self, block: Block) -> None:
        """Put a block behind the settled ones; an open one leaves its place among the open."""
        if block.id:
            place = self._blocks.index(block, self._settled)
            del self._blocks[place]
            self._touched_place(self._settled, place)
            self.touch(block)
        else:
            self._name(block)
            self._touched_place(self._settled, len(self._blocks) + 1)
        self._blocks.insert(self._settled, block)
        self._settled += 1

    def open(self, block: Block) -> None:
        """Put a block behind all others, to be settled or dropped later."""
        self._name(block)
        self._touched_place(len(self._blocks), len(self._blocks) + 1)
        self._blocks.append(block)

    def touch(self, block: Block) -> None:
        """Note that a block was changed in place."""
        self._changed[block.id] = None

    def drop(self, block: Block) -> None:
        """Remove an open block."""
        place = self._blocks.index(block, self._settled)
        del self._blocks[place]
        del self._by_id[block.id]
        self._removed.append(block.id)
        self._touched_place(place, place + 1)

    def take_changes(self) -> Changes:
        """Return what was changed since the last call."""
        if not (self._changed or self._added or self._removed or self._start is not None):
            return NOTHING
        added = set(self._added)
        changes = Changes(
            added=tuple(self._added),
            changed=tuple(block_id for block_id in self._changed if block_id not in added),
            removed=tuple(self._removed),
            start=self._start,
        )
        self._added, self._changed, self._removed, self._start = [], {}, [], None
        return changes

    def _name(self, block: Block) -> None:
        self._last_id += 1
        block.id = self._last_id
        self._by_id[block.id] = block
        self._added.append(block.id)

    def _touched_place(self, start: int, end: int) -> None:
        if start < end:
            self._start = start if self._start is None else min(self._start, start)
