"""A person's shell in an environment: where its set-up failed, or in a copy of a ready one.

Its container is as sealed as a set-up's, and gone with the shell.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

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

_LONGEST = "86400"
"""Seconds after which the container of a shell that nobody ended ends."""


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
    as_root = failed and labels.get(LABEL_STAGE) == "root"
    place = private_folder(Records(builder.paths).place(record.id))
    own = Path(tempfile.mkdtemp(prefix="shell-", dir=place))
    try:
        workspace = place / "workspace" if failed else await _workspace(builder, record, own)
        spec = await _spec(builder, record, tag, (workspace, own), as_root=as_root)
        container = await builder.engine.create(spec)
        try:
            await builder.engine.start(container)
            yield container
        finally:
            await asyncio.shield(builder.engine.remove(container))
    finally:
        await asyncio.to_thread(erase, own)


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


async def _workspace(builder: Builder, record: Environment, own: Path) -> Path:
    """Return a new folder with the commit's files and the folders that are carried."""
    repository = await asyncio.to_thread(open_repository, Path(record.repository))
    folder = own / "workspace"
    files = CommitFiles(repository, record.commit)
    await asyncio.to_thread(write_files, files, folder, builder.uid, builder.gid)
    await copy_kept(Records(builder.paths).carried(record.id), record.carry, folder)
    return folder


async def _spec(
    builder: Builder,
    record: Environment,
    image: str,
    folders: tuple[Path, Path],
    *,
    as_root: bool,
) -> SandboxSpec:
    workspace, own = folders
    # Those of the environment are in its image.
    variables = variables_file(builder, own, {}, as_root=as_root)
    spec = sealed_spec(
        builder,
        record.id,
        image,
        as_root=as_root,
        mounts=(
            Mount(str(workspace), WORKSPACE, read_only=as_root),
            Mount(str(variables), VARIABLES, read_only=True),
        ),
    )
    name = f"{spec.name.replace('-setup-', '-shell-')}-{own.name.removeprefix('shell-')}"
    spec = msgspec.structs.replace(
        spec,
        name=name,
        entrypoint=("/bin/sh", "-c", f"trap 'exit 0' TERM; sleep {_LONGEST} & wait"),
        labels={**spec.labels, LABEL_SHELL: "1"},
    )
    if not as_root:
        named = await account_mounts(builder.engine, spec, builder.paths.state / "accounts")
        spec = msgspec.structs.replace(spec, mounts=(*spec.mounts, *named))
    return spec
