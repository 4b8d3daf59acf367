"""A tool that wants to run."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import strategies as st

from ctui.errors import InvalidInput
from ctui.tasks.asks import ask_lines, check, decisions, reply
from ctui.tasks.asks.permission_details import PermissionDetails
from ctui.tasks.model import Answer
from tests.ask_requests import asked, permission
from tests.tasks.generators import ANY_INPUT, DEEP, JSON, TEXT, some, tool_call

_EDIT = some(old_string=TEXT, new_string=TEXT)
_INPUTS = {
    "Bash": some(command=TEXT | st.just("npm test"), description=TEXT),
    "Write": some(file_path=TEXT, content=TEXT),
    "Edit": some(file_path=TEXT, old_string=TEXT, new_string=TEXT, more=JSON),
    "MultiEdit": some(file_path=TEXT, edits=st.lists(_EDIT, max_size=3)),
    "ask_user": some(question=TEXT, options=st.lists(TEXT, max_size=3)),
    "mcp__a__b": st.dictionaries(TEXT, JSON | DEEP, max_size=4),
}
REQUESTS = st.one_of(
    *(tool_call(st.just(tool), given) for tool, given in _INPUTS.items()),
    tool_call(TEXT, ANY_INPUT | st.one_of(*_INPUTS.values())),
)


def test_a_large_input_is_shown_cut_and_sent_back_whole() -> None:
    """T27: both ends are seen, and the call runs with every byte."""
    content = "first\n" + "é\u2028x" * (1 << 20) + "\nlast"
    ask = permission("Write", {"file_path": "/workspace/a", "content": content})
    shown = ask_lines(ask)
    assert sum(map(len, shown)) < 100_000
    assert any("first" in line for line in shown)
    assert shown[-1].endswith("last")
    check(ask, Answer("allow"))
    sent = json.loads(reply(ask, Answer("allow")))["response"]["response"]["updatedInput"]
    assert sent["content"] == content


@pytest.mark.parametrize(
    "given", [{"x": "é" * (11 << 18)}, {"x": json.loads("[" * 300 + "]" * 300)}]
)
def test_an_input_that_no_answer_can_carry_can_only_be_denied(given: dict[str, Any]) -> None:
    """T27: rather than an answer that is lost on the way."""
    ask = permission("mcp__a__b", given)
    assert decisions(ask) == ("deny",)
    assert "it can only be denied" in ask_lines(ask)[-1]
    check(ask, Answer("deny", message="too large"))
    with pytest.raises(InvalidInput, match="cannot be allowed"):
        check(ask, Answer("allow"))


def test_more_than_is_seen_cannot_be_allowed_for_the_session() -> None:
    """T27: suggestions whose words are cut would allow what nobody has read."""
    rules = [{"toolName": "Bash", "ruleContent": f"command-{number}"} for number in range(50)]
    ask = permission(
        "Bash", {"command": "x"}, {"type": "addRules", "behavior": "allow", "rules": rules}
    )
    assert "session" not in decisions(ask)
    with pytest.raises(InvalidInput, match="session"):
        check(ask, Answer("session"))


def test_a_tool_whose_name_only_looks_like_another_is_told_from_it() -> None:
    """T27: nothing that was allowed for `Bash` is allowed to it."""
    ask = permission("Ba\u200bsh", {"command": "npm test"})
    assert decisions(ask) == ("allow", "deny")
    assert "not its exact name" in ask_lines(ask)[0]


def test_which_subagent_asks_is_shown() -> None:
    """T23: by its id, or by more where that is known."""
    request = {
        "tool_name": "Bash",
        "input": {"command": "x"},
        "agent_id": "a1",
        "tool_use_id": "c1",
    }
    assert "a subagent of the task: a1" in ask_lines(asked(request))[-1]
    named = asked(request, agent="claude (try it)")
    assert "a subagent of the task: claude (try it)" in ask_lines(named)[-1]
    assert msgspec.json.decode(named.details, type=PermissionDetails).tool_use_id == "c1"
    del request["agent_id"]
    assert "subagent" not in "\n".join(ask_lines(asked(request, agent="nobody")))
