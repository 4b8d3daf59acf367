"""`ctui setup`: the login, and the image."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

import click

from ctui.cli import context
from ctui.errors import LoginRequired


@click.command("setup")
@click.option("--logout", is_flag=True, help="Forget the stored login.")
@click.option("--no-image", is_flag=True, help="Do not build the image.")
def command(*, logout: bool, no_image: bool) -> None:
    """Store a token (from `claude setup-token`) or an API key, and build the image.

    Reads the token from stdin, so that it is never on a command line.
    """
    from ctui.claude.credentials import Credential, forget_credential, store_credential
    from ctui.claude.login import LoginSearch, describe

    paths = context.paths()
    if logout:
        forget_credential(paths)
        click.echo("the login is forgotten")
        return
    if sys.stdin.isatty():
        text = click.prompt("Token or API key", hide_input=True, err=True)
    else:
        text = sys.stdin.readline()
    place = store_credential(paths, Credential.parse(text))
    click.echo(f"the login is stored in {place}")
    with suppress(LoginRequired):
        # The environment is stronger than what was stored a moment ago.
        click.echo(f"tasks use the {describe(LoginSearch(paths).state())}")
    if not no_image:
        from ctui.cli.image import build_image

        click.echo(f"image {asyncio.run(build_image(quiet=False))}")
