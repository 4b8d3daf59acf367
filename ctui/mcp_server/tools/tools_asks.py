"""The tools for what tasks ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ctui.client.worktrees.worktrees import open_store
from ctui.mcp_server.protocol.asks import AskList, ask_item, ask_key
from ctui.mcp_server.protocol.call import Call
from ctui.mcp_server.protocol.pages import Cursor, page_of, position, wrong_cursor
from ctui.mcp_server.protocol.tool import ADDS, READS, Tool, tool
from ctui.mcp_server.protocol.tool_schema import LONGEST
from ctui.tasks.calls import AnswerAsk
from ctui.tasks.model import Answer, Ask, AskState
from ctui.tasks.store import Store


class ListAsks(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Arguments of `list_asks`."""

    task_id: Annotated[
        str, Meta(max_length=LONGEST, description="Only of this task; default: of all.")
    ] = ""
    cursor: Cursor = ""


@tool(ListAsks, AskList, READS)
async def list_asks(call: Call, given: ListAsks) -> AskList:
    """List what tasks ask and nobody has answered: permissions, questions, plans, forms.

    Page by page.
    """
    with open_store(call.paths) as store:
        if given.task_id:
            store.tasks.get(given.task_id)
        items = map(ask_item, _pending(store, given))
        return AskList(*page_of(items, ask_key, given.cursor))


def _pending(store: Store, given: ListAsks) -> Iterator[Ask]:
    """Return the asks from the cursor on."""
    match position(given.cursor):
        case ():
            last = 0
        case (int() as last,):
            pass
        case _:
            raise wrong_cursor()
    return store.asks.pending_after(last, task=given.task_id or None)


class AnswerOne(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Arguments of `answer_ask`."""

    ask: Annotated[int, Meta(ge=1, le=2**63 - 1, description="The ask's id, from list_asks.")]
    decision: Annotated[
        Literal["allow", "session", "always", "deny", "cancel"],
        Meta(
            description="allow: this once, or the answer to a question; session: from now on in "
            "this task; always: this command in every task of the repository; deny; cancel: give "
            "a form no answer at all. The ask names those that it takes."
        ),
    ] = "allow"
    message: Annotated[str, Meta(description="Why it is denied; Claude reads it.")] = ""
    text: Annotated[str, Meta(description="The answer to a single question.")] = ""
    answers: Annotated[
        dict[str, str],
        Meta(description="A question's text, or a form field's name -> the answer."),
    ] = {}


class Answered(msgspec.Struct, frozen=True):
    """An ask that has its answer."""

    id: int
    task: str
    state: AskState


@tool(AnswerOne, Answered, ADDS)
async def answer_ask(call: Call, given: AnswerOne) -> Answered:
    """Answer what a task asks; the first answer wins, and a later one is told so."""
    answer = Answer(
        given.decision,
        message=given.message,
        text=given.text,
        answers=given.answers,
        by="MCP",
    )
    async with call.client() as client:
        ask = await client.call(AnswerAsk(given.ask, answer))
    return Answered(ask.id, ask.task, ask.state)


TOOLS: tuple[Tool, ...] = (list_asks, answer_ask)
