"""Asks about hosts: what they share, how a host is named, and the rule that an answer makes."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from ctui.claude.protocol import fields
from ctui.host_port import HTTPS, with_port
from ctui.tasks.asks.kind import Decision, Kind, Origin, given_of, new_ask
from ctui.tasks.host_rules import Effect
from ctui.tasks.model import Answer, Ask, AskKind
from ctui.text import one_line

SSH = "ssh"
"""In the place of a tool: it wants to sign in at the host, and not only to reach it."""
WIDTH = 253
"""Bytes of the longest name."""
_TITLE_WIDTH = 50
"""Of a longer name the title has the end, which says whose it is; the beginning is anybody's."""


class HostKind(Kind):
    """Base of what a task wants of a host, for which the gateway holds a connection for a while."""

    kind = AskKind.HOST
    goes_to_cli = False
    explains = False
    wish: ClassVar[str]
    """Title, with the host's place in it."""
    port: ClassVar[int]
    """Port that is not said in it."""
    for_later: ClassVar[tuple[Decision, ...]]
    """Decisions that say what they allow beyond this once."""

    def decisions(self, _ask: Ask) -> tuple[Decision, ...]:
        return tuple(self.words)

    def allows(self, ask: Ask, decision: Decision) -> str:
        if decision not in self.for_later:
            return ""
        return f"{self.wish.format(host_of(ask))} {self.words[decision]}"

    def reply(self, _ask: Ask, _answer: Answer) -> bytes:
        return b""

    def of_gateway(
        self, request: str, origin: Origin, host: str, port: int, details: msgspec.Struct
    ) -> Ask:
        """Return the ask for what the gateway was asked for."""
        shown = one_line(host, WIDTH)
        short = _short_name(shown)
        name = short if port == self.port else with_port(short, port)
        return new_ask(
            self.kind,
            request,
            origin,
            tool=self.tool,
            title=self.wish.format(name),
            given={"host": shown, "port": port},
            details=details,
        )


class KeptRule(msgspec.Struct, frozen=True):
    """The rule that an answer makes."""

    host: str
    effect: Effect
    for_task: bool
    """False is for all tasks of the repository."""


def _short_name(host: str) -> str:
    """Return a host as a title has it."""
    return host if len(host) <= _TITLE_WIDTH else f"…{host[1 - _TITLE_WIDTH :]}"


def host_of(ask: Ask) -> str:
    """Return the host of an ask, with its port unless that is HTTPS's, as a rule names it."""
    return signed_host(ask).removesuffix(f":{HTTPS}")


def signed_host(ask: Ask) -> str:
    """Return the host of an ask, with its port, as a rule about a key names it."""
    given = given_of(ask)
    return with_port(one_line(fields.text(given, "host"), WIDTH), given.get("port"))


def kept_rule(ask: Ask, answer: Answer) -> KeptRule | None:
    """Return the rule that a person's answer makes; None where it is for this once."""
    for_task = answer.decision != "always"
    if answer.decision == "deny":
        return KeptRule(host_of(ask), "deny", for_task)
    if ask.tool == SSH:
        return KeptRule(signed_host(ask), "sign", for_task)
    return None if answer.decision == "allow" else KeptRule(host_of(ask), "allow", for_task)
