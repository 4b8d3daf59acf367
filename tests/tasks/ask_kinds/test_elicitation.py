"""Forms of the servers inside a task."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

from ctui.claude.mcp.mcp_server import McpServer
from ctui.errors import InvalidInput
from ctui.tasks.asks import check, decisions, elicitation_is_expected, kind_of, reply
from ctui.tasks.model import Answer, Task, TaskOptions
from tests.ask_requests import form
from tests.tasks.ask_views import everywhere
from tests.tasks.generators import DEEP, JSON, TEXT, some

_FIELD = some(
    type=st.sampled_from(["string", "integer", "number", "boolean", "array"]),
    title=TEXT,
    description=TEXT,
    format=st.sampled_from(["password", "email"]),
    enum=st.lists(JSON, max_size=4),
    oneOf=st.lists(some(const=JSON, title=TEXT), max_size=3),
    items=some(enum=st.lists(TEXT, max_size=3)),
    default=JSON,
    minimum=st.integers(),
    maximum=st.floats(),
    minLength=st.integers(),
    maxLength=st.integers(),
)
REQUESTS = some(
    subtype=st.just("elicitation"),
    mcp_server_name=TEXT,
    message=TEXT,
    requested_schema=some(
        properties=st.dictionaries(TEXT, _FIELD | DEEP, max_size=4),
        required=st.lists(TEXT, max_size=3),
    ),
)


def test_a_form_says_who_asks_and_that_it_is_inside_the_task() -> None:
    """T3: not in ctui's own name."""
    shown = everywhere(form("ctui needs your answer", name={"type": "string"}))
    assert all("db, a server inside the task," in text for text in shown)


def test_a_form_is_expected_only_of_a_server_that_the_task_was_given() -> None:
    """T3: never of ctui's own, which asks in another way."""
    server = McpServer(command="x")
    task = Task(
        id="t",
        repository="/r/.git",
        worktree="/w",
        metadata=None,
        branch=None,
        base=None,
        session="s",
        prompt="p",
        options=TaskOptions(mcp_servers={"db": server, "ctui": server}),
    )
    assert elicitation_is_expected("db", task)
    for other in ("ctui", "github", "", "DB", "db ", "d\u200bb"):
        assert not elicitation_is_expected(other, task)


def nested(levels: int) -> dict[str, Any]:
    return {"properties": nested(levels - 1)} if levels else {}


@pytest.mark.parametrize(
    "properties",
    [
        {f"f{number}": {"type": "string"} for number in range(101)},
        {"f": {"type": "string", "description": "x" * (65 << 10)}},
        {"f": nested(20)},
        {"f": {"default": [[[[[[[[[[1]]]]]]]]]]}},
    ],
    ids=["fields", "size", "depth", "lists"],
)
def test_a_form_that_is_none_for_a_person_can_only_be_declined(properties: dict[str, Any]) -> None:
    """T27: it is said why, and no answer gets through to it."""
    ask = form(**properties)
    assert decisions(ask) == ("deny", "cancel")
    assert all("cannot be filled in" in shown for shown in everywhere(ask))
    assert len(bytes(ask.details)) < 1000
    for answer in (Answer("allow"), Answer("allow", content={"f": "x"})):
        with pytest.raises(InvalidInput, match="cannot be allowed"):
            check(ask, answer)
    check(ask, Answer("deny"))
    assert b"decline" in reply(ask, Answer("deny"))


def test_a_form_of_a_hundred_fields_is_one() -> None:
    """T27: the limit is beyond what a person would fill in."""
    ask = form(**{f"f{number}": {"type": "string"} for number in range(100)})
    assert len(kind_of(ask).questions(ask)) == 100
    assert decisions(ask) == ("allow", "deny", "cancel")
