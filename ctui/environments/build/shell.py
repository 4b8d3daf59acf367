"""Containers of an environment that wait for commands, as sealed as a set-up's.

A person's shell has one where the set-up failed, or in a copy of a ready one; it is gone with it.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ctui.environments.build.carrying import copy_kept
from ctui.environments.build.checkout import write_files
from ctui.environments.build.set_up import VARIABLES
from ctui.environments.build.stages import Builder, sealed_spec, variables_file
from ctui.environments.definition.commit_files import CommitFiles
from ctui.environments.records import Environment, Records, erase
from ctui.errors import Conflict, NotFound
from ctui.git.repository.repository import open_repository
from ctui.paths import WORKSPACE, private_folder
from ctui.sandbox.docker.accounts import account_mounts
from ctui.sandbox.docker.environment_image import (
    LABEL_SHELL,
    LABEL_STAGE,
    failed_tag,
    inspect_image,
)
from ctui.sandbox.spec import Mount, SandboxSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST = 86_400
"""Seconds after which the container of a shell that nobody ended ends."""


class Waiting(NamedTuple):
    """A container of an environment that does nothing but wait for commands."""

    name: str
    """Its name behind that of the instance."""
    environment: str
    """Value of its label."""
    image: str
    workspace: Path
    own: Path
    """A folder for what it is given; whoever made it removes it."""
    labels: Mapping[str, str] = MappingProxyType({})
    seconds: int = _LONGEST
    """Then it ends by itself, with all that runs in it, also where nobody is left to remove it."""
    as_root: bool = False


@asynccontextmanager
async def shell_container(
    builder: Builder, record: Environment, *, failed: bool
) -> AsyncIterator[str]:
    """Start a container of an environment for a shell, and remove it afterwards.

    With `failed` it has what the set-up had written when it failed, and its own workspace;
    otherwise the environment's image, and a copy of the commit's files with what is carried.

    Raises:
        Conflict: it is not in that state.
        NotFound: nothing is kept of it.
    """
    _check(builder, record, failed=failed)
    tag = failed_tag(builder.paths.instance, record.id) if failed else record.image
    found = await inspect_image(builder.engine, tag)
    if found is None:
        raise NotFound(
            f"nothing is kept of the environment {record.id}",
            hint=f"its log is {Records(builder.paths).log(record.id)}"
            if failed
            else "`ctui env build` builds it again",
        )
    labels: Mapping[str, str] = found["Config"].get("Labels") or {}
    place = private_folder(Records(builder.paths).place(record.id))
    own = Path(tempfile.mkdtemp(prefix="shell-", dir=place))
    workspace = place / "workspace" if failed else own / "workspace"
    waiting = Waiting(
        name=f"shell-{record.id}-{own.name.removeprefix('shell-')}",
        environment=record.id,
        image=tag,
        workspace=workspace,
        own=own,
        labels={LABEL_SHELL: "1"},
        as_root=failed and labels.get(LABEL_STAGE) == "root",
    )
    try:
        if not failed:
            repository = await asyncio.to_thread(open_repository, Path(record.repository))
            await copy_files(builder, CommitFiles(repository, record.commit), record, workspace)
        async with waiting_container(builder, waiting) as container:
            yield container
    finally:
        await asyncio.to_thread(erase, own)


@asynccontextmanager
async def waiting_container(builder: Builder, waiting: Waiting) -> AsyncIterator[str]:
    """Start a container that waits for commands, and remove it afterwards."""
    container = await builder.engine.create(await _spec(builder, waiting))
    try:
        await builder.engine.start(container)
        yield container
    finally:
        await asyncio.shield(builder.engine.remove(container))


async def copy_files(
    builder: Builder, files: CommitFiles, record: Environment | None, folder: Path
) -> None:
    """Write a commit's files into a new folder, with what its environment carries."""
    await asyncio.to_thread(write_files, files, folder, builder.uid, builder.gid)
    if record is not None:
        await copy_kept(Records(builder.paths).carried(record.id), record.carry, folder)


def _check(builder: Builder, record: Environment, *, failed: bool) -> None:
    if Records(builder.paths).is_building(record.id):
        raise Conflict(f"the environment {record.id} is being built", hint="wait for that")
    if failed and record.state != "failed":
        raise Conflict(f"the environment {record.id} has not failed", hint="leave out --failed")
    if not failed and record.state != "ready":
        raise Conflict(
            f"the environment {record.id} is not ready ({record.state})",
            hint=f"`ctui env shell --failed --id {record.id}` looks into what it left",
        )


async def _spec(builder: Builder, waiting: Waiting) -> SandboxSpec:
    as_root = waiting.as_root
    # Those of the environment are in its image.
    variables = variables_file(builder, waiting.own, {}, as_root=as_root)
    spec = sealed_spec(
        builder,
        waiting.environment,
        waiting.image,
        as_root=as_root,
        mounts=(
            Mount(str(waiting.workspace), WORKSPACE, read_only=as_root),
            Mount(str(variables), VARIABLES, read_only=True),
        ),
    )
    spec = msgspec.structs.replace(
        spec,
        name=f"ctui-{builder.paths.instance[:8]}-{waiting.name}",
        entrypoint=("/bin/sh", "-c", f"trap 'exit 0' TERM; sleep {waiting.seconds} & wait"),
        labels={**spec.labels, **waiting.labels},
    )
    if not as_root:
        named = await account_mounts(builder.engine, spec, builder.paths.state / "accounts")
        spec = msgspec.structs.replace(spec, mounts=(*spec.mounts, *named))
    return spec
