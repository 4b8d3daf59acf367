"""`ctui doctor`: what is missing, and the command that mends it."""

from __future__ import annotations

import asyncio

import click

from ctui.cli import context
from ctui.cli.output import json_option, print_json


@click.command("doctor")
@json_option
def command(*, as_json: bool) -> int:
    """Check everything that ctui needs. Exit code 1 if something is missing."""
    from ctui.client.health import check_all

    checks = asyncio.run(check_all(context.paths()))
    if as_json:
        print_json(checks)
    else:
        for check in checks:
            mend = f"  {'note:' if check.ok else '->'} {check.mend}" if check.mend else ""
            click.echo(f"{'ok' if check.ok else 'NO':<3} {check.name:<8} {check.found}{mend}")
    return 0 if all(check.ok for check in checks) else 1
