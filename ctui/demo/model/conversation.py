"""Position in a script, found from the messages of a request.

The state of a script is in the conversation alone: the last prompt carries the script, and the
tool results after it say which call comes next. So a retry gets the same answer, a resumed process
goes on where it was, and one server plays for any number of tasks.

Only what a person wrote can carry a script. A tool result or a reminder holds text from a
repository, and that must not tell the model what to do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_REMINDER, _REMINDER_END = "<system-reminder>", "</system-reminder>"

_MEANWHILE = "The user sent a new message while you were working:\n"
"""Words with which the CLI hands over a message that was sent while a tool ran."""

_INTERRUPTED = "[Request interrupted by user"
"""Words that the CLI writes into the conversation when the person stopped the turn."""


@dataclass(frozen=True, slots=True)
class Result:
    """Result of one tool request."""

    text: str
    is_error: bool


@dataclass(slots=True)
class Conversation:
    """The current turn of a conversation.

    Attributes:
        prompts: what the person wrote: the prompt, then messages sent while the turn was running.
        results: of the tool requests since the prompt, in order.
        key: the same in every request of the turn, another one in every other turn.
    """

    prompts: list[str] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    key: str = ""


def read_conversation(request: dict[str, Any]) -> Conversation:
    """Return the turn that a request to `/v1/messages` continues; lenient with every field."""
    turn = Conversation()
    tool_is_open, turns = False, 0
    for role, blocks in _messages(request):
        if role == "assistant":
            tool_is_open = any(block.get("type") == "tool_use" for block in blocks)
            continue
        turn.results += [_result(block) for block in blocks if block.get("type") == "tool_result"]
        written = [_text(block.get("text")) for block in blocks if block.get("type") == "text"]
        if role == "system":
            turn.prompts += _sent_meanwhile(written)
            continue
        prompt = _prompt(written)
        interrupted = any(text.startswith(_INTERRUPTED) for text in written)
        if prompt and tool_is_open and not interrupted:
            turn.prompts.append(prompt)
        elif prompt or interrupted:
            turn, turns, tool_is_open = Conversation([prompt]), turns + 1, False
    turn.key = _key(request, turns, turn)
    return turn


def _messages(request: dict[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    messages = request.get("messages")
    for message in messages if isinstance(messages, list) else []:
        if isinstance(message, dict):
            yield str(message.get("role")), _blocks(message.get("content"))


def _blocks(content: object) -> list[dict[str, Any]]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, list):
        return []
    return [block for block in content if isinstance(block, dict)]


def _sent_meanwhile(written: list[str]) -> list[str]:
    """Return the person's messages during the turn from the texts of a system message.

    Older models get them inside a tool result, where a file that a tool showed could hold the same
    words: there they are not believed.
    """
    messages = []
    for text in written:
        if text.startswith(_MEANWHILE):
            body = text.removeprefix(_MEANWHILE).rstrip()
            message, mark, advice = body.rpartition("\n\nIMPORTANT: ")
            messages.append(message if mark and "\n" not in advice else body)
    return messages


def _prompt(written: list[str]) -> str:
    """Return the person's own words from the text blocks of one message."""
    own = [
        _without_reminder(text)
        for text in written
        if not text.startswith((_REMINDER, _INTERRUPTED))
    ]
    return "\n".join(text.strip("\n") for text in own if text.strip())


def _without_reminder(text: str) -> str:
    # A file that is shown in a reminder may hold a closing tag. What follows that is still the
    # file's, up to the reminder's own closing tag, which is the last one.
    start, end = text.find(_REMINDER), text.rfind(_REMINDER_END)
    if start < 0:
        return text
    return text[:start] + (text[end + len(_REMINDER_END) :] if end > start else "")


def _result(block: dict[str, Any]) -> Result:
    content = _blocks(block.get("content"))
    text = "\n".join(_text(part.get("text")) for part in content)
    return Result(text, block.get("is_error") is True)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _key(request: dict[str, Any], turns: int, turn: Conversation) -> str:
    metadata = request.get("metadata")
    person = str(metadata.get("user_id")) if isinstance(metadata, dict) else ""
    parts = (person, str(turns), *turn.prompts[:1])
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()
