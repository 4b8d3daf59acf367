"""The tools for what tasks need and leave behind: the image, volumes, everything at once."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
from msgspec import Meta

from ctui.client.cleaning.prune import Cleaning
from ctui.client.cleaning.volumes import CleanedVolumes
from ctui.client.health.health import Check
from ctui.mcp_server.protocol.call import Call
from ctui.mcp_server.protocol.pages import Cursor, page_of
from ctui.mcp_server.protocol.tool import ENDS, READS, REMOVES, Tool, tool
from ctui.mcp_server.protocol.tool_schema import LONGEST
from ctui.mcp_server.tools.arguments import Repo
from ctui.mcp_server.tools.tools_worktrees import DryRun
from ctui.sandbox.docker.volumes import Volume


class SetUp(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Arguments of `setup`."""

    no_image: Annotated[bool, Meta(description="Only look, and do not build the image.")] = False


class SetUpResult(msgspec.Struct, frozen=True):
    """Result of `setup`."""

    ok: bool
    """True if tasks can run."""
    image: str
    """The image's tag; empty if it was not built."""
    checks: list[Check]


@tool(SetUp, SetUpResult, ENDS)
async def setup(call: Call, given: SetUp) -> SetUpResult:
    """Build the image that tasks run in unless it is there, and check everything else.

    It takes no login: a person gives that to `ctui setup` in a terminal, where no model reads it.
    """
    from ctui.client.health.health import check_all

    image = "" if given.no_image else await _build_image(call)
    checks = await check_all(call.paths)
    return SetUpResult(all(check.ok for check in checks), image, checks)


async def _build_image(call: Call) -> str:
    from ctui.client.cleaning.volumes import open_engine
    from ctui.config import load_config
    from ctui.sandbox.docker.image import build_image

    loop = asyncio.get_running_loop()
    said = asyncio.Queue[str]()

    def heard(line: str) -> None:
        loop.call_soon_threadsafe(said.put_nowait, line)

    async def tell() -> None:
        number = 0
        while True:
            number += 1
            await call.progress(number, await said.get())

    telling = asyncio.create_task(tell())
    try:
        async with open_engine() as engine:
            config = load_config(call.paths).image
            return await build_image(engine, config, heard, call.paths.instance)
    finally:
        telling.cancel()


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """No arguments."""


class VolumeList(msgspec.Struct, frozen=True, omit_defaults=True):
    """Volumes of this ctui, by name."""

    volumes: list[Volume]
    next_cursor: str = ""


class ListVolumes(msgspec.Struct, forbid_unknown_fields=True):
    """Arguments of `list_docker_volume`."""

    cursor: Cursor = ""


@tool(Nothing, VolumeList, ENDS)
async def init_docker_volume(_call: Call, _given: Nothing) -> VolumeList:
    """Make nothing: the home of a task is made with the task."""
    return VolumeList([])


@tool(ListVolumes, VolumeList, READS)
async def list_docker_volume(call: Call, given: ListVolumes) -> VolumeList:
    """List the Docker volumes of this ctui: the homes of tasks, and others of theirs."""
    from ctui.client.cleaning.volumes import list_volumes

    found = await list_volumes(call.paths)
    return VolumeList(*page_of(found, lambda volume: (volume.name,), given.cursor))


class CleanVolumes(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Arguments of `clean_docker_volume`."""

    names: Annotated[
        list[Annotated[str, Meta(max_length=LONGEST)]],
        Meta(max_length=1000, description="Only these; default: all that nobody needs."),
    ] = []
    force: Annotated[
        bool, Meta(description="Also those of tasks that could go on, which are stopped first.")
    ] = False
    dry_run: DryRun = False


@tool(CleanVolumes, CleanedVolumes, REMOVES)
async def clean_docker_volume(call: Call, given: CleanVolumes) -> CleanedVolumes:
    """Delete Docker volumes of this ctui for good; those of tasks that could go on stay."""
    from ctui.client.cleaning.volumes import clean_volumes

    return await clean_volumes(
        call.paths, given.names or None, force=given.force, dry_run=given.dry_run
    )


class CleanAll(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Arguments of `clean`."""

    force: Annotated[
        bool, Meta(description="Also what only a restored worktree or a lost task would need.")
    ] = False
    dry_run: DryRun = False
    repo: Repo = ""


@tool(CleanAll, Cleaning, REMOVES)
async def clean(call: Call, given: CleanAll) -> Cleaning:
    """Delete for good what nobody needs: stopped containers, volumes, old images, trash, caches.

    Never a worktree or a journal; clean_worktree moves worktrees into the trash.
    """
    from ctui.client.cleaning.prune import prune_everything

    return await prune_everything(
        call.paths, call.repository(given.repo), force=given.force, dry_run=given.dry_run
    )


TOOLS: tuple[Tool, ...] = (
    setup,
    init_docker_volume,
    list_docker_volume,
    clean_docker_volume,
    clean,
)
