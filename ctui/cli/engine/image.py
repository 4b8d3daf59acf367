"""`ctui image`: the image that tasks run in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from ctui.cli import context
from ctui.cli.output import json_option, print_json, print_table, warn
from ctui.humanize import age, size_text

if TYPE_CHECKING:
    from ctui.cli.shapes import CleanedImages
    from ctui.sandbox.docker.old_images import BuiltImage


@click.group("image")
def command() -> None:
    """Build the image that tasks run in, list and remove old ones."""


@command.command("build")
@click.option("--quiet", is_flag=True, help="Print the tag only.")
def build(*, quiet: bool) -> None:
    """Build the image unless it is up to date."""
    click.echo(asyncio.run(build_image(quiet=quiet)))


@command.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """List the images that a ctui built on this engine, newest first.

    STATE is `current` for what tasks run in now, `in use` for what a container was made from, `old`
    for what `clean` removes, and `another's` for what another user or CTUI_HOME built.
    """
    found = asyncio.run(_images())
    if as_json:
        print_json(found)
    else:
        rows = [[one.name, _state(one), size_text(one.size), age(one.created)] for one in found]
        print_table(["IMAGE", "STATE", "SIZE", "AGE"], rows, empty="no image yet: ctui image build")


@command.command("clean")
@click.option("--dry-run", is_flag=True, help="Say what would be done, do nothing.")
@json_option
def clean(*, dry_run: bool, as_json: bool) -> None:
    """Remove the images that this ctui built and does not need any more."""
    done = asyncio.run(_clean(dry_run=dry_run))
    if as_json:
        print_json(done)
        return
    for image in done.removed:
        word = "would remove" if dry_run else "removed"
        click.echo(f"{word} {image.name} ({size_text(image.size)})")
    for kept in done.refused:
        warn(f"kept {kept.name}: {kept.reason}")


async def build_image(*, quiet: bool) -> str:
    """Build the image, with a line of progress for every step unless `quiet`; return its tag."""
    from ctui.client.volumes import open_engine
    from ctui.config import load_config
    from ctui.sandbox.docker import image

    paths = context.paths()
    config = load_config(paths)
    async with open_engine() as engine:
        progress = _silent if quiet else _say
        return await image.build_image(engine, config.image, progress, paths.instance)


async def _images() -> list[BuiltImage]:
    from ctui.client.volumes import open_engine
    from ctui.config import load_config
    from ctui.sandbox.docker.old_images import built_images

    paths = context.paths()
    async with open_engine() as engine:
        return await built_images(engine, load_config(paths).image, paths.instance)


async def _clean(*, dry_run: bool) -> CleanedImages:
    from ctui.cli.shapes import CleanedImages, KeptImage
    from ctui.client.volumes import open_engine
    from ctui.errors import CtuiError
    from ctui.sandbox.docker.old_images import remove_image

    done = CleanedImages([], [])
    async with open_engine() as engine:
        for image in await _images():
            if not image.old:
                if not image.current:
                    done.refused.append(KeptImage(image.name, f"it is {_state(image)}"))
                continue
            try:
                if not dry_run:
                    await remove_image(engine, image)
            except CtuiError as error:
                done.refused.append(KeptImage(image.name, error.message))
            else:
                done.removed.append(image)
    return done


def _state(image: BuiltImage) -> str:
    if image.current:
        return "current"
    if image.in_use:
        return "in use"
    return "old" if image.own else "another's"


def _say(line: str) -> None:
    click.echo(line, err=True)


def _silent(_line: str) -> None:
    return None
