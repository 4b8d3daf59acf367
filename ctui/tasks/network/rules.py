"""The policy of a run: the person's settings, and the rules that are kept for its task."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, TypeVar

import msgspec

from ctui.config import Config
from ctui.errors import InvalidInput
from ctui.gateway.egress.names import BadName, target_of
from ctui.gateway.egress.policy import WEB, Mode, Origin, Policy, PrivateHost, Rule, decide, rule_of
from ctui.host_port import HTTPS, SSH
from ctui.tasks.host_rules import Effect, HostRule
from ctui.tasks.network.lent import checked_target, lending_rules, opened_target
from ctui.text import one_line

T = TypeVar("T")


def checked_host(text: str, effect: Effect = "allow", origin: Origin = "person") -> Rule:
    """Return the rule that a person wrote.

    Raises:
        InvalidInput: it names no host.
    """
    try:
        # A denial without a port means the host, whatever is asked of it.
        return rule_of(text, origin, () if effect == "deny" else WEB)
    except BadName as error:
        raise InvalidInput(
            f"{one_line(text, 80)}: {error}",
            hint="write HOST, *.DOMAIN or HOST:PORT, such as docs.example.org",
        ) from error


def checked_private(text: str) -> PrivateHost:
    """Return the private host and port that a person wrote.

    Raises:
        InvalidInput: it names no host, or no port.
    """
    try:
        return PrivateHost(*target_of(text))
    except BadName as error:
        raise InvalidInput(
            f"{one_line(text, 80)}: {error}",
            hint="write HOST:PORT, such as registry.lan:4873, or host:5432 for this machine",
        ) from error


def policy_of(config: Config, kept: Iterable[HostRule]) -> Policy:
    """Return what a run may reach.

    Args:
        config: the person's settings.
        kept: the rules that are for all, for the run's repository, or for its task.

    Raises:
        InvalidInput: one of them names no host.
    """
    network = config.network
    allow = _read("allow", checked_host, network.allowed)
    deny = _read("deny", lambda text: checked_host(text, "deny"), network.denied)
    allow += lending_rules(config)
    sign = []
    for rule in kept:
        if rule.effect == "sign":
            sign.append(checked_target(rule.host, SSH))
            continue
        made = checked_host(rule.host, rule.effect, rule.origin)
        (allow if rule.effect == "allow" else deny).append(made)
    return Policy(
        mode=Mode(network.mode),
        allow=tuple(allow),
        deny=tuple(deny),
        private=tuple(_read("private", checked_private, network.private_hosts)),
        sign=tuple(sign),
    )


def offered_rules(config: Config) -> list[Rule]:
    """Return what whoever starts a task by HTTP or MCP may allow it.

    Raises:
        InvalidInput: one of the settings names no host.
    """
    return _read("offer", checked_host, config.network.offered)


def wrong_hosts(config: Config) -> dict[str, InvalidInput]:
    """Return the first error of each setting that names hosts, by the setting's key."""
    network, gateway = config.network, config.gateway
    readings: dict[str, Callable[[], object]] = {
        "network.allow": lambda: [checked_host(host) for host in network.allowed],
        "network.deny": lambda: [checked_host(host, "deny") for host in network.denied],
        "network.private": lambda: [checked_private(host) for host in network.private_hosts],
        "network.offer": lambda: [checked_host(host) for host in network.offered],
        "gateway.credentials": lambda: [checked_target(r.host, HTTPS) for r in gateway.credentials],
        "gateway.ssh": lambda: [checked_target(rule.host, SSH) for rule in gateway.ssh],
    }
    found = {}
    for key, read in readings.items():
        try:
            read()
        except InvalidInput as error:
            found[key] = error
    return found


def _read(key: str, read: Callable[[str], T], texts: Iterable[str]) -> list[T]:
    """Return what a setting says, read; its name is in the message of what cannot be."""
    try:
        return [read(text) for text in texts]
    except InvalidInput as error:
        raise InvalidInput(f"network.{key}: {error.message}", hint=error.hint) from error


class HostVerdict(msgspec.Struct, frozen=True):
    """Verdict on a host, as far as its name tells."""

    host: str
    port: int
    verdict: Literal["allowed", "refused", "asked"]
    rule: str
    """The rule that decided, in words."""
    opened: str = ""
    """Name of the secret that its requests get; "" where nothing is opened."""


def verdict_of(policy: Policy, text: str, config: Config) -> HostVerdict:
    """Return whether a run with this policy reaches `HOST` or `HOST:PORT`.

    Raises:
        InvalidInput: it names no host.
    """
    try:
        target = target_of(text, HTTPS)
    except BadName as error:
        raise InvalidInput(
            f"{one_line(text, 80)}: {error}", hint="write HOST or HOST:PORT"
        ) from error
    found = decide(policy, target)
    words: dict[str, Literal["allowed", "refused", "asked"]]
    words = {"allow": "allowed", "refuse": "refused", "ask": "asked"}
    opened = {opened_target(rule): rule.secret for rule in config.gateway.credentials}
    added = opened.get(target, "") if found.what == "allow" else ""
    return HostVerdict(target.host, target.port, words[found.what], found.rule, added)
