"""To-do lists, as the CLI's tools write them, and as nobody should."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ctui.claude.protocol.todos import TOOLS, Todo, apply_change, change_of, step_now
from ctui.text import sanitise


def after(
    before: tuple[Todo, ...], name: str, data: Any = None, /, **given: Any
) -> tuple[Todo, ...]:
    change = change_of(name, given)
    assert change is not None
    once = apply_change(before, change, data)
    assert apply_change(once, change, data) == once
    return once


def test_todo_write_replaces_the_whole_list() -> None:
    items = [
        {"content": "Find them", "status": "completed", "activeForm": "Finding them"},
        {"content": "Replace\nthem", "status": "in_progress", "activeForm": "Replacing them"},
    ]
    todos = after((Todo("9", "old"),), "TodoWrite", todos=items)
    assert todos == (
        Todo("1", "Find them", "completed", "Finding them"),
        Todo("2", "Replace them", "in_progress", "Replacing them"),
    )
    assert step_now(todos) == (2, todos[1])


def test_a_step_has_the_number_that_its_result_says() -> None:
    todos = after((), "TaskCreate", {"task": {"id": "1", "subject": "Find"}}, subject="Find")
    todos = after(todos, "TaskCreate", {"task": {"id": 2}}, subject="Replace", activeForm="Now")
    todos = after(todos, "TaskUpdate", taskId="1", status="completed")
    todos = after(todos, "TaskUpdate", taskId="2", status="in_progress")
    assert todos == (Todo("1", "Find", "completed"), Todo("2", "Replace", "in_progress", "Now"))
    todos = after(todos, "TaskUpdate", taskId="2", subject="Replace all")
    assert todos[1] == Todo("2", "Replace all", "in_progress", "Now")
    assert after(todos, "TaskUpdate", taskId="1", status="deleted") == todos[1:]
    assert after(todos, "TaskUpdate", taskId="7", status="completed") == todos
    assert after(todos, "TaskCreate", "Error: no", subject="x") == todos


def test_nothing_is_left_to_do_when_all_of_it_is_done() -> None:
    assert step_now((Todo("1", "a", "completed"),)) is None
    assert step_now((Todo("1", "a", "completed"), Todo("2", "b"))) == (2, Todo("2", "b"))


def test_other_tools_change_no_list() -> None:
    assert change_of("Bash", {"todos": [{"content": "x"}]}) is None


def test_a_list_is_bounded() -> None:
    todos = after((), "TodoWrite", todos=[{"content": "x" * 5000}] * 5000)
    assert len(todos) == 100
    assert len(todos[0].text) <= 200
    assert after(todos, "TaskCreate", {"task": {"id": "777"}}, subject="one more") == todos


_VALUES = st.none() | st.integers() | st.text(max_size=5) | st.just("deleted") | st.just("1")
_ITEMS = st.dictionaries(st.sampled_from(["content", "status", "subject", "id"]), _VALUES)
_GIVEN = st.fixed_dictionaries(
    {},
    optional={
        "todos": st.lists(_ITEMS, max_size=3) | _VALUES,
        "taskId": _VALUES,
        "subject": _VALUES,
        "status": _VALUES,
        "activeForm": _VALUES,
    },
)
_RESULTS = _VALUES | st.fixed_dictionaries({"task": _ITEMS | _VALUES})


@given(calls=st.lists(st.tuples(st.sampled_from(sorted(TOOLS)), _GIVEN, _RESULTS), max_size=5))
def test_no_input_breaks_a_list_or_gets_into_it_unsanitised(
    calls: list[tuple[str, dict[str, Any], Any]],
) -> None:
    todos: tuple[Todo, ...] = ()
    for name, values, result in calls:
        todos = after(todos, name, result, **values)
    for todo in todos:
        for text in (todo.id, todo.text, todo.doing):
            assert text == sanitise(text)
            assert "\n" not in text
