"""From a plan to an image that tasks run in: base, Dockerfile, ctui's layer, set-up."""

from __future__ import annotations

import asyncio
import os
import shlex
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from ctui.claude.task_home import GUARDED
from ctui.config import Config, parse_size
from ctui.environments.carrying import keep_folders
from ctui.environments.checkout import write_files
from ctui.environments.context import build_context
from ctui.environments.definition import Step
from ctui.environments.plan import Plan
from ctui.environments.records import Environment, Records, erase
from ctui.environments.set_up import SCRIPT, TIDYING, VARIABLES, Limits, Log, run_steps
from ctui.environments.variables import resolve_environment
from ctui.errors import Conflict, CtuiError, Unavailable
from ctui.paths import WORKSPACE, Paths
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.environment_image import (
    LABEL_ENVIRONMENT,
    LABEL_MADE_WITH,
    commit_container,
    environment_tag,
    inspect_image,
    pull_image,
)
from ctui.sandbox.docker.image import build_on, image_tag, require_image
from ctui.sandbox.proxies import proxy_environment
from ctui.sandbox.spec import HOME, LABEL_INSTANCE, Mount, SandboxSpec
from ctui.sandbox.spec import Limits as SandboxLimits

_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_TRUST = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "CARGO_HTTP_CAINFO")
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
    """The network of tasks: a build reaches what they do."""
    uid: int
    gid: int
    progress: Progress


async def build_environment(builder: Builder, plan: Plan) -> Environment:
    """Build an environment unless another process does, and return its record.

    What it printed is kept in its log, also where it fails.

    Raises:
        Conflict: another process builds it.
        CtuiError: what went wrong; the record says so too.
    """
    records = Records(builder.paths)
    lock = records.lock(plan.id)
    if not lock.acquire(0):
        raise Conflict(
            f"the environment {plan.id} is being built already", hint="wait for that: ctui env list"
        )
    with lock:
        begun = _record(plan)
        records.save(begun)
        log = Log(records.log(plan.id))

        def heard(text: str) -> None:
            log.write(text.encode())
            builder.progress(text)

        started = time.monotonic()
        place = records.place(plan.id)
        try:
            await asyncio.to_thread(erase, place)
            made = await _build(builder._replace(progress=heard), plan, begun, records, log)
        except BaseException as error:
            problem = error.one_line() if isinstance(error, CtuiError) else "it was cut off"
            records.save(msgspec.structs.replace(begun, state="failed", problem=problem))
            await asyncio.to_thread(erase, place)
            raise
        seconds = round(time.monotonic() - started, 1)
        made = msgspec.structs.replace(made, state="ready", seconds=seconds)
        records.save(made)
        return made


async def _build(
    builder: Builder, plan: Plan, begun: Environment, records: Records, log: Log
) -> Environment:
    engine, definition = builder.engine, plan.found.definition
    labels = {LABEL_INSTANCE: builder.paths.instance}
    await engine.ensure_network(builder.network, labels)
    below = await _task_image(builder, plan)
    image_env = await _environment_of(engine, below)
    layers = (definition.container_env, definition.remote_env, definition.env)
    env = resolve_environment(layers, image_env, definition.file)
    made_with = image_tag(builder.config.image)
    changes = await _changes(engine, below, _marks(plan, made_with), env)
    image = below
    carry: tuple[str, ...] = ()
    try:
        stages = _root_steps(plan), definition.steps
        tag = environment_tag(builder.paths.instance, plan.id)
        if stages[0]:
            image = await _stage(builder, plan, image, stages[0], changes, log, as_root=True)
        if stages[1]:
            image = await _stage(builder, plan, image, stages[1], changes, log, as_root=False)
            workspace = records.place(plan.id) / "workspace"
            kept = records.carried(plan.id)
            carry = await asyncio.to_thread(keep_folders, workspace, kept, definition, plan.files)
        if image == below:
            await _commit_unchanged(builder, plan, image, changes)
    finally:
        for name in ("workspace", "variables.sh"):
            await asyncio.to_thread(erase, records.place(plan.id) / name)
    return msgspec.structs.replace(
        begun, image=tag, made_with=made_with, carry=carry, env=env, volumes=definition.volumes
    )


def _record(plan: Plan) -> Environment:
    definition = plan.found.definition
    return Environment(
        id=plan.id,
        repository=str(plan.repository.common_dir),
        source=definition.source,
        file=definition.file,
        commit=plan.files.commit,
        state="building",
        keys=plan.found.keys,
        created=time.time_ns(),
    )


# -- the image below a set-up


async def _task_image(builder: Builder, plan: Plan) -> str:
    """Return the image of a task on what the definition names, built if need be."""
    engine, definition = builder.engine, plan.found.definition
    if definition.dockerfile:
        context = await asyncio.to_thread(build_context, plan)
        base = f"ctui-env-base:{builder.paths.instance[:8]}-{plan.id}"
        builder.progress(f"building {definition.dockerfile}")
        await engine.build(
            context.archive,
            base,
            {**proxy_environment(engine=engine.endpoint.url), **definition.args},
            {LABEL_ENVIRONMENT: plan.id, LABEL_INSTANCE: builder.paths.instance},
            builder.progress,
            network=builder.network,
            dockerfile=context.dockerfile,
            target=definition.target,
        )
    elif definition.image:
        base = definition.image
        if await engine.image_id(base) is None:
            await pull_image(engine, base, builder.progress)
    else:
        return await require_image(engine, builder.config.image)
    return await build_on(
        engine, builder.config.image, base, builder.progress, builder.paths.instance
    )


async def _environment_of(engine: Engine, image: str) -> dict[str, str]:
    found = await inspect_image(engine, image)
    if found is None:
        raise Unavailable(f"the image {image} is gone", hint="ctui env build")
    pairs = (entry.partition("=") for entry in found["Config"].get("Env") or ())
    return {name: value for name, _, value in pairs}


def _marks(plan: Plan, made_with: str) -> dict[str, str]:
    return {LABEL_ENVIRONMENT: plan.id, LABEL_MADE_WITH: made_with}


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
        *(f"LABEL {name}={_quoted(value)}" for name, value in labels.items()),
        *(f"ENV {name}={_quoted(value)}" for name, value in env.items()),
    ]


def _quoted(value: str) -> str:
    """Return a value as a Dockerfile's instruction takes it to the letter."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'


# -- the set-up


def _root_steps(plan: Plan) -> tuple[Step, ...]:
    definition = plan.found.definition
    folders = " ".join(shlex.quote(one.target) for one in definition.volumes)
    made = (Step("mounts", f"mkdir -p {folders} && chmod 1777 {folders}"),) if folders else ()
    return (*definition.root_steps, *made)


async def _stage(
    builder: Builder,
    plan: Plan,
    image: str,
    steps: tuple[Step, ...],
    changes: list[str],
    log: Log,
    *,
    as_root: bool,
) -> str:
    """Run steps on an image, and return the tag of an image with what they wrote."""
    records = Records(builder.paths)
    workspace = records.place(plan.id) / "workspace"
    workspace.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not workspace.exists():
        await asyncio.to_thread(write_files, plan.files, workspace, builder.uid, builder.gid)
    ended = (*steps, _clean_home()) if not as_root else steps
    config = builder.config
    spec = SandboxSpec(
        name=f"ctui-{builder.paths.instance[:8]}-setup-{plan.id}",
        image=image,
        entrypoint=("/bin/sh", "-c", SCRIPT, "ctui"),
        command=tuple(step.command for step in ended),
        uid=0 if as_root else builder.uid,
        gid=0 if as_root else builder.gid,
        env={},
        mounts=(
            Mount(str(workspace), WORKSPACE, read_only=as_root),
            Mount(str(_variables_file(builder, workspace.parent)), VARIABLES, read_only=True),
        ),
        network=builder.network,
        labels={LABEL_INSTANCE: builder.paths.instance, LABEL_ENVIRONMENT: plan.id},
        limits=SandboxLimits(
            memory=parse_size(config.sandbox.memory),
            cpus=config.sandbox.cpus,
            pids=config.sandbox.pids,
            tmp=parse_size(config.sandbox.tmp),
        ),
        writable_root=True,
        capabilities=_ROOT_CAPABILITIES if as_root else (),
    )
    await builder.engine.remove(spec.name)  # what a killed build left
    limits = Limits(workspace.parent, parse_size(config.tasks.free_space))
    container = await run_steps(builder.engine, spec, ended, limits, log, builder.progress)
    tag = environment_tag(builder.paths.instance, plan.id)
    try:
        await commit_container(builder.engine, container, tag, changes)
    finally:
        await asyncio.shield(builder.engine.remove(container))
    return tag


def _variables_file(builder: Builder, folder: Path) -> Path:
    """Write the variables of a set-up.

    In the container's own they would stay in the image, and a proxy's address can hold a password.
    """
    variables = {
        **dict.fromkeys(_TRUST, _CERTIFICATES),
        **proxy_environment(engine=builder.engine.endpoint.url, in_sandbox=True),
        "DEBIAN_FRONTEND": "noninteractive",
        "CI": "true",
    }
    file = folder / "variables.sh"
    lines = (f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    file.write_text("".join(lines), encoding="utf-8")
    file.chmod(0o600)
    if os.geteuid() == 0:
        os.lchown(file, builder.uid, builder.gid)
    return file


def _clean_home() -> Step:
    """Return the step that leaves in HOME nothing but what each task's home may begin with."""
    names = " ".join(shlex.quote(name) for name in dict.fromkeys((*_SECRETS, *GUARDED)))
    return Step(TIDYING, f"cd {HOME} && rm -rf -- {names}")


async def _commit_unchanged(builder: Builder, plan: Plan, image: str, changes: list[str]) -> None:
    """Name an image that needs no set-up, with the variables and labels of the environment."""
    spec = SandboxSpec(
        name=f"ctui-{builder.paths.instance[:8]}-setup-{plan.id}",
        image=image,
        command=("true",),
        uid=builder.uid,
        gid=builder.gid,
        env={},
        mounts=(),
        network="none",
        labels={LABEL_INSTANCE: builder.paths.instance, LABEL_ENVIRONMENT: plan.id},
    )
    await builder.engine.remove(spec.name)
    container = await builder.engine.create(spec)
    try:
        tag = environment_tag(builder.paths.instance, plan.id)
        await commit_container(builder.engine, container, tag, changes)
    finally:
        await asyncio.shield(builder.engine.remove(container))
