"""Who is waited for, and for how long."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from ctui.claude.protocol.decode import decode
from ctui.claude.protocol.silence import Silence, silence_text
from tests.claude import lines

_CALL = lines.assistant("m", lines.tool_use("t", "Bash", command="ls"))
_AGENT = lines.assistant("m", lines.tool_use("t", "Agent", prompt="look"))


def after(*journal: bytes, seconds: float = 12.0) -> int:
    """How long it is silent, so long after the last of the lines."""
    silence = Silence()
    for number, line in enumerate(journal):
        silence.feed(decode(line), float(number))
    return silence.seconds(len(journal) - 1 + seconds)


@pytest.mark.parametrize(
    "journal",
    [
        [lines.echo("a", "do it")],
        [lines.system("session_state_changed", state="running")],
        [lines.echo("a", "do it"), lines.message_start("m")],
        [lines.echo("a", "x"), *lines.deltas(0, lines.text("half"), ["ha"], None)],
        [lines.echo("a", "x"), _CALL, lines.tool_result("t", "out")],
        [lines.echo("a", "x"), _AGENT, lines.assistant("n", lines.text("hm"), "t")],
        [lines.echo("a", "x"), lines.system("api_retry", attempt=1, max_retries=10)],
    ],
)
def test_the_model_is_silent_where_it_is_its_turn(journal: list[bytes]) -> None:
    """S23: a model that hangs, also in mid-stream."""
    assert after(*journal) == 12


@pytest.mark.parametrize(
    "journal",
    [
        [],
        [lines.init()],
        [lines.echo("a", "x"), _CALL],
        [lines.echo("a", "x"), _CALL, lines.can_use_tool("r", "t", "Bash")],
        [lines.echo("a", "x"), lines.result()],
        [lines.echo("a", "x"), lines.system("session_state_changed", state="idle")],
        [lines.echo("a", "x"), _AGENT, lines.assistant("n", lines.tool_use("u", "Bash"), "t")],
    ],
)
def test_nobody_waits_for_the_model_elsewhere(journal: list[bytes]) -> None:
    """S23, beside it: a long test run or an open question is no silence of the model."""
    assert after(*journal) == 0


def test_a_stray_line_is_no_word_of_the_model() -> None:
    """S23, beside it: what a process of the task writes does not end the silence."""
    assert after(lines.echo("a", "x"), b"noise", b'{"type":"keep_alive"}', seconds=10) == 12


def test_it_is_said_from_ten_seconds_on() -> None:
    """S23: shorter pauses are usual."""
    assert silence_text(9) == ""
    assert silence_text(10) == "the model has said nothing for 10 s"


@given(st.lists(st.binary(max_size=60) | st.sampled_from([_CALL, _AGENT, lines.echo("a", "x")])))
def test_no_line_breaks_it(journal: list[bytes]) -> None:
    """S23, beside it: lines are hostile."""
    assert after(*journal) >= 0
