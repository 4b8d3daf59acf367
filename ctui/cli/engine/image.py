"""`ctui image`: the image that tasks run in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from ctui.cli import context
from ctui.cli.engine.image_update import update
from ctui.cli.output import json_option, print_json, print_table, warn
from ctui.humanize import age, size_text

if TYPE_CHECKING:
    from ctui.cli.shapes import CleanedImages
    from ctui.sandbox.docker.image_facts import ImageFacts
    from ctui.sandbox.docker.old_images import BuiltImage


@click.group("image")
def command() -> None:
    """Build and show the image that tasks run in, list and remove old ones."""


@command.command("build")
@click.option(
    "--variant",
    type=click.Choice(["minimal", "default", "browser"]),
    help="Of ctui's own image; default: the setting image.variant.",
)
@click.option("--quiet", is_flag=True, help="Print the tag only.")
def build(*, variant: str | None, quiet: bool) -> None:
    """Build the image, or pull the one that image.name names, unless it is up to date.

    Tasks run in the variant that image.variant says.
    """
    click.echo(asyncio.run(build_image(variant or "", quiet=quiet)))


@command.command("show")
@json_option
def show(*, as_json: bool) -> None:
    """Show the image that tasks run in: what decides on it, its size, and what is in it."""
    facts = asyncio.run(_facts())
    if as_json:
        print_json(facts)
        return
    click.echo(f"image    {facts.name}")
    click.echo(f"from     {facts.source} = {facts.value}")
    click.echo(f"size     {size_text(facts.size) if facts.size else 'not built yet'}")
    click.echo(f"has      {', '.join(facts.contents)}")
    if facts.source != "image.variant":
        click.echo("         and what that image has itself")
    if facts.problem:
        warn(facts.problem)


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
        rows = [
            [one.name, one.variant or "-", _state(one), size_text(one.size), age(one.created)]
            for one in found
        ]
        titles = ["IMAGE", "VARIANT", "STATE", "SIZE", "AGE"]
        print_table(titles, rows, empty="no image yet: ctui image build")


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


command.add_command(update)


async def build_image(variant: str = "", *, quiet: bool) -> str:
    """Build the image, with a line of progress for every step unless `quiet`; return its tag.

    Args:
        variant: of ctui's own image; empty is the one of the settings.
        quiet: say nothing.

    Raises:
        InvalidInput: a variant is wanted where the settings name another image.
    """
    import msgspec

    from ctui.client.cleaning.volumes import open_engine
    from ctui.config import ImageConfig, load_config
    from ctui.config.problems import image_exclusion
    from ctui.errors import InvalidInput
    from ctui.sandbox.docker import image
    from ctui.sandbox.docker.image_facts import image_facts

    paths = context.paths()
    usual = load_config(paths).image
    config = msgspec.convert(
        {**msgspec.to_builtins(usual), **({"variant": variant} if variant else {})}, ImageConfig
    )
    if variant and (said := image_exclusion(msgspec.to_builtins(config))):
        raise InvalidInput(f"--variant: {said}", hint="leave it out, or change the config")
    async with open_engine() as engine:
        progress = _silent if quiet else _say
        tag = await image.build_image(engine, config, progress, paths.instance)
        facts = await image_facts(engine, config)
    progress(f"{facts.label}, {size_text(facts.size)}: {', '.join(facts.contents)}")
    if config != usual:
        progress(f'tasks run in it with image.variant = "{variant}" in the config')
    return tag


async def _facts() -> ImageFacts:
    from ctui.client.cleaning.volumes import open_engine
    from ctui.config import load_config
    from ctui.sandbox.docker.image_facts import image_facts

    async with open_engine() as engine:
        return await image_facts(engine, load_config(context.paths()).image)


async def _images() -> list[BuiltImage]:
    from ctui.client.cleaning.volumes import open_engine
    from ctui.config import load_config
    from ctui.sandbox.docker.old_images import built_images

    paths = context.paths()
    async with open_engine() as engine:
        return await built_images(engine, load_config(paths).image, paths.instance)


async def _clean(*, dry_run: bool) -> CleanedImages:
    from ctui.cli.shapes import CleanedImages, KeptImage
    from ctui.client.cleaning.volumes import open_engine
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
