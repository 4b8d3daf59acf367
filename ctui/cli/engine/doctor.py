"""`ctui doctor`: what is missing, and the command that mends it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ctui.cli import context
from ctui.cli.output import json_option, print_json, warn
from ctui.errors import CtuiError

if TYPE_CHECKING:
    from ctui.client.health.health import Check


@click.command("doctor")
@click.option(
    "--repair",
    is_flag=True,
    help="First make the store whole again and adopt the tasks that it lost; deletes nothing.",
)
@json_option
def command(*, repair: bool, as_json: bool) -> int:
    """Check everything that ctui needs. Exit code 1 if something is missing.

    With --repair the driver is stopped, and tasks go on in their sandboxes meanwhile. A damaged
    store is kept beside the new one, which is made of every record that can be read, of the tasks'
    folders, and of the sandboxes that are there.
    """
    if repair:
        _repair()
    return asyncio.run(_check(as_json=as_json))


def _repair() -> None:
    from ctui.client.health.repair import repair as repair_store

    outcome = asyncio.run(repair_store(context.paths()))
    for line in outcome.done or ["there is nothing to repair"]:
        click.echo(line, err=True)
    for line in outcome.left:
        warn(line)


async def _here() -> list[Check]:
    """Check the repository of this folder, if it is in one."""
    from ctui.client.health.commit_health import commit_check
    from ctui.client.health.filter_health import filter_check
    from ctui.client.health.repository_health import repository_check
    from ctui.config import load_config

    found: list[Check | None] = []
    with suppress(CtuiError, OSError):  # the folder can be gone
        here = Path.cwd()
        found.append(await repository_check(here))
        found.append(await commit_check(here))
        found.append(await filter_check(here, load_config(context.paths()).git))
    return [check for check in found if check is not None]


async def _check(*, as_json: bool) -> int:
    from ctui.client.health.health import check_all
    from ctui.client.health.lending_health import lending_check
    from ctui.client.health.network_health import network_check

    paths = context.paths()
    network = [await network_check(paths), lending_check(paths)]
    found = [check for check in network if check is not None]
    checks = [*await check_all(paths), *found, *await _here()]
    if as_json:
        print_json(checks)
    else:
        for check in checks:
            mend = f"  {'note:' if check.ok else '->'} {check.mend}" if check.mend else ""
            click.echo(f"{'ok' if check.ok else 'NO':<3} {check.name:<8} {check.found}{mend}")
    return 0 if all(check.ok for check in checks) else 1
