"""Files by which ssh in a task finds the agent, the way and the hosts' own keys; pure."""

from __future__ import annotations

from collections.abc import Collection

from ctui.gateway.egress.names import Target
from ctui.gateway.ssh.keys import SshKey, line_of
from ctui.host_port import SSH

AGENT_SOCKET = "agent.sock"
CONFIG = "ssh_config"
_KNOWN_HOSTS = "known_hosts"
_FOLDER = "/ctui/gw"
_DIAL = "/ctui/tree/bin/python3 -I -S /ctui/bin/relay/network/dial.py %h %p"


def files_of(keys: Collection[SshKey]) -> dict[str, str]:
    """Return the files of a run's folder, by their names."""
    useful = [key for key in keys if key.signs]
    files = {f"ssh-{number}.pub": f"{line_of(key.public)}\n" for number, key in enumerate(useful)}
    files[CONFIG] = "".join(_host(key, f"ssh-{at}.pub") for at, key in enumerate(useful))
    files[_KNOWN_HOSTS] = "".join(
        f"{known_name(key.target)} {line_of(one)}\n" for key in useful for one in key.host_keys
    )
    return files


def _host(key: SshKey, public: str) -> str:
    lines = (
        f"Port {key.port}",
        f"IdentityAgent {_FOLDER}/{AGENT_SOCKET}",
        f"IdentityFile {_FOLDER}/{public}",
        "IdentitiesOnly yes",
        f"UserKnownHostsFile {_FOLDER}/{_KNOWN_HOSTS}",
        "GlobalKnownHostsFile /dev/null",
        "StrictHostKeyChecking yes",
        "UpdateHostKeys no",
        f"ProxyCommand {_DIAL}",
        "ProxyUseFdpass yes",
        "ForwardAgent no",
        "BatchMode yes",
    )
    return f"Host {key.host}\n" + "".join(f"  {line}\n" for line in lines)


def known_name(target: Target) -> str:
    """Return a host as a file of known hosts names it, its address never in brackets alone."""
    return target.host if target.port == SSH else f"[{target.host}]:{target.port}"
