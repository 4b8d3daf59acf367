"""Every key of the devcontainer.json specification: what ctui does with it, and why.

After containers.dev/implementors/json_reference. A key that is partly used has more rows when it is
read: one for each argument, mount or variable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ctui.environments.definition.definition import Status


class SpecKey(NamedTuple):
    """One key of the specification."""

    status: Status
    reason: str
    example: Any
    """A value that the specification allows."""


_OWNER = "a task runs as its worktree's owner, with HOME at /home/claude"
_PORTS = "each port that a task listens on can be opened: ctui task open"
_SAID = "label, onAutoForward and protocol; see Ports"
_EDITOR = "it is an editor's"
_SEALED = "a task never has more rights than its seal allows"

FEATURE_OF_REGISTRY = "not fetched: commit its folder as {place}, and write ./{name} instead of it"
"""Reason, with the folder to put it and its name there."""
FEATURE_REFUSED: Mapping[str, str] = {
    **dict.fromkeys(("privileged", "capAdd", "securityOpt"), _SEALED),
    "mounts": "only devcontainer.json itself says what is mounted",
    "entrypoint": "the relay is what runs in a sandbox",
}
"""Keys of a feature that count for nothing, and why."""

SPEC_KEYS: Mapping[str, SpecKey] = {
    "$schema": SpecKey("ignored", _EDITOR, "https://example.org/devContainer.schema.json"),
    "name": SpecKey("used", "is shown", "Python 3"),
    "image": SpecKey("used", "the image underneath", "debian:bookworm"),
    "build.dockerfile": SpecKey("used", "is built", "Dockerfile"),
    "build.context": SpecKey("used", "its files at the commit are the build's", ".."),
    "build.args": SpecKey("used", "are the build's arguments", {"VERSION": "3.12"}),
    "build.target": SpecKey("used", "the stage that is built", "development"),
    "build.options": SpecKey("ignored", "options of a command that ctui does not run", ["--pull"]),
    "build.cacheFrom": SpecKey("ignored", "the engine's own cache counts", "example/cache"),
    "dockerFile": SpecKey("used", "is built; the older name of build.dockerfile", "Dockerfile"),
    "context": SpecKey("used", "the older name of build.context", ".."),
    "dockerComposeFile": SpecKey(
        "used", "its keys have rows of their own; see Services", "docker-compose.yml"
    ),
    "service": SpecKey("used", "the service that is the task's own environment", "app"),
    "runServices": SpecKey("used", "of the other services, these are started", ["db"]),
    "features": SpecKey(
        "used",
        "those in folders of the repository; those of a registry are not fetched",
        {"ghcr.io/devcontainers/features/git:1": {}},
    ),
    "overrideFeatureInstallOrder": SpecKey("used", "these come first", ["./greeting"]),
    "containerEnv": SpecKey("used", "variables of every task", {"LANG": "C.UTF-8"}),
    "remoteEnv": SpecKey("used", "variables of every task", {"PATH": "${containerEnv:PATH}:/x"}),
    "containerUser": SpecKey("used", f"mapped: {_OWNER}", "vscode"),
    "remoteUser": SpecKey("used", f"mapped: {_OWNER}", "vscode"),
    "updateRemoteUserUID": SpecKey("ignored", _OWNER, True),
    "userEnvProbe": SpecKey("ignored", "a task's shell is no login shell", "loginShell"),
    "overrideCommand": SpecKey("ignored", "the relay is what runs in a sandbox", True),
    "shutdownAction": SpecKey("ignored", "a sandbox ends with its task", "none"),
    "init": SpecKey("ignored", "the relay reaps orphans in any case", True),
    "privileged": SpecKey("refused", _SEALED, True),
    "capAdd": SpecKey("refused", _SEALED, ["SYS_PTRACE"]),
    "securityOpt": SpecKey("refused", _SEALED, ["seccomp=unconfined"]),
    "runArgs": SpecKey("ignored", "each argument has a line of its own", ["--shm-size=1g"]),
    "mounts": SpecKey(
        "used",
        "volumes are each task's own; folders of the host never",
        [{"source": "cache", "target": "/cache", "type": "volume"}],
    ),
    "workspaceMount": SpecKey(
        "ignored", "the worktree is at /workspace", "source=x,target=/y,type=bind"
    ),
    "workspaceFolder": SpecKey("ignored", "the worktree is at /workspace", "/workspaces/project"),
    "customizations": SpecKey("ignored", _EDITOR, {"vscode": {"extensions": []}}),
    "secrets": SpecKey(
        "ignored", "only its names are there: give them yourself", {"API_KEY": {"description": "x"}}
    ),
    "forwardPorts": SpecKey(
        "used", "those are shown, whatever is said of other ports", [3000, "db:5432"]
    ),
    "portsAttributes": SpecKey("used", _SAID, {"3000": {"label": "app"}}),
    "otherPortsAttributes": SpecKey("used", _SAID, {"onAutoForward": "ignore"}),
    "appPort": SpecKey("ignored", _PORTS, 3000),
    "initializeCommand": SpecKey("refused", "nothing of a repository runs on the host", "make"),
    "onCreateCommand": SpecKey("used", "runs once, in the set-up", "pip install -e ."),
    "updateContentCommand": SpecKey("used", "runs once, in the set-up", ["npm", "ci"]),
    "postCreateCommand": SpecKey("used", "runs once, in the set-up", {"a": "make", "b": ["ls"]}),
    "postStartCommand": SpecKey("used", "runs at each start of a task", "service db start"),
    "postAttachCommand": SpecKey("ignored", "nobody attaches to a task", "echo hello"),
    "waitFor": SpecKey("ignored", "a task waits for all of its set-up", "onCreateCommand"),
    "hostRequirements": SpecKey(
        "ignored", "sandbox.cpus and sandbox.memory decide", {"cpus": 4, "memory": "8gb"}
    ),
}
"""Key of the specification -> what is done with it."""


class RunArg(NamedTuple):
    """An argument of `docker run` in `runArgs`: if it is used, and the reason."""

    status: Status
    reason: str
    takes_value: bool = True


_NETWORK = RunArg("refused", "a task has a network of its own")
_SPACE = RunArg("refused", "a task shares nothing with the host")
_RIGHTS = RunArg("refused", _SEALED)
_SWITCHED = RunArg("refused", _SEALED, takes_value=False)
_LIMIT = RunArg("ignored", "the settings of [sandbox] decide")
_NAME = RunArg("ignored", "ctui names its sandboxes")

RUN_ARGS: Mapping[str, RunArg] = {
    "--privileged": _SWITCHED,
    "--cap-add": _RIGHTS,
    "--cap-drop": RunArg("ignored", "a task has no capability in any case"),
    "--security-opt": _RIGHTS,
    "--device": _RIGHTS,
    "--device-cgroup-rule": _RIGHTS,
    "--gpus": RunArg("refused", "processors of graphics are not given to tasks"),
    "--group-add": _RIGHTS,
    "--sysctl": _RIGHTS,
    "--userns": _SPACE,
    "--pid": _SPACE,
    "--ipc": _SPACE,
    "--uts": _SPACE,
    "--cgroupns": _SPACE,
    "--cgroup-parent": _SPACE,
    "--volumes-from": _SPACE,
    "--network": _NETWORK,
    "--net": _NETWORK,
    "--add-host": _NETWORK,
    "--dns": _NETWORK,
    "--link": _NETWORK,
    "-p": _NETWORK,
    "--publish": _NETWORK,
    "-P": RunArg("refused", _NETWORK.reason, takes_value=False),
    "--publish-all": RunArg("refused", _NETWORK.reason, takes_value=False),
    "-v": RunArg("refused", "write volumes in mounts; folders of the host never"),
    "--volume": RunArg("refused", "write volumes in mounts; folders of the host never"),
    "--mount": RunArg("refused", "write volumes in mounts; folders of the host never"),
    "--tmpfs": RunArg("ignored", "/tmp is one"),  # noqa: S108 - words
    "-e": RunArg("used", "is read as containerEnv"),
    "--env": RunArg("used", "is read as containerEnv"),
    "--env-file": RunArg("refused", "no file of the host is read"),
    "--init": RunArg("ignored", "the relay reaps orphans in any case", takes_value=False),
    "--rm": RunArg("ignored", "a sandbox is removed in any case", takes_value=False),
    "-it": RunArg("ignored", "the relay has a terminal of nobody", takes_value=False),
    "--name": _NAME,
    "--hostname": _NAME,
    "-h": _NAME,
    "--label": _NAME,
    "-l": _NAME,
    "--memory": _LIMIT,
    "-m": _LIMIT,
    "--memory-swap": _LIMIT,
    "--cpus": _LIMIT,
    "--pids-limit": _LIMIT,
    "--shm-size": _LIMIT,
    "--ulimit": _LIMIT,
    "--user": RunArg("ignored", _OWNER),
    "-u": RunArg("ignored", _OWNER),
    "--platform": RunArg("ignored", "the engine's own platform counts"),
    "--runtime": RunArg("ignored", "the engine's own runtime counts"),
    "--restart": RunArg("ignored", "the driver decides what runs"),
    "--entrypoint": RunArg("ignored", "the relay is what runs in a sandbox"),
    "--workdir": RunArg("ignored", "the worktree is at /workspace"),
    "-w": RunArg("ignored", "the worktree is at /workspace"),
}
"""Option of `docker run` -> what is done with it; another one is ignored."""

UNKNOWN_ARG = RunArg("ignored", "ctui does not know it", takes_value=False)
