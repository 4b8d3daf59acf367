"""From a plan to an image that tasks run in: base, Dockerfile, ctui's layer, set-up."""

from __future__ import annotations

import asyncio
import time

import msgspec

from ctui.environments.build.carrying import keep_folders
from ctui.environments.build.images import base_image, built_services, image_ids, named_bases
from ctui.environments.build.network import CONTAINER
from ctui.environments.build.service_images import require_images
from ctui.environments.build.set_up import Log, SetUpFailed
from ctui.environments.build.stages import Builder, root_steps, run_as_root, run_as_user
from ctui.environments.definition.variables import resolve_environment
from ctui.environments.plan import Plan
from ctui.environments.records import Environment, Records, erase
from ctui.errors import Conflict, CtuiError, Unavailable
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.environment_image import (
    LABEL_ENVIRONMENT,
    LABEL_MADE_WITH,
    failed_tag,
    inspect_image,
)
from ctui.sandbox.docker.image import build_on, image_tag, require_image
from ctui.sandbox.spec import LABEL_INSTANCE


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
        started = time.monotonic()
        place = records.place(plan.id)
        try:
            await asyncio.to_thread(erase, place)
            await builder.engine.remove_image(failed_tag(builder.paths.instance, plan.id))
            made = await _build(builder, plan, begun, records, log)
        except BaseException as error:
            problem = error.one_line() if isinstance(error, CtuiError) else "it was cut off"
            records.save(msgspec.structs.replace(begun, state="failed", problem=problem))
            if not isinstance(error, SetUpFailed):  # a person may look into it
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
    if not builder.network.startswith(CONTAINER):
        await engine.ensure_network(builder.network, labels)
    made_with = image_tag(builder.config.image)
    carry: tuple[str, ...] = ()
    place = records.place(plan.id)
    services = await built_services(_logged(builder, log), plan)
    await require_images(engine, services, builder.progress)
    try:
        image = await _task_image(builder, plan, log)
        layers = (definition.container_env, definition.remote_env, definition.env)
        env = resolve_environment(layers, await _environment_of(engine, image), definition.file)
        marks = {LABEL_ENVIRONMENT: plan.id, LABEL_MADE_WITH: made_with}
        tag = await run_as_user(builder, plan, image, marks, env, log)
        if definition.steps:
            workspace, kept = place / "workspace", records.carried(plan.id)
            carry = await asyncio.to_thread(keep_folders, workspace, kept, definition, plan.files)
        await asyncio.to_thread(erase, place / "workspace")
    finally:
        await asyncio.to_thread(erase, place / "variables.sh")
    return msgspec.structs.replace(
        begun,
        image=tag,
        made_with=made_with,
        bases=await image_ids(engine, named_bases(plan) or [made_with]),
        carry=carry,
        env=env,
        volumes=definition.volumes,
        services=services,
        ports=definition.ports,
        secrets=definition.secrets,
        start_commands=tuple(step.command for step in definition.start_steps),
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


async def _task_image(builder: Builder, plan: Plan, log: Log) -> str:
    """Return the image of a task on what the definition names, built if need be."""
    told = _logged(builder, log)
    base = await base_image(told, plan)
    if not base and not root_steps(plan):
        return await require_image(builder.engine, builder.config.image)
    base = base or await require_image(builder.engine, builder.config.image)
    below = await run_as_root(builder, plan, base, log)
    instance = builder.paths.instance
    return await build_on(builder.engine, builder.config.image, below, told.progress, instance)


def _logged(builder: Builder, log: Log) -> Builder:
    """Return a builder that writes what it says into a log too."""

    def heard(text: str) -> None:
        log.write(text.encode())
        builder.progress(text)

    return builder._replace(progress=heard)


async def _environment_of(engine: Engine, image: str) -> dict[str, str]:
    found = await inspect_image(engine, image)
    if found is None:
        raise Unavailable(f"the image {image} is gone", hint="ctui env build")
    pairs = (entry.partition("=") for entry in found["Config"].get("Env") or ())
    return {name: value for name, _, value in pairs}
