"""Keys: a task wants to sign in at a host by ssh, with a key of the person's that it never has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import msgspec

from ctui.host_port import SSH as SSH_PORT
from ctui.tasks.asks.hosts import SSH, HostKind, host_of
from ctui.tasks.asks.kind import Decision, Origin, details_of
from ctui.tasks.asks.lines import INDENT
from ctui.tasks.model import Ask
from ctui.text import one_line

_KEY_WIDTH = 200


class KeyDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """Name of the key, as the person's settings have it."""

    key: str = ""


class KeyWanted(HostKind):
    """A host that the person has a key for."""

    tool = SSH
    wish = "sign in at {} by ssh"
    port = SSH_PORT
    words: ClassVar[Mapping[Decision, str]] = {
        "allow": "in this task",
        "always": "in this repository",
        "deny": "never in this task",
    }
    for_later: ClassVar[tuple[Decision, ...]] = ("always",)
    outcomes: ClassVar[Mapping[Decision, str]] = {
        **HostKind.outcomes,
        "allow": "allowed for the task",
        "always": "allowed for the repository",
    }

    def lines(self, ask: Ask) -> Iterator[str]:
        yield f"? It wants to sign in at {host_of(ask)} by ssh"
        yield f"{INDENT}with your key {details_of(ask, KeyDetails).key}, which stays outside"
        yield f"{INDENT}there it can do what you can: fetch, and push"


KIND = KeyWanted()


def key_ask(request: str, origin: Origin, host: str, port: int, key: str) -> Ask:
    """Return the ask for a signature that the gateway was asked for."""
    details = KeyDetails(one_line(key, _KEY_WIDTH))
    return KIND.of_gateway(request, origin, host, port, details)
