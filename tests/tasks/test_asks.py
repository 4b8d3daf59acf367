"""What single kinds of asks promise: warnings, limits, and who asks."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from ctui.claude.mcp.mcp_servers import McpServer
from ctui.cli.shapes import ShownAsk, shown_ask
from ctui.cli.task.answering import AskPrompt
from ctui.errors import InvalidInput
from ctui.mcp_server.protocol.asks import AskItem, ask_item
from ctui.mcp_server.protocol.elicit import form_of
from ctui.tasks.asks import ask_lines, check, decisions, elicitation_is_expected, kind_of, reply
from ctui.tasks.asks.permission_details import PermissionDetails
from ctui.tasks.asks.shape import AskShape
from ctui.tasks.model import Answer, Ask, Task, TaskOptions
from ctui.tui.asks.ask_form import AskForm
from ctui.web.shapes import AskView
from ctui.web.views import ask_view
from tests.ask_requests import asked, permission
from tests.tasks.conftest import Person


def form(message: str = "Which?", /, **properties: Any) -> Ask:
    schema = {"type": "object", "properties": properties}
    return asked({"mcp_server_name": "db", "message": message, "requested_schema": schema})


def everywhere(ask: Ask) -> list[str]:
    """Return what each front end shows of an ask."""
    prompt = "\n".join(AskPrompt(ask).shown())
    screen = "\n".join(AskForm(ask).lines())
    return [prompt, screen, form_of(ask).message, ask_view(ask).text, ask_item(ask).text]


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "apiKey",
        "API_KEY",
        "db-token",
        "ssh key",
        "secret",
        "Passphrase",
        "pass\u200bword",
    ],
)
def test_a_field_that_looks_like_a_secret_is_warned_about(name: str) -> None:
    """T3: in every front end."""
    ask = form(**{name: {"type": "string"}})
    assert all("looks like a secret" in shown for shown in everywhere(ask))
    [question] = ask_view(ask).questions
    assert question.secret


@pytest.mark.parametrize(
    "ask",
    [
        form("Your login expired. Paste a new token:", value={"type": "string"}),
        form(value={"type": "string", "description": "Your password"}),
        form(value={"type": "string", "format": "password"}),
        permission("AskUserQuestion", {"questions": [{"question": "What is the API key?"}]}),
    ],
)
def test_so_is_whatever_else_asks_for_one(ask: Ask) -> None:
    """T3: by its message, its description or its format, and a question like a form."""
    assert all("looks like a secret" in shown for shown in everywhere(ask))


@pytest.mark.parametrize("name", ["keyboard", "name", "passenger", "author", "monkey"])
def test_other_fields_are_not(name: str) -> None:
    """T3: a warning that is always there is none."""
    assert not any("secret" in shown for shown in everywhere(form(**{name: {"type": "string"}})))


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


def test_a_model_writes_no_notes_of_the_persons() -> None:
    """T27: an answer has only what the person said."""
    question = {"question": "Which?", "options": [{"label": "A"}]}
    given = {"questions": [question], "answers": {"Which?": "B"}, "annotations": {"Which?": "C"}}
    ask = permission("AskUserQuestion", given)
    sent = json.loads(reply(ask, Answer("allow", text="A")))["response"]["response"]["updatedInput"]
    assert sent == {"questions": [question], "answers": {"Which?": "A"}}


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


def test_an_ask_has_the_same_members_everywhere() -> None:
    """The command line, MCP and HTTP print one shape."""
    ask = permission("Bash", {"command": "npm test"})
    members = set(AskShape.__struct_fields__)
    found = [
        msgspec.to_builtins(view(ask), enc_hook=str) for view in (shown_ask, ask_item, ask_view)
    ]
    assert [{key: one[key] for key in members} for one in found] == [
        {key: found[0][key] for key in members}
    ] * 3
    assert found[0]["decisions"] == ("allow", "always", "deny")
    for kind in (ShownAsk, AskItem, AskView):
        assert members < set(kind.__struct_fields__)


@pytest.mark.engine
async def test_an_approved_plan_was_not_edited(person: Person) -> None:
    """T23: the model is not told that the person changed what they only approved."""
    await person.start("plan", "plan Do it.", "say Done.", permission_mode="plan")
    await person.answer(await person.asked("plan"), Answer("allow"))
    await person.idle("plan")
    said = person.tool_output("plan")
    assert "has approved" in said
    assert "edited" not in said
