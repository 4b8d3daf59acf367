"""`ctui demo`: everything with a scripted model, without an account."""

from __future__ import annotations

import asyncio

import click

from ctui.errors import CtuiError


@click.command("demo")
@click.option("--headless", is_flag=True, help="Walk through the main job and print each step.")
def command(*, headless: bool) -> int:
    """Try ctui on a throwaway repository. The model is scripted: no account is needed.

    Exit code 0 only if every step was seen.
    """
    if not headless:
        click.echo("The dashboard is not built yet; this is the demo without a screen.\n")
    return asyncio.run(_walk())


async def _walk() -> int:
    from ctui.demo.walk import Walk
    from ctui.demo.world import demo_world

    click.echo("The model of this demo is scripted; all else is real.")
    try:
        async with demo_world() as world:
            await Walk(world, click.echo).run()
    except TimeoutError:
        raise CtuiError("a step of the demo was not seen in time") from None
    click.echo("every step was seen")
    return 0
