"""A key of ssh that a task wants to sign in with, as the gateway asks for it."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from ctui.tasks.asks import Origin, ask_lines, check, decisions, kind_of
from ctui.tasks.asks.hosts import KeptRule, kept_rule
from ctui.tasks.asks.kind import Decision
from ctui.tasks.asks.kinds.ssh_key import key_ask
from ctui.tasks.model import Answer, Ask
from tests.tasks.generators import TEXT, some

SUBTYPE = "key of the gateway"
"""No request of the CLI has it: the gateway asks."""
REQUESTS = some(subtype=st.just(SUBTYPE), host=TEXT)


def _ask(host: str = "git.example", port: int = 22, key: str = "~/.ssh/id_ed25519") -> Ask:
    return key_ask("w", Origin("t", 1, 0), host, port, key)


def test_the_host_and_the_key_are_shown() -> None:
    ask = _ask(key="~/.ssh/id\x1b[2J\nrm")
    shown = "\n".join(ask_lines(ask))
    assert "git.example:22" in shown
    assert "~/.ssh/id" in shown
    assert "\x1b" not in shown
    assert ask.title == "sign in at git.example by ssh"
    assert decisions(ask) == ("allow", "always", "deny")
    for decision in decisions(ask):
        check(ask, Answer(decision))
        assert kind_of(ask).label(ask, decision)


@pytest.mark.parametrize(
    ("port", "decision", "kept"),
    [
        (22, "allow", KeptRule("git.example:22", "sign", for_task=True)),
        (22, "always", KeptRule("git.example:22", "sign", for_task=False)),
        (443, "allow", KeptRule("git.example:443", "sign", for_task=True)),
        (22, "deny", KeptRule("git.example:22", "deny", for_task=True)),
    ],
)
def test_every_answer_is_kept(port: int, decision: Decision, kept: KeptRule) -> None:
    """So that a task asks once."""
    assert kept_rule(_ask(port=port), Answer(decision)) == kept
