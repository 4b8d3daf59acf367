"""Hosts: a task wants to reach one that nobody has named, and a connection waits in the gateway."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import msgspec

from ctui.host_port import HTTPS
from ctui.tasks.asks.hosts import HostKind, host_of
from ctui.tasks.asks.kind import Decision, Origin, details_of
from ctui.tasks.asks.lines import INDENT
from ctui.tasks.model import Ask
from ctui.text import one_line

_PROGRAM_WIDTH = 60


class HostDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """Program that wants to reach it, as far as it says."""

    program: str = ""


class HostWanted(HostKind):
    """A host that is in no list."""

    wish = "reach {}"
    port = HTTPS
    words: ClassVar[Mapping[Decision, str]] = {
        "allow": "this once",
        "session": "in this task",
        "always": "in this repository",
        "deny": "never in this task",
    }
    for_later = ("session", "always")
    outcomes: ClassVar[Mapping[Decision, str]] = {
        **HostKind.outcomes,
        "session": "allowed for the task",
        "always": "allowed for the repository",
    }

    def lines(self, ask: Ask) -> Iterator[str]:
        program = details_of(ask, HostDetails).program
        yield f"? It wants to reach {host_of(ask)}"
        if program:
            yield f"{INDENT}a program that calls itself {program}"
        yield f"{INDENT}ctui's list does not have it, and what a task sends there has left"


KIND = HostWanted()


def host_ask(request: str, origin: Origin, host: str, port: int, program: str) -> Ask:
    """Return the ask for a host that the gateway was asked for."""
    details = HostDetails(one_line(program, _PROGRAM_WIDTH))
    return KIND.of_gateway(request, origin, host, port, details)
