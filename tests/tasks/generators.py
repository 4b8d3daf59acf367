"""Generated requests, broken ones above all: of all kinds of asks, and what those are made of."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from hypothesis import strategies as st

from ctui.tasks.asks import KINDS, Kind

Requests = st.SearchStrategy[dict[str, Any]]
"""Values of the member `request` of a `control_request`."""

TEXT = st.text(max_size=12) | st.sampled_from(
    ["\ud83d", "a\udfff", "\u2028\u2029\u0085", "\x1b[2J", "\u202e", "x\ny", "\x00", "é" * 40, "5"]
)
_SCALAR = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**63, -(2**63) - 1, 2**64, 10**30, 1e308, -0.0, 1e15])
    | st.floats(allow_nan=False, allow_infinity=False)  # the others are no JSON
    | TEXT
)
JSON = st.recursive(
    _SCALAR,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def deep(levels: int) -> Any:
    value: Any = "x"
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


DEEP = st.sampled_from([deep(levels) for levels in (4, 12, 90, 250, 400)])


def some(**known: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return objects whose members are right, of another type, or missing."""
    wrong = st.fixed_dictionaries({}, optional={key: one | JSON for key, one in known.items()})
    return st.fixed_dictionaries(known) | wrong


_OPTION = some(label=TEXT, description=TEXT)
_QUESTION = some(question=TEXT, options=st.lists(_OPTION, max_size=4), multiSelect=st.booleans())
QUESTIONS = some(
    questions=st.lists(_QUESTION, min_size=1, max_size=3), answers=JSON, annotations=JSON
)
ANY_INPUT = st.one_of(
    some(command=TEXT, file_path=TEXT, plan=TEXT, question=TEXT),
    QUESTIONS,
    st.dictionaries(TEXT, JSON | DEEP, max_size=4),
)
_SUGGESTION = some(
    type=st.sampled_from(["addRules", "addDirectories", "setMode", "other"]),
    behavior=st.sampled_from(["allow", "deny"]),
    mode=st.sampled_from(["acceptEdits", "bypassPermissions"]),
    directories=st.lists(TEXT, max_size=3),
    rules=st.lists(some(toolName=TEXT, ruleContent=TEXT), max_size=3),
)


def tool_call(tool: st.SearchStrategy[str], given: st.SearchStrategy[Any]) -> Requests:
    """Return requests to use a tool."""
    return some(
        subtype=st.just("can_use_tool"),
        tool_name=tool,
        tool_use_id=TEXT,
        input=given,
        permission_suggestions=st.lists(_SUGGESTION, max_size=4),
        decision_reason=TEXT,
        blocked_path=TEXT,
        agent_id=TEXT,
    )


def requests_of(kind: Kind) -> Requests:
    """Return the requests that the kind's own file of tests generates: none may be left out."""
    name = type(kind).__module__.rpartition(".")[2]
    found: Requests = import_module(f"tests.tasks.ask_kinds.test_{name}").REQUESTS
    return found


def requests() -> Requests:
    """Return the requests of all kinds."""
    return st.one_of(*map(requests_of, KINDS))
