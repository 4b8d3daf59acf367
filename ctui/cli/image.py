"""`ctui image`: the image that tasks run in."""

from __future__ import annotations

import asyncio

import click

from ctui.cli import context


@click.group("image")
def command() -> None:
    """Build the image that tasks run in."""


@command.command("build")
@click.option("--quiet", is_flag=True, help="Print the tag only.")
def build(*, quiet: bool) -> None:
    """Build the image unless it is up to date."""
    click.echo(asyncio.run(build_image(quiet=quiet)))


async def build_image(*, quiet: bool) -> str:
    """Build it, with a line of progress for every step."""
    from ctui.config import load_config
    from ctui.sandbox import image
    from ctui.sandbox.docker import Engine

    engine = await Engine.connect()
    try:
        config = load_config(context.paths())
        progress = _silent if quiet else _say
        return await image.build_image(engine, config.image, progress)
    finally:
        await engine.close()


def _say(line: str) -> None:
    click.echo(line, err=True)


def _silent(_line: str) -> None:
    return None
