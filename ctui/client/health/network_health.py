"""One line of `ctui doctor` about the network of tasks: what they reach, and the gateway."""

from __future__ import annotations

from ctui.client.health.health import Check
from ctui.config import load_config
from ctui.errors import CtuiError, InvalidInput
from ctui.gateway.port_client import gateway_pid
from ctui.paths import Paths
from ctui.tasks.network.rules import offered_rules, policy_of


async def network_check(paths: Paths) -> Check | None:
    """Return what new tasks reach; None where the settings themselves are wrong."""
    try:
        config = load_config(paths)
    except CtuiError:
        return None  # its own check says so
    if not config.network.gateway:
        return Check("network", True, "unsealed: network.gateway is off", "docs/network.md")
    try:
        policy_of(config, ())
        offered_rules(config)
    except InvalidInput as error:
        return Check("network", False, error.message, error.hint)
    try:
        pid = await gateway_pid(paths)
    except CtuiError as error:
        return Check("network", False, error.message, error.hint)
    note = "sandbox.network counts only for unsealed tasks" if config.sandbox.network else ""
    runs = f"the gateway runs, process {pid}" if pid else "the gateway starts with a task"
    return Check("network", True, f"sealed, {config.network.mode}; {runs}", note)
