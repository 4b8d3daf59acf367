"""Rules of which hosts a task reaches, and the decision about one of them; pure.

A policy is what the person, the repository and the task say, merged by whoever knows them:

- `deny` wins over everything, whoever said it.
- `private` are hosts whose address need not be public; only the person names them.
- `allow` are hosts that were named, `shipped` those of ctui's own list.
- What is in none of them is asked for in the mode `allow`, and reached in `open` if it is public.

That an address is public is not decided here: it is known only after the name was resolved, which
happens after the name was allowed, since a lookup alone carries a message out.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

import msgspec

from ctui.gateway.egress.addresses import is_public
from ctui.gateway.egress.names import BadName, Target, host_of, is_address, target_of
from ctui.gateway.egress.shipped import SHIPPED
from ctui.host_port import HTTP, HTTPS, with_port

WEB = (HTTP, HTTPS)
"""Ports of a rule that names none."""
OWN_MACHINE = "host"
"""Name under which a task reaches a port of the person's own machine, if the person named it."""

_NAMED_PORTS = 16

Origin = Literal["person", "repository", "task", "shipped"]


class Mode(StrEnum):
    """Treatment of hosts that nobody has named."""

    OPEN = "open"
    """Any public one."""
    ALLOW = "allow"
    """None; each is asked for."""
    CLOSED = "closed"
    """None, and named ones neither: only what has a socket of its own."""


class Rule(msgspec.Struct, frozen=True):
    """A host, or all below a domain, and the ports that it is about."""

    host: str
    """In its one form (`names.host_of`), or `*.` and a domain: everything below it."""
    ports: tuple[int, ...] = WEB
    """None means every port."""
    origin: Origin = "person"

    def covers(self, host: str, port: int) -> bool:
        """Return True if it is about this port of this host."""
        if self.ports and port not in self.ports:
            return False
        if self.host.startswith("*."):
            return host.endswith(self.host[1:]) and not is_address(host)
        return host == self.host

    def includes(self, other: Rule) -> bool:
        """Return True if it is about every port of every host that another rule is about."""
        if self.ports and not (other.ports and set(other.ports) <= set(self.ports)):
            return False
        if self.host.startswith("*."):
            return other.host.endswith(self.host[1:]) and not is_address(other.host)
        return other.host == self.host

    def __str__(self) -> str:
        if self.ports == WEB:
            return self.host
        return with_port(self.host, ",".join(map(str, self.ports)) or "*")


class PrivateHost(msgspec.Struct, frozen=True):
    """A host that the person named, whose address need not be public."""

    host: str
    port: int


class Policy(msgspec.Struct, frozen=True):
    """Hosts that one run may reach."""

    mode: Mode = Mode.ALLOW
    allow: tuple[Rule, ...] = ()
    deny: tuple[Rule, ...] = ()
    private: tuple[PrivateHost, ...] = ()
    sign: tuple[Target, ...] = ()
    """Hosts at which somebody has agreed that it signs in by ssh."""
    shipped: bool = True
    """False leaves ctui's own list of registries and git hosts out."""
    hold: float = 45.0
    """Seconds for which a connection waits while somebody is asked; 0 asks without waiting."""


class Verdict(msgspec.Struct, frozen=True):
    """Decision about one host and port."""

    what: Literal["allow", "refuse", "ask"]
    rule: str
    """The rule that decided, as the person reads it in the log."""
    private: bool = False
    """True if its address need not be public."""
    named: bool = False
    """True if a rule names it, so that its name may be passed on to a proxy of the person."""
    why: Literal["rule", "private", "unnamed"] = "rule"
    """Kind of a refusal: what helps depends on it."""


class Attempt(msgspec.Struct, frozen=True):
    """A host that a task wants, and nobody has named: what is asked for."""

    host: str
    port: int
    program: str = ""
    """Name that the program gives itself; a claim, without control characters."""
    key: str = ""
    """Name of a key that is to be used there; "" asks for the host itself."""


class Record(msgspec.Struct, frozen=True):
    """One attempt for the log: told once when it is decided, and again when it is over."""

    key: str
    """The same for both; unique in all runs."""
    at: float
    """Seconds since 1970, when it began."""
    host: str
    port: int
    verdict: Literal["allowed", "refused", "failed"]
    rule: str
    """The rule that decided, or for one that failed what happened."""
    over: bool = True
    up: int = 0
    """Bytes from the task."""
    down: int = 0
    anomaly: str = ""
    """Reason for an alarm: a name inside the connection that is not the one asked for."""
    program: str = ""
    credential: str = ""
    """Name of the credential that was added to requests inside of it."""


def decide(policy: Policy, target: Target) -> Verdict:
    """Return whether a task reaches a target, as far as its name tells."""
    if denied := _first(policy.deny, target):
        return Verdict("refuse", f"deny {denied} ({denied.origin})")
    if policy.mode is Mode.CLOSED:
        return Verdict("refuse", "the network is closed")
    if PrivateHost(*target) in policy.private:
        return Verdict("allow", f"private {target}", private=True, named=True)
    if _is_here(target.host) or (is_address(target.host) and not is_public(target.host)):
        return PRIVATE
    if named := _first((*policy.allow, *(SHIPPED_RULES if policy.shipped else ())), target):
        return Verdict("allow", f"allow {named} ({named.origin})", named=True)
    if policy.mode is Mode.OPEN:
        return Verdict("allow", "the network is open")
    return Verdict("ask", "nobody has named it", why="unnamed")


def named_ports(policy: Policy) -> list[int]:
    """Return the ports of hosts that were named, at most 16: tools that know no proxy want them."""
    named = {one.port for one in policy.private}
    named.update(port for rule in policy.allow for port in rule.ports)
    return sorted(named)[:_NAMED_PORTS]


def _is_here(host: str) -> bool:
    """Return True for a name that means this machine, whoever looks it up (RFC 6761, 6.3)."""
    return host in {OWN_MACHINE, "localhost"} or host.endswith(".localhost")


def _first(rules: Iterable[Rule], target: Target) -> Rule | None:
    return next((rule for rule in rules if rule.covers(*target)), None)


PRIVATE = Verdict("refuse", "not a public address", why="private")
ONCE = Verdict("allow", "allowed once", named=True)

SHIPPED_RULES = tuple(Rule(one.host, one.ports, "shipped") for one in SHIPPED)


def rule_of(text: str, origin: Origin = "person", ports: tuple[int, ...] = WEB) -> Rule:
    """Return the rule that `HOST`, `HOST:PORT` or `HOST:*` writes; HOST can begin with `*.`.

    Args:
        text: the rule.
        origin: who says so.
        ports: what it is about where it names no port; `()` is every one, as a denial means it.

    Raises:
        BadName: it names no host.
    """
    wild = "*." if text.startswith("*.") else ""
    text = text.removeprefix("*.")
    if text.endswith(":*"):
        host, ports = host_of(text[:-2]), ()
    elif _has_port(text):
        host, port = target_of(text)
        ports = (port,)
    else:
        host = host_of(text)
    if wild and is_address(host):
        raise BadName("an address has nothing below it")
    return Rule(wild + host, ports, origin)


def _has_port(text: str) -> bool:
    return (text.count(":") == 1 and "[" not in text) or "]:" in text
