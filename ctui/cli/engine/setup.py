"""`ctui setup`: the login, the image, and what tasks share."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from ctui.cli import context
from ctui.cli.login_input import given_token
from ctui.cli.output import json_option, print_json
from ctui.errors import LoginRequired

if TYPE_CHECKING:
    from ctui.cli.shapes import DoneStep
    from ctui.paths import Paths


@click.command("setup")
@click.option("--logout", is_flag=True, help="Forget the stored login, and do nothing else.")
@click.option(
    "--token-file",
    metavar="FILE",
    help="Read the token or API key from FILE (`-` is stdin) and ask nothing.",
)
@click.option("--no-image", is_flag=True, help="Do not build the image.")
@json_option
def command(*, logout: bool, token_file: str | None, no_image: bool, as_json: bool) -> None:
    """Log in, and build the image.

    A token (from `claude setup-token`) or an API key is typed, read from stdin or from a file:
    never written on a command line. Where nobody can type and stdin is empty, a login in the
    environment or one that is stored already will do. Everything can be done again at any time;
    what is there already is left as it is.
    """
    from ctui.client.base_url import check_base_url

    paths = context.paths()
    if logout:
        steps = [_logout(paths)]
    else:
        check_base_url(paths)
        steps = [_login(paths, token_file)]
        _tell(steps[0], as_json=as_json)
        if not no_image:
            steps += asyncio.run(_containers(paths, as_json=as_json))
    if as_json:
        print_json(steps)
    elif logout:
        _tell(steps[0], as_json=False)


def _tell(step: DoneStep, *, as_json: bool) -> None:
    if not as_json:
        click.echo(f"{step.name:<8} {step.said}")


def _logout(paths: Paths) -> DoneStep:
    from ctui.claude.login.credentials import forget_credential
    from ctui.cli.shapes import DoneStep

    forgotten = forget_credential(paths)
    said = "the login is forgotten" if forgotten else "nothing to forget: no login is stored"
    return DoneStep("login", forgotten, said)


def _login(paths: Paths, token_file: str | None) -> DoneStep:
    from ctui.claude.login.credentials import Credential, store_credential
    from ctui.claude.login.login import LoginSearch, describe
    from ctui.cli.shapes import DoneStep
    from ctui.client.model_platform import ready_platform

    text = given_token(token_file)
    if text:
        place = store_credential(paths, Credential.parse(text))
        used = ""
        with suppress(LoginRequired):
            # The environment is stronger than what was stored a moment ago.
            used = f"; tasks use the {describe(LoginSearch(paths).state())}"
        return DoneStep("login", True, f"the login is stored in {place}{used}")
    if platform := ready_platform(os.environ):
        return DoneStep("login", False, f"tasks use {platform}, by Claude Code's own variables")
    try:
        found = LoginSearch(paths).state()
    except LoginRequired as error:
        raise LoginRequired(
            error.message,
            hint="run `claude setup-token`, then `ctui setup` and paste the token it prints",
        ) from error
    return DoneStep("login", False, f"tasks use the {describe(found)}")


async def _containers(paths: Paths, *, as_json: bool) -> list[DoneStep]:
    from ctui.cli.shapes import DoneStep
    from ctui.client.cleaning.volumes import open_engine
    from ctui.config import load_config
    from ctui.sandbox.docker.image import build_image

    said: list[str] = []

    def progress(line: str) -> None:
        said.append(line)
        click.echo(line, err=True)

    async with open_engine() as engine:
        tag = await build_image(engine, load_config(paths).image, progress, paths.instance)
    built = any(line.startswith("building ") for line in said)
    steps = [DoneStep("image", built, f"{tag} {'is built' if built else 'is up to date'}")]
    steps.append(DoneStep("volumes", False, "each task gets a home of its own"))
    for step in steps:
        _tell(step, as_json=as_json)
    return steps
