"""`ctui image update`: a newer image for the next run of each task."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import click

from ctui.cli import context
from ctui.errors import CtuiError, InvalidInput

if TYPE_CHECKING:
    from ctui.config import ImageConfig

_SHOWN = 30


@click.command("update")
@click.option(
    "--cli",
    default="",
    metavar="VERSION",
    help="Another version of Claude Code: a number, latest, or tested for the one of this ctui.",
)
@click.option("--all", "show_all", is_flag=True, help="Print every package that has changed.")
def update(*, cli: str, show_all: bool) -> None:
    """Build the image anew on today's base and packages, and say what has changed.

    Claude Code stays at its version unless --cli says another one; this ctui was tested with one
    only. Tasks keep their image until their next run; what comes from the config is noted there
    (image.updated, image.cli_version), and goes back when those lines are removed. The bases of
    environments are pulled too; each environment that is to be built again is named.
    """
    asyncio.run(_update(cli, show_all=show_all))


async def _update(cli: str, *, show_all: bool) -> None:
    from ctui.client.cleaning.volumes import open_engine
    from ctui.client.tasks.outdated import outdated, pull_bases
    from ctui.config import load_config
    from ctui.config.setting_keys import set_keys
    from ctui.sandbox.docker.base_image import PullProgress
    from ctui.sandbox.docker.image import build_image, image_tag
    from ctui.sandbox.docker.image_update import changes, versions_in

    paths = context.paths()
    config = load_config(paths).image
    wanted = await _wanted(config, cli)
    async with open_engine() as engine:
        before = await versions_in(engine, image_tag(config), paths.instance)
        if pulled := config.name or config.base:
            click.echo(f"pulling {pulled}", err=True)
            try:
                await engine.pull(pulled, PullProgress(_say))
            except CtuiError as error:
                if config.name:
                    raise
                _say(f"* {pulled} is used as it is here: {error.message}")
        tag = await build_image(engine, wanted, _say, paths.instance)
        after = await versions_in(engine, tag, paths.instance)
        await pull_bases(paths, engine, _say)
        if not config.name:
            choice = {"updated": wanted.updated, "cli_version": wanted.cli_version}
            set_keys(paths, "image", {k: v for k, v in choice.items() if v != getattr(config, k)})
        left_behind = await outdated(paths, engine)
    lines = list(changes(before, after)) if before else []
    for line in lines if show_all else lines[:_SHOWN]:
        click.echo(line)
    if len(lines) > _SHOWN and not show_all:
        click.echo(f"and {len(lines) - _SHOWN} more (--all)")
    count = "1 package has" if len(lines) == 1 else f"{len(lines)} packages have"
    click.echo(f"{count} changed" if before else "there was no image before")
    for line in left_behind:
        click.echo(line)
    click.echo(f"{tag}: tasks have it from their next run on; `ctui image clean` removes old ones")


async def _wanted(config: ImageConfig, cli: str) -> ImageConfig:
    """Return the settings of the image that is wanted.

    Raises:
        InvalidInput: it has no version of Claude Code that could be chosen.
        NotFound, Unavailable: there is no such version, or nobody knows.
    """
    import msgspec

    from ctui.sandbox.docker.image_parts import CLAUDE_CODE_VERSION
    from ctui.sandbox.docker.image_update import VERSION, published

    if config.name:
        if cli:
            raise InvalidInput(
                "image.name is a ready-made image, with the Claude Code that it has",
                hint=f'--cli works with image.base = "{config.name}"',
            )
        return config
    if cli not in {"", "latest", "tested"} and not VERSION.fullmatch(cli):
        raise InvalidInput(f"{cli[:60]!r} is no version", hint="such as 2.1.300, latest or tested")
    version = config.cli_version
    if cli:
        version = "" if cli == "tested" else await published(cli)
    if version == CLAUDE_CODE_VERSION:
        version = ""
    now = time.strftime("%Y-%m-%dT%H:%M", time.gmtime())
    return msgspec.structs.replace(config, updated=now, cli_version=version)


def _say(line: str) -> None:
    click.echo(line, err=True)
