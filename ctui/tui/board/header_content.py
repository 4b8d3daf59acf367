"""The screen's top line, as content: where we are, what there is to do, what is missing. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len
from textual.content import Content

from ctui.text import one_line
from ctui.tui.board.board import Board, Group, Item
from ctui.tui.board.task_content import joined

if TYPE_CHECKING:
    from ctui.client.health.health import Check


class Count(NamedTuple):
    """Number of rows that want the same, in the header."""

    text: str
    style: str
    path: str
    """The first of these rows; "" where they are not on this list."""


def counts(items: Sequence[Item], elsewhere: int = 0) -> list[Count]:
    """Return how many rows ask, failed, have a problem, are new, or work; no row counts twice.

    Args:
        items: the list.
        elsewhere: asks of tasks that are not on it.
    """
    first: dict[str, str] = {}
    numbers: dict[str, int] = {}
    for item in items:
        if word := _count_word(item):
            first.setdefault(word, item.path)
            numbers[word] = numbers.get(word, 0) + 1
    found = [
        Count(f"{numbers[word]} {word}", style, first[word])
        for word, style in _COUNT_STYLES.items()
        if word in numbers
    ]
    if elsewhere:
        found.append(Count(f"{elsewhere} ask elsewhere", "$warning", ""))
    return found


_COUNT_STYLES = {
    "ask": "bold $warning",
    "failed": "bold $error",
    "problem": "$error",
    "new": "bold $success",
    "work": "$primary",
}


def _count_word(item: Item) -> str:
    match item.group:
        case Group.NEEDS_YOU if item.failed and not item.asks:
            return "failed"
        case Group.NEEDS_YOU:
            waits = item.asks or (item.task is not None and item.task.state.live)
            return "ask" if waits else "problem"
        case Group.NEW:
            return "new"
        case Group.WORKING:
            return "work"
    return ""


def screen_header(
    board: Board,
    name: str,
    branch: str,
    *,
    shown: Sequence[Count] = (),
    distance: tuple[int, int] = (0, 0),
    target: str = "",
    scripted: bool,
    width: int = 10_000,
) -> tuple[Content, dict[int, str]]:
    """Return the top line: where we are, and what there is to do.

    Args:
        board: what there is.
        name: of the repository.
        branch: of its checkout.
        shown: what there is to do.
        distance: how many commits that branch is ahead of its upstream, and behind it.
        target: branch that worktrees are judged against.
        scripted: whether the model is the demo's.
        width: cells that there are; what is known elsewhere too gives way, and never half a word.

    Returns:
        the line, and for each cell of a count the row that it stands for.
    """
    ahead, behind = distance
    marks = [f"↑{ahead}" if ahead else "", f"↓{behind}" if behind else ""]
    where = [
        _Piece("ctui", "bold $primary", gives_way=4),
        _Piece(one_line(name, 40), "bold"),
        _Piece(" ".join(filter(None, [one_line(branch, 40), *marks])), "", gives_way=3),
    ]
    if target and target != branch:
        where.append(_Piece(f"against {one_line(target, 40)}", "$text-muted", gives_way=1))
    cost = _Piece(f"${board.cost:.2f}", "$text-muted", gives_way=2)
    model = [_Piece("the model is scripted", "bold $error", "scripted")] if scripted else []
    for level in range(_LEVELS):
        line, cells = _line(where, shown, [cost, *model], level)
        if line.cell_length <= width:
            break
    return line.truncate(width, ellipsis=True), cells


_LEVELS = 5


class _Piece(NamedTuple):
    """Words of the top line."""

    text: str
    style: str
    short: str = ""
    """Instead of them where there is little room; "" for none."""
    gives_way: int = _LEVELS
    """The level from which on it is left out."""

    def at(self, level: int) -> tuple[str, str]:
        text = "" if level >= self.gives_way else self.text
        return (self.short if level and self.short else text), self.style


def _line(
    where: Sequence[_Piece], shown: Sequence[Count], rest: Sequence[_Piece], level: int
) -> tuple[Content, dict[int, str]]:
    """Return the top line without what gives way at a level, and the cells of its counts."""
    parts = joined([part for piece in where if (part := piece.at(level))[0]])
    cells: dict[int, str] = {}
    for count in shown:
        parts.append((" · ", "dim") if count is not shown[0] else ("   ", ""))
        start = sum(cell_len(text) for text, _ in parts)
        cells |= dict.fromkeys(range(start, start + cell_len(count.text)), count.path)
        parts.append((count.text, count.style))
    if ends := joined([part for piece in rest if (part := piece.at(level))[0]]):
        parts += [("   ", ""), *ends]
    return Content.assemble(*parts), cells


def health_marks(checks: Sequence[Check]) -> Content:
    """Return `engine ✓  login 6 h`: the two that come and go, and whatever else is missing."""
    parts: list[tuple[str, str]] = []
    for check in checks:
        if check.name in {"engine", "login"} or not check.ok:
            mark, colour = (check.brief or "✓", "$text-muted") if check.ok else ("✗", "bold $error")
            parts.append((f"{one_line(check.name, 20)} {mark}", colour))
    return Content.assemble(*joined(parts))
