"""To-do lists of a task: one that `TodoWrite` wrote whole, or `TaskCreate` and `TaskUpdate` keep.

A call changes the list when its result is there, for only that says a new step's number. All of it
is hostile: it is bounded and sanitised here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from ctui.claude.protocol import fields
from ctui.claude.protocol.fields import JsonObject
from ctui.text import one_line

TOOLS = frozenset({"TodoWrite", "TaskCreate", "TaskUpdate"})

_MOST = 100
_WIDTH = 200
_ID_WIDTH = 40

TodoState = Literal["pending", "in_progress", "completed"]
_STATES: dict[str, TodoState] = {
    "pending": "pending",
    "in_progress": "in_progress",
    "completed": "completed",
}


class Todo(msgspec.Struct, frozen=True):
    """One step of a to-do list."""

    id: str
    text: str
    """One line that says what is to be done."""
    state: TodoState = "pending"
    doing: str = ""
    """The same while it is being done; "" where the task has no words for that."""


class TodoChange(msgspec.Struct, frozen=True):
    """Change that a call makes once it succeeds."""

    todos: tuple[Todo, ...] = ()
    """The whole list of `TodoWrite`; of another tool the one step, as far as the call names it."""
    whole: bool = False
    state: str = ""
    """State that a step gets; `deleted` takes it out."""

    @property
    def words(self) -> str:
        """Return it in a line, such as `2/4 Replace them` or `#2 completed`."""
        if self.whole:
            return progress(self.todos)
        (todo,) = self.todos
        number = f"#{todo.id}" if todo.id else ""
        return " ".join(filter(None, (number, self.state.replace("_", " "), todo.text)))


def change_of(name: str, given: JsonObject) -> TodoChange | None:
    """Return the change that a call is to make; None if it makes none."""
    match name:
        case "TodoWrite":
            items = fields.mappings(given, "todos")[:_MOST]
            listed = (_todo(item, str(number)) for number, item in enumerate(items, 1))
            return TodoChange(tuple(listed), whole=True)
        case "TaskCreate":
            return TodoChange((_todo(given, ""),))
        case "TaskUpdate":
            number = fields.text(given, "taskId")
            return TodoChange((_todo(given, number),), state=fields.text(given, "status"))
    return None


def apply_change(todos: Sequence[Todo], change: TodoChange, result: Any) -> tuple[Todo, ...]:
    """Return the list after a call that has succeeded; doing it twice is doing it once.

    Args:
        todos: the list before.
        change: what the call was to do.
        result: its `tool_use_result`, in which a new step has its number.
    """
    if change.whole:
        return change.todos
    (wanted,) = change.todos
    known = {todo.id: todo for todo in todos}
    number = wanted.id or _new_id(result)
    before = known.get(number)
    if not number or (before is None and not wanted.text):
        return tuple(todos)
    if change.state == "deleted":
        return tuple(todo for todo in todos if todo.id != number)
    if before is None and len(known) >= _MOST:
        return tuple(todos)
    known[number] = Todo(
        number,
        wanted.text or (before.text if before else ""),
        _STATES.get(change.state) or (before.state if before else wanted.state),
        wanted.doing or (before.doing if before else ""),
    )
    return tuple(known.values())


def step_now(todos: Sequence[Todo]) -> tuple[int, Todo] | None:
    """Return the step that is being done, else the next one, with its place from 1.

    None where nothing is left to do.
    """
    for state in ("in_progress", "pending"):
        for place, todo in enumerate(todos, 1):
            if todo.state == state:
                return place, todo
    return None


def progress(todos: Sequence[Todo]) -> str:
    """Return how far a list is, such as `2/4 Replace them`."""
    if (now := step_now(todos)) is None:
        return f"{len(todos)} of {len(todos)} done"
    place, todo = now
    return f"{place}/{len(todos)} {todo.doing or todo.text}"


def _todo(item: JsonObject, number: str) -> Todo:
    text = fields.text(item, "content") or fields.text(item, "subject")
    return Todo(
        one_line(number, _ID_WIDTH),
        one_line(text, _WIDTH),
        _STATES.get(fields.text(item, "status"), "pending"),
        one_line(fields.text(item, "activeForm"), _WIDTH),
    )


def _new_id(result: Any) -> str:
    if not isinstance(result, dict):
        return ""
    return one_line(fields.text(fields.mapping(result, "task"), "id"), _ID_WIDTH)
