"""One line of `ctui doctor` about what the gateway adds for tasks: credentials, and keys of ssh."""

from __future__ import annotations

import os

from ctui.client.health.health import Check
from ctui.config import Config, load_config
from ctui.errors import CtuiError
from ctui.paths import Paths
from ctui.tasks.network.lent import opened_target, ssh_target
from ctui.tasks.network.ssh_keys import ssh_key
from ctui.tasks.secrets.registry import all_secrets

_MEND = "docs/network.md, *Credentials that stay outside*"


def lending_check(paths: Paths) -> Check | None:
    """Return whether each can be had; None where there is none, or the settings are wrong.

    No secret is read: that may ask the person, and takes time.
    """
    try:
        config = load_config(paths)
    except CtuiError:
        return None  # the check of the settings says it
    lending = config.gateway
    if not config.network.gateway or not (lending.credentials or lending.ssh):
        return None
    try:
        problem = _problem(paths, config)
    except CtuiError as error:
        return Check("gateway", False, error.message, error.hint)
    if problem:
        return Check("gateway", False, problem, _MEND)
    hosts = [str(opened_target(rule)) for rule in lending.credentials]
    keys = [str(ssh_target(rule)) for rule in lending.ssh]
    parts = [f"opened: {', '.join(hosts)}"] if hosts else []
    parts += [f"by ssh: {', '.join(keys)}"] if keys else []
    return Check("gateway", True, "; ".join(parts))


def _problem(paths: Paths, config: Config) -> str:
    """Return what is missing first, or ""."""
    known = all_secrets(paths) if config.gateway.credentials else {}
    for rule in config.gateway.credentials:
        opened_target(rule)
        if rule.secret not in known:
            return f"{rule.host}: there is no secret {rule.secret}: `ctui secret set {rule.secret}`"
    for ssh in config.gateway.ssh:
        key = ssh_key(ssh, ssh_target(ssh), paths.config, os.environ)
        if key.problem:
            return key.problem
    return ""
