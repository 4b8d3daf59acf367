"""The cleanup screen's and the trash's rows and words, as content. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from ctui.humanize import age, size_text
from ctui.text import one_line
from ctui.tui.board.item_content import change_marks
from ctui.tui.cleanup.cleanup_list import CleanupList, Kind, Row

if TYPE_CHECKING:
    from ctui.worktrees.trash.entries import TrashEntry

_MARKS = {
    Kind.MERGED: ("✓", "$success"),
    Kind.CLEAN: ("·", "$text-muted"),
    Kind.UNCLEAN: ("!", "$warning"),
}
_NAME = 22
_SIZE = 9
_AGE = 7
_LOSSES = 4
"""So many are told before the person asks for all."""


def heading(kind: Kind, count: int) -> Content:
    colour = {Kind.MERGED: "bold $success", Kind.UNCLEAN: "bold $warning"}.get(kind, "bold")
    return Content.assemble((f"{kind.upper()} ", colour), (str(count), "dim"))


def row_line(row: Row, width: int, now: int, *, marked: bool, size: int | None) -> Content:
    """Return `[x] ✓ fix-typo   every change is in main since 3f2a91c (squash)   1.2 MiB   12 d`."""
    sign, colour = _MARKS[row.kind]
    box = ("[x] ", "bold $primary") if marked else ("[ ] ", "$text-muted")
    why = row.obstacle or ", ".join(filter(None, (row.look_first, row.evidence)))
    about = [part for part in (why, change_marks(row.status)) if part]
    shown_size = size_text(size) if size is not None else "…"
    active = age(row.status.active, now) if row.status.active else ""
    room = max(0, width - 6 - _NAME - 1 - _SIZE - _AGE - 2)
    return Content.assemble(
        box if not row.obstacle else ("  - ", "$text-disabled"),
        (f"{sign} ", colour),
        (one_line(row.name, _NAME).ljust(_NAME + 1), "" if not row.obstacle else "$text-muted"),
        (one_line("  ".join(about), room).ljust(room), "$text-muted"),
        (shown_size.rjust(_SIZE + 1), ""),
        (active.rjust(_AGE + 1), "$text-muted"),
    ).truncate(width, ellipsis=True)


def summary(
    chosen: CleanupList, delete_branches: bool, done: Sequence[str], *, in_full: bool
) -> Content:
    """Return what follows from what is marked; without marks, what was done last."""
    consequences = chosen.consequences(delete_branches=delete_branches)
    if not consequences.facts:
        words = done or [
            "Nothing is marked: space marks a row, A all that is merged, A again what is clean.",
            *_left_out(chosen),
        ]
        return Content("\n").join(Content.styled(text, "$text-muted") for text in words)
    lines = [Content(text) for text in consequences.facts]
    if not consequences.losses:
        lines.append(Content.styled("Nothing is lost: all of it is proven safe.", "$text-success"))
    else:
        lines.append(Content.styled("Nobody else has:", "bold $text-warning"))
        shown = consequences.losses if in_full else consequences.losses[:_LOSSES]
        lines += [Content.styled(f"  {loss}", "$text-warning") for loss in shown]
        if more := len(consequences.losses) - len(shown):
            lines.append(Content.styled(f"  and {more} more: d shows them", "$text-warning"))
    if in_full:
        lines += [
            Content.styled(f"  {row.name}: {row.path}", "$text-muted") for row in chosen.chosen
        ]
    return Content("\n").join(lines)


def _left_out(chosen: CleanupList) -> list[str]:
    count = sum(bool(row.look_first and not row.obstacle) for row in chosen.rows)
    if not count:
        return []
    which = "One of them was" if count == 1 else f"{count} of them were"
    return [f"{which} not read, or failed: A leaves these out."]


def trash_line(entry: TrashEntry, width: int, now: int, *, marked: bool) -> Content:
    """Return `[x] fix-typo   ctui/fix-typo   12 min ago   /home/ada/…`."""
    box = ("[x] ", "bold $primary") if marked else ("[ ] ", "$text-muted")
    return Content.assemble(
        box,
        one_line(entry.name, _NAME).ljust(_NAME + 1),
        (one_line(entry.branch or "(detached)", 30).ljust(31), "$text-muted"),
        (f"{age(entry.removed, now)} ago".ljust(13), "$text-muted"),
        (one_line(entry.path, 200), "$text-muted"),
    ).truncate(width, ellipsis=True)
