"""Every key of a compose file: what ctui does with it, and why.

After docs.docker.com/reference/compose-file. A key that is partly used has more rows when it is
read: one for each mount or variable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ctui.environments.definition.definition import Status


class ComposeKey(NamedTuple):
    """One key of the specification."""

    status: Status
    reason: str
    example: Any
    """A value that the specification allows, as it is read: every scalar is a text."""


_SEALED = "a service never has more rights than its seal allows"
_SPACE = "a service shares nothing with the host"
_NETWORK = "all services of a task share one network, which is the task's alone"
_LIMIT = "the settings of [sandbox] decide"
_NAME = "ctui names its containers"
_RUN = "a service runs as long as the task has a sandbox"
_OUTSIDE = "nothing of the host is read"
_WRITTEN = "not put together: write the service out"

_Rows = tuple[str, Status, str, Any]
_ROWS: tuple[_Rows, ...] = (
    ("image", "used", "the image that it runs; the engine's own, or pulled", "postgres:16"),
    ("build", "used", "its image is built; its keys have rows of their own", "."),
    ("environment", "used", "its variables", {"A": "b"}),
    ("env_file", "used", "its variables, from a file of the commit", "db.env"),
    ("command", "used", "instead of the image's command", "postgres -c fsync=off"),
    ("entrypoint", "used", "instead of the image's entrypoint", ["/start"]),
    ("user", "used", "the user that it begins as", "postgres"),
    ("working_dir", "used", "the folder that it begins in", "/srv"),
    ("healthcheck", "used", "says when it is ready", {"test": ["CMD", "pg_isready"]}),
    ("depends_on", "used", "those are ready before it is started", ["db"]),
    ("volumes", "used", "volumes are each task's own; of the worktree it reads", ["data:/data"]),
    ("profiles", "used", "it is started where runServices names it", ["debug"]),
    ("ports", "ignored", "no port of the host is opened; the task reaches all", ["5432:5432"]),
    ("expose", "ignored", "the task reaches all its ports", ["5432"]),
    ("networks", "ignored", _NETWORK, ["back"]),
    ("network_mode", "refused", _NETWORK, "host"),
    ("links", "ignored", _NETWORK, ["db"]),
    ("external_links", "refused", _NETWORK, ["other"]),
    ("extra_hosts", "refused", _NETWORK, ["a:1.2.3.4"]),
    ("dns", "refused", _NETWORK, "1.1.1.1"),
    ("dns_search", "refused", _NETWORK, "example.org"),
    ("dns_opt", "refused", _NETWORK, ["use-vc"]),
    ("mac_address", "ignored", _NETWORK, "02:42:ac:11:65:43"),
    ("hostname", "ignored", _NETWORK, "db"),
    ("domainname", "ignored", _NETWORK, "example.org"),
    ("privileged", "refused", _SEALED, "true"),
    ("cap_add", "refused", _SEALED, ["SYS_ADMIN"]),
    ("cap_drop", "ignored", "it has few capabilities in any case", ["ALL"]),
    ("devices", "refused", _SEALED, ["/dev/kvm"]),
    ("device_cgroup_rules", "refused", _SEALED, ["c 1:3 rwm"]),
    ("gpus", "refused", _SEALED, "all"),
    ("group_add", "refused", _SEALED, ["docker"]),
    ("security_opt", "refused", _SEALED, ["seccomp:unconfined"]),
    ("sysctls", "refused", _SEALED, {"net.core.somaxconn": "1024"}),
    ("credential_spec", "refused", _SEALED, {"file": "x.json"}),
    ("runtime", "refused", _LIMIT, "sysbox-runc"),
    ("pid", "refused", _SPACE, "host"),
    ("ipc", "refused", _SPACE, "host"),
    ("uts", "refused", _SPACE, "host"),
    ("userns_mode", "refused", _SPACE, "host"),
    ("cgroup", "refused", _SPACE, "host"),
    ("cgroup_parent", "refused", _SPACE, "docker"),
    ("isolation", "ignored", _SPACE, "default"),
    ("volumes_from", "refused", _SPACE, ["other"]),
    ("use_api_socket", "refused", "the host's engine is given to nobody", "true"),
    ("secrets", "refused", _OUTSIDE, ["token"]),
    ("configs", "refused", _OUTSIDE, ["my.cnf"]),
    ("extends", "refused", _WRITTEN, {"file": "base.yml", "service": "db"}),
    ("provider", "refused", "nothing of a repository runs on the host", {"type": "model"}),
    ("models", "refused", _OUTSIDE, ["llm"]),
    ("post_start", "ignored", "nothing is run in a service beside its command", []),
    ("pre_stop", "ignored", "nothing is run in a service beside its command", []),
    ("tmpfs", "ignored", "its own layer takes that", ["/run"]),
    ("restart", "ignored", _RUN, "always"),
    ("stop_signal", "ignored", "its image's counts", "SIGINT"),
    ("stop_grace_period", "ignored", _RUN, "1m"),
    ("container_name", "ignored", _NAME, "db"),
    ("labels", "ignored", _NAME, {"a": "b"}),
    ("label_file", "ignored", _NAME, "labels"),
    ("annotations", "ignored", _NAME, {"a": "b"}),
    ("logging", "ignored", "ctui task logs --service shows it", {"driver": "json-file"}),
    ("attach", "ignored", "ctui task logs --service shows it", "false"),
    ("deploy", "ignored", _LIMIT, {"replicas": "2"}),
    ("scale", "ignored", "there is one of each", "2"),
    ("blkio_config", "ignored", _LIMIT, {"weight": "300"}),
    ("cpu_count", "ignored", _LIMIT, "2"),
    ("cpu_percent", "ignored", _LIMIT, "50"),
    ("cpu_period", "ignored", _LIMIT, "100"),
    ("cpu_quota", "ignored", _LIMIT, "100"),
    ("cpu_rt_period", "ignored", _LIMIT, "100"),
    ("cpu_rt_runtime", "ignored", _LIMIT, "100"),
    ("cpu_shares", "ignored", _LIMIT, "10"),
    ("cpus", "ignored", _LIMIT, "0.5"),
    ("cpuset", "ignored", _LIMIT, "0-3"),
    ("mem_limit", "ignored", _LIMIT, "1g"),
    ("mem_reservation", "ignored", _LIMIT, "1g"),
    ("mem_swappiness", "ignored", _LIMIT, "60"),
    ("memswap_limit", "ignored", _LIMIT, "2g"),
    ("oom_kill_disable", "ignored", _LIMIT, "true"),
    ("oom_score_adj", "ignored", _LIMIT, "100"),
    ("pids_limit", "ignored", _LIMIT, "10"),
    ("shm_size", "ignored", "it has 256 MiB", "1g"),
    ("storage_opt", "ignored", _LIMIT, {"size": "1G"}),
    ("ulimits", "ignored", _LIMIT, {"nproc": "65535"}),
    ("init", "ignored", "it is what its image begins", "true"),
    ("tty", "ignored", "a service has no terminal", "true"),
    ("stdin_open", "ignored", "a service has no terminal", "true"),
    ("read_only", "ignored", "what it writes into its layer goes with it", "true"),
    ("platform", "ignored", "the engine's own platform counts", "linux/amd64"),
    ("pull_policy", "ignored", "an image on the engine is used as it is", "always"),
    ("develop", "ignored", "nothing is watched", {"watch": []}),
)

SERVICE_ROWS: Mapping[str, ComposeKey] = {
    key: ComposeKey(status, reason, example) for key, status, reason, example in _ROWS
}
"""Key of a service in a compose file -> what is done with it."""

_RELAY = "the relay is what runs in a sandbox"
_OWNER = "a task runs as its worktree's owner, with HOME at /home/claude"
OWN_ROWS: Mapping[str, tuple[Status, str]] = {
    "image": ("used", "the image underneath"),
    "build": ("used", "is built"),
    "environment": ("used", "variables of every task"),
    "env_file": ("used", "variables of every task, from a file of the commit"),
    "command": ("ignored", _RELAY),
    "entrypoint": ("ignored", _RELAY),
    "healthcheck": ("ignored", _RELAY),
    "working_dir": ("ignored", "the worktree is at /workspace"),
    "user": ("ignored", _OWNER),
    "depends_on": ("used", "those are started"),
    "profiles": ("ignored", "it is the task's own"),
}
"""The same of the service that is the task's own environment, where that differs."""

TOP_ROWS: Mapping[str, ComposeKey] = {
    "services": ComposeKey("used", "one is the task's own, the others are started beside it", {}),
    "version": ComposeKey("ignored", "it has no meaning any more", "3.8"),
    "name": ComposeKey("ignored", _NAME, "shop"),
    "volumes": ComposeKey("ignored", "volumes are each task's own", {"data": None}),
    "networks": ComposeKey("ignored", _NETWORK, {"back": None}),
    "secrets": ComposeKey("refused", _OUTSIDE, {"token": {"file": "./token"}}),
    "configs": ComposeKey("refused", _OUTSIDE, {"my.cnf": {"file": "./my.cnf"}}),
    "include": ComposeKey("refused", _WRITTEN, ["other.yml"]),
    "models": ComposeKey("refused", _OUTSIDE, {"llm": {"model": "x"}}),
}
"""Key of a compose file -> what is done with it."""

UNKNOWN = "it is not in the specification"
EXTENSION = "is read where an alias puts it in"
"""Reason for keys that begin with `x-`."""
