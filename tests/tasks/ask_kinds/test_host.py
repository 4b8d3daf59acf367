"""A host that nobody has named, as the gateway asks for it."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from ctui.tasks.asks import Origin, ask_lines, check, decisions, kind_of
from ctui.tasks.asks.hosts import kept_rule
from ctui.tasks.asks.kinds.host import host_ask
from ctui.tasks.model import Answer, Ask
from tests.tasks.generators import TEXT, some

SUBTYPE = "host of the gateway"
"""No request of the CLI has it: the gateway asks."""
REQUESTS = some(subtype=st.just(SUBTYPE), host=TEXT)


def _ask(host: str = "registry.example", port: int = 443, program: str = "npm/11.0") -> Ask:
    return host_ask("w", Origin("t", 1, 0), host, port, program)


def test_the_host_is_shown_with_whoever_says_that_it_asks() -> None:
    ask = _ask(program="npm\x1b[2J\nrm")
    shown = "\n".join(ask_lines(ask))
    assert "registry.example" in shown
    assert "npm" in shown
    assert "\x1b" not in shown
    assert ask.title == "reach registry.example"
    assert _ask(port=5432).title == "reach registry.example:5432"
    assert decisions(ask) == ("allow", "session", "always", "deny")
    for decision in decisions(ask):
        check(ask, Answer(decision))
        assert kind_of(ask).label(ask, decision)


def test_a_long_name_is_not_shown_by_its_beginning() -> None:
    """That is anybody's choice; the ask itself shows all of it."""
    host = f"registry.npmjs.org.{'a' * 60}.{'b' * 60}.{'c' * 60}.evil.example"
    ask = _ask(host, port=8443)
    assert ask.title.startswith("reach …")
    assert ask.title.endswith("ccc.evil.example:8443")
    assert len(ask.title) < 64
    assert host in "\n".join(ask_lines(ask))


@pytest.mark.parametrize(
    ("host", "port", "named"),
    [
        ("registry.example", 443, "registry.example"),
        ("registry.example", 80, "registry.example:80"),
        ("2001:db8::1", 443, "[2001:db8::1]"),
        ("2001:db8::1", 22, "[2001:db8::1]:22"),
    ],
)
def test_a_rule_names_the_host_as_a_person_would(host: str, port: int, named: str) -> None:
    rule = kept_rule(_ask(host, port), Answer("session"))
    assert rule is not None
    assert (rule.host, rule.effect, rule.for_task) == (named, "allow", True)
    assert kept_rule(_ask(host, port), Answer("allow")) is None
