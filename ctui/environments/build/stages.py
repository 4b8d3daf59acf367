"""The stages of a set-up: as root below what ctui lays on top, then as the tasks' user."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from ctui.claude.task_home import GUARDED
from ctui.config import Config, parse_size
from ctui.environments.build.checkout import write_files
from ctui.environments.build.network import CONTAINER
from ctui.environments.build.set_up import SCRIPT, TIDYING, VARIABLES, Limits, Log, run_steps
from ctui.environments.definition.definition import Step
from ctui.environments.plan import Plan
from ctui.environments.records import Records
from ctui.paths import WORKSPACE, Paths, private_folder
from ctui.sandbox.docker.accounts import account_mounts
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.environment_image import (
    LABEL_ENVIRONMENT,
    LABEL_STAGE,
    commit_container,
    environment_tag,
    failed_tag,
    inspect_image,
)
from ctui.sandbox.spec import (
    CERTIFICATES,
    HOME,
    LABEL_INSTANCE,
    LABEL_TASK,
    TRUST_VARIABLES,
    Mount,
    SandboxSpec,
)
from ctui.sandbox.spec import Limits as SandboxLimits

_ROOT_CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETGID", "SETUID")
_SECRETS = (
    *(".ssh", ".aws", ".docker", ".netrc", ".git-credentials", ".npmrc", ".pypirc", ".yarnrc"),
    *(".config/gh", ".config/gcloud", ".config/git/credentials", ".gnupg", ".kube"),
    *(".cargo/credentials", ".cargo/credentials.toml", ".claude", ".ctui-set-aside"),
    *(f".{name}_history" for name in ("bash", "zsh", "python", "node_repl", "psql", "sqlite")),
    *(".lesshst", ".wget-hsts"),
)
"""Credentials and histories below HOME, which are no part of a seed."""

Progress = Callable[[str], None]


class Builder(NamedTuple):
    """This machine, as a build needs it."""

    engine: Engine
    paths: Paths
    config: Config
    network: str
    """The network that a build is on, as the engine names it."""
    proxies: Mapping[str, str]
    """Variables of the proxies there."""
    uid: int
    gid: int
    progress: Progress


async def run_as_root(builder: Builder, plan: Plan, base: str, log: Log) -> str:
    """Run the steps of root on an image, and return the image that has what they wrote.

    What ctui needs comes on top of it, so that root of a set-up cannot change the relay.
    """
    steps = root_steps(plan)
    if not steps:
        return base
    container = await _run(builder, plan, base, steps, log, as_root=True)
    tag = f"ctui-env-root:{builder.paths.instance[:8]}-{plan.id}"
    labels = {LABEL_ENVIRONMENT: plan.id, LABEL_INSTANCE: builder.paths.instance}
    await _keep(builder, container, tag, _labels(labels))
    return tag


async def run_as_user(
    builder: Builder,
    plan: Plan,
    image: str,
    labels: Mapping[str, str],
    env: Mapping[str, str],
    log: Log,
) -> str:
    """Run the steps of the tasks' user, and return the environment's image.

    Args:
        builder: this machine.
        plan: of the environment; without steps the image only gets its name.
        image: of a task, on what the definition names.
        labels: of the environment's image.
        env: variables that it has.
        log: that keeps what is printed.
    """
    changes = await _changes(builder.engine, image, labels, env)
    steps = plan.found.definition.steps
    if steps:
        ended = (*steps, _clean_home())
        container = await _run(builder, plan, image, ended, log, as_root=False, env=env)
    else:
        spec = sealed_spec(builder, plan.id, image, as_root=False)
        await builder.engine.remove(spec.name)
        container = await builder.engine.create(spec)
    tag = environment_tag(builder.paths.instance, plan.id)
    await _keep(builder, container, tag, changes)
    return tag


def root_steps(plan: Plan) -> tuple[Step, ...]:
    """Return what root runs: the definition's own steps, and the mount points of volumes."""
    definition = plan.found.definition
    folders = " ".join(shlex.quote(one.target) for one in definition.volumes)
    made = (Step("mounts", f"mkdir -p {folders} && chmod 1777 {folders}"),) if folders else ()
    return (*definition.root_steps, *made)


async def _run(
    builder: Builder,
    plan: Plan,
    image: str,
    steps: tuple[Step, ...],
    log: Log,
    *,
    as_root: bool,
    env: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Run steps in a new container, and return it, stopped."""
    workspace = Records(builder.paths).place(plan.id) / "workspace"
    private_folder(workspace.parent)
    if not workspace.exists():
        await asyncio.to_thread(write_files, plan.files, workspace, builder.uid, builder.gid)
    mounts = (
        Mount(str(workspace), WORKSPACE, read_only=as_root),
        Mount(
            str(variables_file(builder, workspace.parent, env, as_root=as_root)),
            VARIABLES,
            read_only=True,
        ),
    )
    spec = sealed_spec(builder, plan.id, image, as_root=as_root, mounts=mounts)
    spec = msgspec.structs.replace(
        spec,
        entrypoint=("/bin/sh", "-c", SCRIPT, "ctui"),
        command=tuple(step.command for step in steps),
    )
    if not as_root:  # programs such as ssh refuse a user without a name
        named = await account_mounts(builder.engine, spec, builder.paths.state / "accounts")
        spec = msgspec.structs.replace(spec, mounts=(*spec.mounts, *named))
    await builder.engine.remove(spec.name)  # what a killed build left
    limits = Limits(workspace.parent, parse_size(builder.config.tasks.free_space))

    async def keep_failed(container: str) -> None:
        stage = {LABEL_ENVIRONMENT: plan.id, LABEL_STAGE: "root" if as_root else "user"}
        tag = failed_tag(builder.paths.instance, plan.id)
        await commit_container(builder.engine, container, tag, [*_labels(stage), *_variables(env)])

    engine, say = builder.engine, builder.progress
    return await run_steps(engine, spec, steps, limits, log, say, keep_failed)


def sealed_spec(
    builder: Builder,
    environment: str,
    image: str,
    *,
    as_root: bool,
    mounts: tuple[Mount, ...] = (),
) -> SandboxSpec:
    """Return the container in which commands of an environment run, without any."""
    sandbox = builder.config.sandbox
    return SandboxSpec(
        name=f"ctui-{builder.paths.instance[:8]}-setup-{environment}",
        image=image,
        command=(),
        uid=0 if as_root else builder.uid,
        gid=0 if as_root else builder.gid,
        env={},
        mounts=mounts,
        network="" if builder.network.startswith(CONTAINER) else builder.network,
        network_of=builder.network.partition(CONTAINER)[2],
        # An image's labels are its containers': one could call itself a task's.
        labels={
            LABEL_INSTANCE: builder.paths.instance,
            LABEL_ENVIRONMENT: environment,
            LABEL_TASK: "",
        },
        limits=SandboxLimits(
            memory=parse_size(sandbox.memory),
            cpus=sandbox.cpus,
            pids=sandbox.pids,
            tmp=parse_size(sandbox.tmp),
        ),
        writable_root=True,
        capabilities=_ROOT_CAPABILITIES if as_root else (),
    )


async def _keep(builder: Builder, container: str, tag: str, changes: list[str]) -> None:
    try:
        await commit_container(builder.engine, container, tag, changes)
    finally:
        await asyncio.shield(builder.engine.remove(container))


def variables_file(
    builder: Builder, folder: Path, env: Mapping[str, str], *, as_root: bool
) -> Path:
    """Write the variables of a set-up.

    In the container's own they would stay in the image, and a proxy's address can hold a password.
    """
    variables = {
        **builder.proxies,
        "DEBIAN_FRONTEND": "noninteractive",
        "CI": "true",
        **({"HOME": "/root"} if as_root else env),
    }
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
    trust = " ".join(f"{name}={CERTIFICATES}" for name in TRUST_VARIABLES)
    file = folder / "variables.sh"
    file.unlink(missing_ok=True)
    file.write_text("".join(lines) + f"[ ! -f {CERTIFICATES} ] || export {trust}\n", "utf-8")
    file.chmod(0o600)
    if os.geteuid() == 0:
        os.lchown(file, builder.uid, builder.gid)
    return file


def _clean_home() -> Step:
    """Return the step that leaves in HOME nothing but what each task's home may begin with."""
    names = " ".join(shlex.quote(name) for name in dict.fromkeys((*_SECRETS, *GUARDED)))
    return Step(TIDYING, f"cd {HOME} && rm -rf -- {names}")


async def _changes(
    engine: Engine, image: str, labels: Mapping[str, str], env: Mapping[str, str]
) -> list[str]:
    """Return the instructions that give a committed container what a task's image has."""
    found = await inspect_image(engine, image)
    config = found["Config"] if found else {}
    entrypoint = msgspec.json.encode(config.get("Entrypoint") or []).decode()
    return [
        f"ENTRYPOINT {entrypoint}",
        'CMD ["claude"]',
        f"WORKDIR {WORKSPACE}",
        *_labels(labels),
        *_variables(env),
    ]


def _variables(env: Mapping[str, str]) -> list[str]:
    return [f"ENV {name}={_quoted(value)}" for name, value in env.items()]


def _labels(labels: Mapping[str, str]) -> list[str]:
    return [f"LABEL {name}={_quoted(value)}" for name, value in labels.items()]


def _quoted(value: str) -> str:
    """Return a value as a Dockerfile's instruction takes it to the letter."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'
