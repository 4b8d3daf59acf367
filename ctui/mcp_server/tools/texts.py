"""Texts that are too long for the result that shows them, by the name that `of` has for them."""

from __future__ import annotations

from ctui.client.worktrees.worktrees import open_store
from ctui.errors import InvalidInput, NotFound
from ctui.mcp_server.tools.output import read_entry
from ctui.paths import Paths
from ctui.tasks.model import Task
from ctui.text import one_line, sanitise


def text_of(paths: Paths, task: Task, name: str) -> str:
    """Return the whole of a text.

    Raises:
        InvalidInput: no text is called that.
        NotFound: the task has no such ask.
    """
    match name.partition(":"):
        case (("prompt" | "result" | "problem"), "", ""):
            return sanitise(str(getattr(task, name)))
        case "entry", ":", number if _is_number(number):
            return read_entry(paths.task(task.id), int(number))
        case "ask", ":", number if _is_number(number):
            return _ask(paths, task, int(number))
    raise InvalidInput(
        f"of is {one_line(name, 40)!r}", hint="give prompt, result, problem, ask:ID or entry:OFFSET"
    )


def _ask(paths: Paths, task: Task, number: int) -> str:
    """Return what is asked as the tool gets it, in JSON."""
    with open_store(paths) as store:
        ask = store.asks.get(number)
    if ask.task != task.id:
        raise NotFound(f"ask {number} is not one of {task.id}", hint="list_asks shows them")
    return sanitise(bytes(ask.input).decode("utf-8", "replace"))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
