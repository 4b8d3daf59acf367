"""Lead of the list to what is most urgent, as long as nobody chooses for themselves. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ctui.tui.board.board import Group, Item


class Follow:
    """Memory of what had come to rest already, and of whether the person has taken over."""

    def __init__(self, last: str = "") -> None:
        """Begin to lead.

        Args:
            last: path of the worktree that was shown last, for when nothing is urgent.
        """
        self._last = last
        self._leads = True
        self._new: set[str] = set()

    def begin(self) -> None:
        """Lead again, from whatever is shown."""
        self._leads = True

    def end(self) -> None:
        """Lead no more: the person has pressed a key."""
        self._leads = False

    def led(self, items: Sequence[Item], here: str | None) -> str | None:
        """Return the worktree to go to; None to stay.

        Whatever needs the person leads to itself at once. What has come to rest leads only when it
        does: else each that is read would lead to the next one, and nobody would have read it.

        Args:
            items: the list.
            here: path of the worktree that is shown; None for none yet.
        """
        groups = {item.path: item.group for item in items}
        before, self._new = self._new, {p for p, group in groups.items() if group is Group.NEW}
        if not self._leads or not items:
            return None
        urgent = [path for path, group in groups.items() if group is Group.NEEDS_YOU]
        arrived = [path for path in groups if path in self._new - before]
        if here not in groups:
            return next(iter([*urgent, *arrived, *({self._last} & groups.keys()), *groups]))
        match groups[here]:
            case Group.NEEDS_YOU:
                return None
            case Group.NEW:
                return next(iter(urgent), None)
            case Group.UNKNOWN if here != self._last:
                arrived += [path for path, group in groups.items() if group is Group.WORKING]
        return next(iter([*urgent, *arrived]), None)
