"""Content blocks of messages: what is inside the CLI's `assistant` and `user` lines."""

from __future__ import annotations

import msgspec

from ctui.claude.protocol import fields
from ctui.claude.protocol.fields import JsonObject


class Content(msgspec.Struct, frozen=True):
    """Base of all content blocks. Nothing in them is sanitised."""


class Text(Content, frozen=True):
    """Words of the model, or of the person."""

    text: str


class Thinking(Content, frozen=True):
    """Thoughts of the model; empty where the API withholds them."""

    text: str


class ToolUse(Content, frozen=True):
    """A tool call."""

    id: str
    name: str
    given: JsonObject


class ToolResult(Content, frozen=True):
    """Result of a tool call, as the model reads it."""

    tool_use_id: str
    text: str
    is_error: bool


class Other(Content, frozen=True):
    """An image, a document or a kind that came later."""

    type: str


def content_blocks(content: object) -> tuple[Content, ...]:
    """Return the blocks of a message, whose content is a list or a plain string."""
    if isinstance(content, str):
        return (Text(content),)
    if not isinstance(content, list):
        return ()
    found = (content_of(item) for item in content if isinstance(item, dict))
    return tuple(block for block in found if block is not None)


def content_of(value: JsonObject) -> Content | None:
    """Return one block; None for an object that has no type."""
    match value.get("type"):
        case "text":
            return Text(fields.text(value, "text"))
        case "thinking":
            return Thinking(fields.text(value, "thinking"))
        case "redacted_thinking":
            return Thinking("")
        case "tool_use" | "server_tool_use" | "mcp_tool_use":
            return ToolUse(
                id=fields.text(value, "id"),
                name=fields.text(value, "name"),
                given=fields.mapping(value, "input"),
            )
        case "tool_result":
            return ToolResult(
                tool_use_id=fields.text(value, "tool_use_id"),
                text=plain_text(value.get("content")),
                is_error=value.get("is_error") is True,
            )
        case str(kind):
            return Other(kind)
    return None


def plain_text(content: object) -> str:
    """Return the text of a tool result's content; a block without text is named in brackets."""
    texts = [
        block.text if isinstance(block, Text) else f"[{getattr(block, 'type', 'block')}]"
        for block in content_blocks(content)
    ]
    return "\n".join(texts)
