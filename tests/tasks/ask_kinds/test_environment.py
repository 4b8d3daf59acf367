"""Consent to an environment, as the driver asks for it."""

from __future__ import annotations

from hypothesis import strategies as st

from ctui.tasks.asks import Origin, ask_lines, check, decisions, kind_of
from ctui.tasks.asks.kinds.environment import digest_of, environment_ask
from ctui.tasks.model import Answer
from tests.tasks.generators import TEXT, some

SUBTYPE = "environment of the driver"
"""No request of the CLI has it: the driver asks."""
REQUESTS = some(subtype=st.just(SUBTYPE), text=TEXT)


def test_what_is_built_is_shown_and_the_answer_is_to_its_hash() -> None:
    ask = environment_ask(
        "r", Origin("t", 0, 0), name="tea", file=".ctui.toml", text="runs: make\x1b[2J", digest="d"
    )
    assert any("runs: make" in line for line in ask_lines(ask))
    assert not any("\x1b" in line for line in ask_lines(ask))
    assert decisions(ask) == ("allow", "deny")
    check(ask, Answer("allow"))
    assert digest_of(ask) == "d"
    assert "exactly this" in kind_of(ask).label(ask, "allow")
