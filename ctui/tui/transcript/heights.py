"""Heights of blocks in rows, so that a row's block is found without counting from the top."""

from __future__ import annotations

from collections.abc import Iterable


class Heights:
    """A binary indexed tree (Fenwick 1994) over the blocks' rows.

    A height is an estimate until the block was laid out; then it is exact. All operations but
    `replace_tail` take logarithmic time.
    """

    def __init__(self) -> None:
        self._heights: list[int] = []
        self._exact = bytearray()
        self._sums = [0]

    def __len__(self) -> int:
        return len(self._heights)

    def __getitem__(self, index: int) -> int:
        return self._heights[index]

    @property
    def total(self) -> int:
        return self.top(len(self._heights))

    def is_exact(self, index: int) -> bool:
        return bool(self._exact[index])

    def replace_tail(self, start: int, estimates: Iterable[int]) -> None:
        """Forget every block from `start` on, and put these behind the rest."""
        # A node only sums blocks up to its own, so what is in front stays right.
        del self._heights[start:], self._exact[start:], self._sums[start + 1 :]
        for estimate in estimates:
            self._append(estimate)

    def set(self, index: int, height: int) -> None:
        """Set the exact height of a block."""
        self._exact[index] = 1
        difference = height - self._heights[index]
        self._heights[index] = height
        node = index + 1
        while difference and node < len(self._sums):
            self._sums[node] += difference
            node += node & -node

    def doubt(self, index: int) -> None:
        """Take the height of a block that changed for an estimate again."""
        self._exact[index] = 0

    def doubt_all(self) -> None:
        self._exact = bytearray(len(self._heights))

    def top(self, index: int) -> int:
        """Return the first row of a block; for the number of blocks that of all rows."""
        rows = 0
        while index > 0:
            rows += self._sums[index]
            index -= index & -index
        return rows

    def find(self, row: int) -> tuple[int, int]:
        """Return the block at a row, or the number of blocks, and how far the row is in it."""
        index, step = 0, 1 << len(self._heights).bit_length()
        while step:
            further = index + step
            if further < len(self._sums) and self._sums[further] <= row:
                index = further
                row -= self._sums[further]
            step >>= 1
        return index, row

    def _append(self, height: int) -> None:
        self._heights.append(height)
        self._exact.append(0)
        node = len(self._heights)
        below, end, total = node - 1, node - (node & -node), height
        while below > end:
            total += self._sums[below]
            below -= below & -below
        self._sums.append(total)
