"""`ctui doctor`: what is missing, and the command that mends it."""

from __future__ import annotations

import asyncio
import platform
from typing import TYPE_CHECKING, NamedTuple

import click

from ctui import __version__
from ctui.cli import context
from ctui.cli.output import json_option, print_json
from ctui.errors import CtuiError
from ctui.paths import private_folder, refuse_network_file_system

if TYPE_CHECKING:
    from ctui.sandbox.docker import Engine


class Check(NamedTuple):
    """One thing that ctui needs."""

    name: str
    ok: bool
    found: str
    mend: str = ""
    """The command or change that mends it; beside something that works, a remark."""


@click.command("doctor")
@json_option
def command(*, as_json: bool) -> int:
    """Check everything that ctui needs. Exit code 1 if something is missing."""
    checks = [_version(), _state(), _config(), _git(), _login(), *asyncio.run(_engine_and_image())]
    if as_json:
        print_json([check._asdict() for check in checks])
    else:
        for check in checks:
            mend = f"  {'note:' if check.ok else '->'} {check.mend}" if check.mend else ""
            click.echo(f"{'ok' if check.ok else 'NO':<3} {check.name:<8} {check.found}{mend}")
    return 0 if all(check.ok for check in checks) else 1


def _version() -> Check:
    return Check("ctui", True, f"{__version__}, Python {platform.python_version()}")


def _state() -> Check:
    state = context.paths().state
    try:
        private_folder(state)
        refuse_network_file_system(state)
        context.store().close()
    except CtuiError as error:
        return Check("state", False, error.message, error.hint)
    return Check("state", True, str(state))


def _config() -> Check:
    from ctui.config import load_config

    file = context.paths().config_file
    try:
        load_config(context.paths())
    except CtuiError as error:
        return Check("config", False, error.message, error.hint)
    return Check("config", True, str(file) if file.is_file() else f"defaults; {file} would count")


def _git() -> Check:
    from ctui.git.command import git_version, require_git

    try:
        require_git()
    except CtuiError as error:
        return Check("git", False, error.message, error.hint)
    return Check("git", True, ".".join(map(str, git_version())))


def _login() -> Check:
    from ctui.claude.credentials import find_credential

    try:
        found = find_credential(context.paths())
    except CtuiError as error:
        return Check("login", False, error.message, error.hint)
    return Check("login", True, found.kind)


async def _engine_and_image() -> list[Check]:
    from ctui.sandbox.docker import Engine

    try:
        engine = await Engine.connect()
    except CtuiError as error:
        return [Check("engine", False, error.message, error.hint)]
    try:
        return [await _engine(engine), await _image(engine)]
    finally:
        await engine.close()


async def _engine(engine: Engine) -> Check:
    info = await engine.info()
    found = f"Docker {info.version} at {engine.endpoint.url}"
    if not info.live_restore:
        note = 'tasks stop when dockerd restarts: set "live-restore": true in its daemon.json'
        return Check("engine", True, found, note)
    return Check("engine", True, found)


async def _image(engine: Engine) -> Check:
    from ctui.config import load_config
    from ctui.sandbox.image import require_image

    if not _config().ok:
        return Check("image", False, "which one depends on the config", "mend the config")
    try:
        tag = await require_image(engine, load_config(context.paths()).image)
    except CtuiError as error:
        return Check("image", False, error.message, error.hint)
    return Check("image", True, tag)
