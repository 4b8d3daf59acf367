"""Generated requests of every kind: what is shown is what is sent back, and nothing breaks."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, find, given, settings

from ctui.claude.protocol.decode import decode
from ctui.claude.protocol.events import McpMessage
from ctui.cli.shapes import shown_ask
from ctui.cli.task.answering import AskPrompt
from ctui.cli.task.ask_text import ask_outcome, how_to_answer
from ctui.errors import InvalidInput
from ctui.mcp_server.protocol.asks import ask_item
from ctui.mcp_server.protocol.elicit import answer_of, form_of
from ctui.tasks.asks import (
    KINDS,
    AskEvent,
    Kind,
    Origin,
    ask_lines,
    ask_of,
    check,
    decisions,
    expired_reply,
    kind_of,
    reply,
    toolbox,
    toolbox_ask,
    toolbox_details,
)
from ctui.tasks.asks.kind import Decision
from ctui.tasks.asks.kinds.environment import environment_ask
from ctui.tasks.asks.kinds.host import host_ask
from ctui.tasks.asks.kinds.ssh_key import key_ask
from ctui.tasks.asks.questions import Question
from ctui.tasks.model import Answer, Ask, AskKind
from ctui.text import sanitise
from ctui.tui.asks.ask_form import AskForm
from ctui.web.views import ask_view
from tests.tasks.ask_kinds import test_host as host
from tests.tasks.ask_kinds import test_ssh_key as ssh_key
from tests.tasks.ask_kinds.test_environment import SUBTYPE
from tests.tasks.generators import (
    ANY_INPUT,
    JSON,
    QUESTIONS,
    TEXT,
    deep,
    requests,
    requests_of,
)

ORIGIN = Origin("t", 1, 0)
ALL: tuple[Decision, ...] = ("allow", "session", "always", "deny", "cancel")


def of_line(request: Mapping[str, Any], request_id: object) -> Ask | None:
    """Return the ask of a line, if it makes one."""
    if request.get("subtype") == host.SUBTYPE:
        return host_ask("r", ORIGIN, str(request.get("host")), 443, str(request.get("host")))
    if request.get("subtype") == ssh_key.SUBTYPE:
        return key_ask("r", ORIGIN, str(request.get("host")), 22, str(request.get("host")))
    if request.get("subtype") == SUBTYPE:
        text = str(request.get("text"))
        return environment_ask("r", ORIGIN, name=text, file=text, text=text, digest="0f")
    line = json.dumps({"type": "control_request", "request_id": request_id, "request": request})
    event = decode(line)
    if isinstance(event, AskEvent):
        takers = [kind for kind in KINDS if kind.ask(event, ORIGIN, "") is not None]
        assert sum(not kind.takes_the_rest for kind in takers) <= 1
        return ask_of(event, ORIGIN)
    if isinstance(event, McpMessage):
        outcome = toolbox.handle(event.message)
        if isinstance(outcome, toolbox.AskPerson):
            return toolbox_ask(event.request_id, outcome, ORIGIN)
    return None


def words_for(question: Question) -> str:
    if question.options:
        return question.options[0].label
    return "" if question.optional else "5"


def answers(ask: Ask) -> dict[Decision, Answer]:
    """Return an answer for each decision, as a front end would fill it in."""
    asked = {question.text: words_for(question) for question in kind_of(ask).questions(ask)}
    allowed = Answer("allow", answers=asked) if asked else Answer("allow")
    return {one: Answer(one) for one in ALL} | {"allow": allowed, "deny": Answer("deny", "no")}


def proved(ask: Ask) -> None:
    """Take an ask through everything that is done with one."""
    taken = decisions(ask)
    assert taken
    assert "deny" in taken
    assert len(set(taken)) == len(taken)
    shown(ask)
    for decision, answer in answers(ask).items():
        try:
            check(ask, answer)
        except InvalidInput:
            # A form may want what nobody can write; everything else that is offered is taken.
            assert decision not in taken or (decision, kind_of(ask).is_form) == ("allow", True)
            continue
        assert decision in taken
        if not kind_of(ask).goes_to_cli:
            assert reply(ask, answer) == b""
            continue
        sent = spoken(reply(ask, answer))
        if decision != "deny" and sent.get("behavior") == "allow":
            same_input(ask, sent["updatedInput"])
    if (details := toolbox_details(ask)) is not None:
        assert spoken(expired_reply(ask))["mcp_response"]["id"] == details.call


def spoken(line: bytes) -> dict[str, Any]:
    """Return what one line of JSON says to the CLI."""
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert line.isascii()
    said = json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    response = said["response"]["response"]
    assert isinstance(response, dict)
    return response


def same_input(ask: Ask, sent: dict[str, Any]) -> None:
    """Compare, to the last digit, what is shown with what an allowed call runs with."""
    kept = json.loads(bytes(ask.input))
    match ask.kind:
        case AskKind.PLAN:
            kept.pop("plan", None)
            kept = kept or {"planFilePath": ""}
        case AskKind.QUESTION:
            kept.pop("annotations", None)
            kept.pop("answers", None)
            sent = {key: value for key, value in sent.items() if key != "answers"}
    assert json.dumps(sent) == json.dumps(kept)


def shown(ask: Ask) -> None:
    """Show it in every front end: no control character comes through, and nothing raises."""
    lines = [*ask_lines(ask), *AskForm(ask).lines()]
    lines += [choice.label for choice in AskForm(ask).choices()]
    assert all(sanitise(line) == line for line in lines)
    assert ask_view(ask).decisions == decisions(ask)
    assert ask_item(ask).text == shown_ask(ask).text
    AskPrompt(ask).choices()
    json.dumps(form_of(ask).schema)
    with suppress(InvalidInput):
        answer_of(ask, "accept", {})
    assert how_to_answer(ask)
    assert ask_outcome(ask) == "pending"


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(requests(), TEXT | JSON)
@example({"subtype": "can_use_tool", "tool_name": "ask_user", "input": {}}, "r")
@example({"subtype": "can_use_tool", "tool_name": "MultiEdit", "input": {"edits": 7}}, "r")
@example({"subtype": "can_use_tool", "input": {"x": deep(250)}}, "r")
@example({"subtype": "can_use_tool", "input": {"x": [2**64, 10**30, 1e15, 1e-7]}}, "r")
@example({"subtype": "can_use_tool", "input": {"x": float("inf")}}, "r")
def test_every_request_is_an_ask_that_is_shown_and_answered(
    request: dict[str, Any], request_id: object
) -> None:
    """T27: every field missing or mistyped, surrogates, huge numbers, deep nesting."""
    ask = of_line(request, request_id)
    if ask is not None:
        proved(ask)


@given(TEXT, QUESTIONS | ANY_INPUT)
def test_an_answer_in_any_words_is_refused_or_one_line(words: str, given_input: object) -> None:
    """T27: what a person or a program writes reaches the CLI as JSON, or is refused before."""
    request = {"subtype": "can_use_tool", "tool_name": "AskUserQuestion", "input": given_input}
    ask = of_line(request, "r")
    assert ask is not None
    for answer in (Answer("deny", words), Answer("allow", text=words), Answer("session")):
        try:
            check(ask, answer)
        except InvalidInput:
            continue
        spoken(reply(ask, answer))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: type(kind).__name__)
def test_each_kind_is_among_the_generated_asks(kind: Kind) -> None:
    """Its own requests become asks of it, also beside the broken ones."""

    def becomes(request: dict[str, Any]) -> bool:
        ask = of_line(request, "r")
        return ask is not None and kind_of(ask) is kind

    assert find(requests_of(kind), becomes, settings=settings(phases=[Phase.generate]))


def test_each_kind_is_found_once() -> None:
    assert {kind.kind for kind in KINDS} == set(AskKind)
    assert len({(kind.kind, kind.tool) for kind in KINDS}) == len(KINDS)
    assert [kind.takes_the_rest for kind in KINDS].count(True) == 1
    assert KINDS[-1].takes_the_rest


def test_each_kind_has_a_row_in_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs/asks.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert sorted(rows) == sorted(["kind", *AskKind])
