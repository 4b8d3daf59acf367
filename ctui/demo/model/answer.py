"""The model's answer to a request: the steps of one API call."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from .conversation import Conversation, Result, read_conversation
from .known import known_prompts, script_for
from .script import ScriptError, parse, scripts_in, without_blocks
from .steps import Call, Say, Step

_RESULT = "{result}"
"""Placeholder in a text for the last tool's result, as one line."""


def answer_to(request: dict[str, Any]) -> tuple[Conversation, int, tuple[Step, ...]]:
    """Return the turn of a request, the number of the call in it, and the call's steps.

    A request without tools is a side request of the CLI (a title, a summary): it gets a short
    text and takes no part in a script.
    """
    turn = read_conversation(request)
    prompt = turn.prompts[0] if turn.prompts else ""
    if not request.get("tools"):
        return turn, 0, (Say(_side_answer(request, prompt)),)
    try:
        calls = _calls(turn.prompts)
    except ScriptError as error:
        return turn, 0, (Say(f"I cannot play this script: {error}"),)
    number, call = _current(calls, turn.results)
    last = turn.results[-1].text if turn.results else ""
    return turn, number, tuple(_with_result(step, last) for step in call.steps)


def _calls(prompts: list[str]) -> list[Call]:
    """Return the calls of all prompts of a turn, in the order of the messages."""
    calls: list[Call] = []
    for prompt in prompts:
        source = "\n".join(scripts_in(prompt)) or script_for(prompt) or ""
        first, *others = parse(source) or (Call((Say(_greeting(prompt)),)),)
        if calls and not calls[-1].tools:
            calls[-1] = replace(first, steps=(*calls[-1].steps, *first.steps))
        else:
            calls.append(first)
        calls += others
    return calls


def _current(calls: list[Call], results: list[Result]) -> tuple[int, Call]:
    """Return the call that is due after so many tool results, and its number."""
    used = 0
    for number, call in enumerate(calls):
        results_of_call = results[used : used + call.tools]
        if not call.tools or len(results_of_call) < call.tools:
            return number, call
        if call.on_error and any(result.is_error for result in results_of_call):
            return number + 1, Call((Say(call.on_error),))
        used += call.tools
    return len(calls), Call((Say("Done."),))


def _with_result(step: Step, result: str) -> Step:
    if isinstance(step, Say) and _RESULT in step.text:
        return Say(step.text.replace(_RESULT, _one_line(result, 200)))
    return step


def _greeting(prompt: str) -> str:
    words = _one_line(prompt, 60)
    if not words:
        return "I am a scripted model, and there is nothing to do in this message."
    known = "\n".join(f"- {one}" for one in known_prompts())
    return (
        f"You wrote: “{words}”\n\nI am a scripted model: I do what a fenced block with the info "
        "string `script` in your message says, one step per line. I have learned what to do for "
        f"these by heart:\n\n{known}"
    )


def _side_answer(request: dict[str, Any], prompt: str) -> str:
    """Return a short text, as JSON if the request names a schema for it."""
    words = without_blocks(prompt)
    line = next((line for line in words.splitlines() if line[:1] not in {"", "<"}), "")
    text = _one_line(line, 40) or "Scripted task"
    output = request.get("output_config")
    form = output.get("format") if isinstance(output, dict) else None
    schema = form.get("schema") if isinstance(form, dict) else None
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict):
        return text
    return json.dumps(dict.fromkeys(properties, text))


def _one_line(text: str, width: int) -> str:
    line = " ".join(text[: width * 8].split())
    return line if len(line) <= width else f"{line[: width - 1]}…"
