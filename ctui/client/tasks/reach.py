"""Reach of a new task: what fits together, and what a program that starts one may choose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from ctui.claude.mcp.mcp_server import McpServer
from ctui.config import Config
from ctui.config.task_sections import NetworkConfig, NetworkMode
from ctui.errors import InvalidInput, Refused
from ctui.gateway.egress.names import Target
from ctui.gateway.egress.policy import SHIPPED_RULES
from ctui.tasks.model import TaskOptions, TaskReach
from ctui.tasks.network.rules import checked_host, offered_rules, policy_of
from ctui.tasks.network.sealed import UNSEALED, seals, server_hosts

_WIDER: tuple[TaskReach, ...] = ("closed", "allow", "open", "unsealed")
"""Each reaches what the one before does, and more."""


def mode_of(network: NetworkConfig) -> TaskReach:
    """Return the reach of a new task for which nothing else is said."""
    return network.mode if network.gateway else UNSEALED


def check_hosts(options: TaskOptions) -> None:
    """Refuse hosts that a task of this reach cannot be allowed.

    Raises:
        InvalidInput: it has a network of the engine's, or none.
    """
    if not options.allow_hosts:
        return
    if not seals(options):
        raise InvalidInput(
            "an unsealed task reaches what the engine's network does: no host can be allowed it",
            hint="leave out the hosts, or have it behind the gateway",
        )
    if options.network == "closed":
        raise InvalidInput(
            "a closed network has no hosts", hint="leave out the hosts, or choose the network allow"
        )


def check_offered(
    config: Config,
    wanted: NetworkMode | None,
    hosts: Iterable[str],
    servers: Mapping[str, McpServer] = MappingProxyType({}),
) -> None:
    """Refuse what reaches further than the person lets programs choose.

    A file of MCP servers can have been written by a task; their hosts are named by it, wherever
    they are, so a program that gives one needs them offered too. It is read once: a task could
    write it anew behind a first look.

    Args:
        config: the person's settings.
        wanted: network of the task, or None for that of the settings.
        hosts: that it is to be allowed.
        servers: of MCP that it is to have, as their files were read.

    Raises:
        InvalidInput: one of them is no host.
        Refused: the network is wider than the person's, or a host is none that they offer.
    """
    most = mode_of(config.network)
    if wanted is not None and _WIDER.index(wanted) > _WIDER.index(most):
        raise Refused(
            f"the network {wanted} is wider than the person's, which is {most}",
            hint=f"leave it out; the person can set network.mode to {wanted}",
        )
    policy = policy_of(config, ())
    theirs = [one for one in server_hosts(servers) if one not in policy.private]
    known = (*policy.allow, *SHIPPED_RULES, *offered_rules(config))
    for host in (*hosts, *(str(Target(one.host, one.port)) for one in theirs)):
        rule = checked_host(host)
        if not any(one.includes(rule) for one in known):
            raise Refused(
                f"{rule} is no host that tasks may be allowed from here",
                hint="leave it out; the person can put it into network.offer",
            )
