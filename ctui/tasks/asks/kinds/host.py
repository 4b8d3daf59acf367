"""Hosts: a task wants to reach one that nobody has named, and a connection waits in the gateway."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import msgspec

from ctui.claude.protocol import fields
from ctui.tasks.asks.kind import Decision, Kind, Origin, details_of, given_of, new_ask
from ctui.tasks.asks.lines import INDENT
from ctui.tasks.host_rules import Effect
from ctui.tasks.model import Answer, Ask, AskKind
from ctui.text import one_line

_WIDTH = 253
"""Bytes of the longest name."""
_TITLE_WIDTH = 50
"""Of a longer name the title has the end, which says whose it is; the beginning is anybody's."""
_PROGRAM_WIDTH = 60
_HTTPS = 443


class HostDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """Program that wants to reach it, as far as it says."""

    program: str = ""


class KeptRule(msgspec.Struct, frozen=True):
    """The rule that an answer makes."""

    host: str
    effect: Effect
    for_task: bool
    """False is for all tasks of the repository."""


class HostWanted(Kind):
    """A host that is in no list; the gateway holds the connection for a while."""

    kind = AskKind.HOST
    goes_to_cli = False
    words: ClassVar[Mapping[Decision, str]] = {
        "allow": "this once",
        "session": "in this task",
        "always": "in this repository",
        "deny": "never in this task",
    }
    outcomes: ClassVar[Mapping[Decision, str]] = {
        **Kind.outcomes,
        "session": "allowed for the task",
        "always": "allowed for the repository",
    }
    explains = False

    def lines(self, ask: Ask) -> Iterator[str]:
        program = details_of(ask, HostDetails).program
        yield f"? It wants to reach {host_of(ask)}"
        if program:
            yield f"{INDENT}a program that calls itself {program}"
        yield f"{INDENT}ctui's list does not have it, and what a task sends there has left"

    def decisions(self, _ask: Ask) -> tuple[Decision, ...]:
        return "allow", "session", "always", "deny"

    def allows(self, ask: Ask, decision: Decision) -> str:
        if decision in {"session", "always"}:
            return f"reach {host_of(ask)} {self.words[decision]}"
        return ""

    def reply(self, _ask: Ask, _answer: Answer) -> bytes:
        return b""


KIND = HostWanted()


def host_ask(request: str, origin: Origin, host: str, port: int, program: str) -> Ask:
    """Return the ask for a host that the gateway was asked for."""
    shown = one_line(host, _WIDTH)
    short = shown if len(shown) <= _TITLE_WIDTH else f"…{shown[1 - _TITLE_WIDTH :]}"
    name = short if port == _HTTPS else f"{short}:{port}"
    return new_ask(
        AskKind.HOST,
        request,
        origin,
        tool="",
        title=f"reach {name}",
        given={"host": shown, "port": port},
        details=HostDetails(one_line(program, _PROGRAM_WIDTH)),
    )


def host_of(ask: Ask) -> str:
    """Return the host of an ask, with its port unless that is HTTPS's, as a rule names it."""
    given = given_of(ask)
    host, port = one_line(fields.text(given, "host"), _WIDTH), given.get("port")
    name = f"[{host}]" if ":" in host else host
    return name if port == _HTTPS else f"{name}:{port}"


def kept_rule(ask: Ask, answer: Answer) -> KeptRule | None:
    """Return the rule that a person's answer makes; None where it is for this once."""
    if answer.decision == "allow":
        return None
    effect: Effect = "deny" if answer.decision == "deny" else "allow"
    return KeptRule(host_of(ask), effect, for_task=answer.decision != "always")
