"""The policy of a run: the person's settings, and the rules that are kept for its task."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from ctui.config import Config
from ctui.errors import InvalidInput
from ctui.gateway.egress.names import BadName, target_of
from ctui.gateway.egress.policy import Mode, Origin, Policy, PrivateHost, Rule, decide, rule_of
from ctui.tasks.host_rules import Effect, HostRule
from ctui.text import one_line


def checked_host(text: str, effect: Effect = "allow", origin: Origin = "person") -> Rule:
    """Return the rule that a person wrote.

    Raises:
        InvalidInput: it names no host.
    """
    try:
        # A denial without a port means the host, whatever is asked of it.
        return rule_of(text, origin, () if effect == "deny" else (80, 443))
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
        config: the person's settings, checked already.
        kept: the rules that are for all, for the run's repository, or for its task.
    """
    network = config.network
    allow = [checked_host(text) for text in network.allowed]
    deny = [checked_host(text, "deny") for text in network.denied]
    for rule in kept:
        made = checked_host(rule.host, rule.effect, rule.origin)
        (allow if rule.effect == "allow" else deny).append(made)
    return Policy(
        mode=Mode(network.mode),
        allow=tuple(allow),
        deny=tuple(deny),
        private=tuple(map(checked_private, network.private_hosts)),
    )


class HostVerdict(msgspec.Struct, frozen=True):
    """Verdict on a host, as far as its name tells."""

    host: str
    port: int
    verdict: Literal["allowed", "refused", "asked"]
    rule: str
    """The rule that decided, in words."""


def verdict_of(policy: Policy, text: str) -> HostVerdict:
    """Return whether a run with this policy reaches `HOST` or `HOST:PORT`.

    Raises:
        InvalidInput: it names no host.
    """
    try:
        target = target_of(text, 443)
    except BadName as error:
        raise InvalidInput(
            f"{one_line(text, 80)}: {error}", hint="write HOST or HOST:PORT"
        ) from error
    found = decide(policy, target)
    words: dict[str, Literal["allowed", "refused", "asked"]]
    words = {"allow": "allowed", "refuse": "refused", "ask": "asked"}
    return HostVerdict(target.host, target.port, words[found.what], found.rule)
