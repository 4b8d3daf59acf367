"""Hosts: a task wants to reach one that nobody has named, and a connection waits in the gateway."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import msgspec

from ctui.tasks.asks.hosts import WIDTH, host_of, short_name
from ctui.tasks.asks.kind import Decision, Kind, Origin, details_of, new_ask
from ctui.tasks.asks.lines import INDENT
from ctui.tasks.model import Answer, Ask, AskKind
from ctui.text import one_line

_PROGRAM_WIDTH = 60
_HTTPS = 443


class HostDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """Program that wants to reach it, as far as it says."""

    program: str = ""


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
    shown = one_line(host, WIDTH)
    short = short_name(shown)
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
