"""The demo's prompts read like a person's words, and each has a script that can be played."""

from __future__ import annotations

from typing import Any

import pytest

from ctui.demo.model.answer import answer_to
from ctui.demo.model.known import TIMER, known_prompts, script_for
from ctui.demo.model.script import parse
from ctui.demo.model.steps import Say, Tool


@pytest.mark.parametrize("prompt", known_prompts())
def test_a_prompt_is_one_sentence_and_has_a_script(prompt: str) -> None:
    assert "`" not in prompt
    assert "\n" not in prompt
    assert parse(script_for(prompt) or "")


def test_a_script_is_found_by_its_words_whatever_their_space_and_case() -> None:
    assert script_for(f"  {TIMER.upper()}\n") == script_for(TIMER)
    assert script_for("Let the timer say something else.") is None


def test_a_known_prompt_is_played_and_another_is_told_what_is_known() -> None:
    assert "I look at the timer first." in _said(TIMER)
    said = _said("Do something")
    assert "I am a scripted model" in said
    assert TIMER in said


def test_each_comment_of_a_review_is_answered_by_its_number() -> None:
    script = script_for(
        "Review of your changes. Deal with them.\n\n#7 a.py:1 (at f2b5)\n> x\n#12 b:2"
    )
    (call, *_) = parse(script or "")
    tools = [step for step in call.steps if isinstance(step, Tool)]
    assert [tool.input["number"] for tool in tools] == [7, 12]


def _said(prompt: str) -> str:
    request: dict[str, Any] = {"messages": [{"role": "user", "content": prompt}], "tools": [{}]}
    _, _, steps = answer_to(request)
    return "\n".join(step.text for step in steps if isinstance(step, Say))
