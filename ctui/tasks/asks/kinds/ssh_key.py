"""Keys: a task wants to sign in at a host by ssh, with a key of the person's that it never has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import msgspec

from ctui.tasks.asks.hosts import SSH, WIDTH, host_of, short_name
from ctui.tasks.asks.kind import Decision, Kind, Origin, details_of, new_ask
from ctui.tasks.asks.lines import INDENT
from ctui.tasks.model import Answer, Ask, AskKind
from ctui.text import one_line

_KEY_WIDTH = 200


class KeyDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """Name of the key, as the person's settings have it."""

    key: str = ""


class KeyWanted(Kind):
    """A host that the person has a key for; the gateway holds the signature for a while."""

    kind = AskKind.HOST
    tool = SSH
    goes_to_cli = False
    words: ClassVar[Mapping[Decision, str]] = {
        "allow": "in this task",
        "always": "in this repository",
        "deny": "never in this task",
    }
    outcomes: ClassVar[Mapping[Decision, str]] = {
        **Kind.outcomes,
        "allow": "allowed for the task",
        "always": "allowed for the repository",
    }
    explains = False

    def lines(self, ask: Ask) -> Iterator[str]:
        yield f"? It wants to sign in at {host_of(ask)} by ssh"
        yield f"{INDENT}with your key {details_of(ask, KeyDetails).key}, which stays outside"
        yield f"{INDENT}there it can do what you can: fetch, and push"

    def decisions(self, _ask: Ask) -> tuple[Decision, ...]:
        return "allow", "always", "deny"

    def allows(self, ask: Ask, decision: Decision) -> str:
        return f"sign in at {host_of(ask)} {self.words[decision]}" if decision == "always" else ""

    def reply(self, _ask: Ask, _answer: Answer) -> bytes:
        return b""


KIND = KeyWanted()


def key_ask(request: str, origin: Origin, host: str, port: int, key: str) -> Ask:
    """Return the ask for a signature that the gateway was asked for."""
    shown = one_line(host, WIDTH)
    return new_ask(
        AskKind.HOST,
        request,
        origin,
        tool=SSH,
        title=f"sign in at {short_name(shown)} by ssh",
        given={"host": shown, "port": port},
        details=KeyDetails(one_line(key, _KEY_WIDTH)),
    )
