"""Questions of the model."""

from __future__ import annotations

import json

from hypothesis import strategies as st

from ctui.tasks.asks import reply
from ctui.tasks.model import Answer
from tests.ask_requests import permission
from tests.tasks.generators import ANY_INPUT, QUESTIONS, tool_call

REQUESTS = tool_call(st.just("AskUserQuestion"), QUESTIONS | ANY_INPUT)


def test_a_model_writes_no_notes_of_the_persons() -> None:
    """T27: an answer has only what the person said."""
    question = {"question": "Which?", "options": [{"label": "A"}]}
    given = {"questions": [question], "answers": {"Which?": "B"}, "annotations": {"Which?": "C"}}
    ask = permission("AskUserQuestion", given)
    sent = json.loads(reply(ask, Answer("allow", text="A")))["response"]["response"]["updatedInput"]
    assert sent == {"questions": [question], "answers": {"Which?": "A"}}
