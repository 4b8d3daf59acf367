"""Questions of a task by ctui's own tool."""

from __future__ import annotations

import json

from hypothesis import strategies as st

from ctui.tasks.asks import Origin, reply, toolbox, toolbox_ask
from ctui.tasks.model import Answer
from tests.tasks.generators import TEXT, some

REQUESTS = some(
    subtype=st.just("mcp_message"),
    server_name=st.just("ctui"),
    message=some(
        method=st.just("tools/call"),
        id=st.integers() | TEXT | st.booleans(),
        params=some(
            name=st.sampled_from(["ask_user", "notify_user"]),
            arguments=some(
                question=st.text(min_size=1, max_size=9),
                options=st.lists(st.text(min_size=1, max_size=9), max_size=3),
                timeout_seconds=st.integers(60, 7200),
                priority=st.sampled_from(["normal", "urgent"]),
            ),
        ),
    ),
)


def test_an_answer_is_the_result_of_the_call() -> None:
    """By the call's id, which is another than the request's."""
    arguments = {"question": "Which?", "options": ["A", "B"]}
    params = {"name": "ask_user", "arguments": arguments}
    outcome = toolbox.handle({"method": "tools/call", "id": 7, "params": params})
    assert isinstance(outcome, toolbox.AskPerson)
    ask = toolbox_ask("r", outcome, Origin("t", 1, 0))
    response = json.loads(reply(ask, Answer("allow", text="B")))["response"]
    assert response["request_id"] == "r"
    message = response["response"]["mcp_response"]
    assert message["id"] == 7
    assert "B" in json.dumps(message["result"])
