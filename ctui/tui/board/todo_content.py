"""A task's to-do list, as one line or as many, as content. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from ctui.claude.protocol.todos import Todo, TodoState, step_now
from ctui.text import one_line

_MARKS: dict[TodoState, tuple[str, str]] = {
    "completed": ("✓", "$success"),
    "in_progress": ("▶", "$primary"),
    "pending": ("○", "$text-muted"),
}
_STYLES: dict[TodoState, str] = {"completed": "$text-muted", "in_progress": "bold", "pending": ""}
_GAP = "  "
_WIDTH = 200


def todo_strip(todos: Sequence[Todo], width: int) -> Content:
    """Return `✓ Find all uses  ▶ Replace them (2/4)  ○ Tests` in at most `width` cells.

    Where not all of it fits, the steps before the one that is done now are a number.
    """
    pieces = [_piece(todo, f" ({place}/{len(todos)})") for place, todo in enumerate(todos, 1)]
    whole = Content(_GAP).join(pieces)
    now = step_now(todos)
    if whole.cell_length <= width or now is None:
        return whole.truncate(width, ellipsis=True)
    place = now[0]
    done = sum(todo.state == "completed" for todo in todos)
    shown = [Content.assemble(("✓ ", "$success"), (f"{done} done", "$text-muted"))] if done else []
    left = [piece for piece, todo in zip(pieces, todos, strict=True) if todo.state != "completed"]
    shown += [pieces[place - 1], *(piece for piece in left if piece is not pieces[place - 1])]
    return Content(_GAP).join(shown).truncate(width, ellipsis=True)


def todo_rows(todos: Sequence[Todo], most: int) -> Content:
    """Return a row for each step; of more than `most`, those around the one that is done now."""
    if len(todos) <= most:
        return Content("\n").join(_piece(todo, "") for todo in todos)
    now = step_now(todos)
    place = now[0] - 1 if now is not None else len(todos) - 1
    room = most - 1  # the last row says how many there are
    first = max(0, min(place - room // 2, len(todos) - room))
    rows = [_piece(todo, "") for todo in todos[first : first + room]]
    return Content("\n").join(
        [*rows, Content.styled(f"… {len(todos)} steps in all", "$text-muted")]
    )


def _piece(todo: Todo, place: str) -> Content:
    mark, colour = _MARKS[todo.state]
    does = todo.state == "in_progress"
    text = one_line((todo.doing or todo.text) if does else todo.text, _WIDTH)
    return Content.assemble(
        (f"{mark} ", colour), (text, _STYLES[todo.state]), (place if does else "", "$text-muted")
    )
