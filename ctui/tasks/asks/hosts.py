"""Hosts in asks: how one is named, and the rule that an answer makes of it."""

from __future__ import annotations

import msgspec

from ctui.claude.protocol import fields
from ctui.tasks.asks.kind import given_of
from ctui.tasks.host_rules import Effect
from ctui.tasks.model import Answer, Ask
from ctui.text import one_line

SSH = "ssh"
"""In the place of a tool: it wants to sign in at the host, and not only to reach it."""
WIDTH = 253
"""Bytes of the longest name."""
_TITLE_WIDTH = 50
"""Of a longer name the title has the end, which says whose it is; the beginning is anybody's."""
_HTTPS = 443


class KeptRule(msgspec.Struct, frozen=True):
    """The rule that an answer makes."""

    host: str
    effect: Effect
    for_task: bool
    """False is for all tasks of the repository."""


def short_name(host: str) -> str:
    """Return a host as a title has it."""
    return host if len(host) <= _TITLE_WIDTH else f"…{host[1 - _TITLE_WIDTH :]}"


def host_of(ask: Ask) -> str:
    """Return the host of an ask, with its port unless that is HTTPS's, as a rule names it."""
    return signed_host(ask).removesuffix(f":{_HTTPS}")


def signed_host(ask: Ask) -> str:
    """Return the host of an ask, with its port, as a rule about a key names it."""
    given = given_of(ask)
    host = one_line(fields.text(given, "host"), WIDTH)
    return f"[{host}]:{given.get('port')}" if ":" in host else f"{host}:{given.get('port')}"


def kept_rule(ask: Ask, answer: Answer) -> KeptRule | None:
    """Return the rule that a person's answer makes; None where it is for this once."""
    for_task = answer.decision != "always"
    if answer.decision == "deny":
        return KeptRule(host_of(ask), "deny", for_task)
    if ask.tool == SSH:
        return KeptRule(signed_host(ask), "sign", for_task)
    return None if answer.decision == "allow" else KeptRule(host_of(ask), "allow", for_task)
