"""`ctui env shell`: a shell, or one command, in an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ctui.cli import context
from ctui.cli.output import repo_option, report
from ctui.errors import CtuiError, NotFound

if TYPE_CHECKING:
    from ctui.environments.records import Environment

OWN_FAILURE = 125
"""Exit code of what is no failure of the command itself."""


@click.command("shell")
@click.option("--failed", is_flag=True, help="Where its set-up failed, as it was left.")
@click.option("--id", "name", default="", help="The environment.  [default: that of HEAD]")
@repo_option
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def shell(name: str, repo: str, command: tuple[str, ...], *, failed: bool) -> int:
    """Run a shell in a throw-away copy of an environment, or the command behind `--`.

    It is as sealed as the set-up, with the commit's files in /workspace and what is carried; all
    that it writes is gone with it, but with --failed what it writes into /workspace stays until the
    next build. The exit code is the command's (128 + n after a signal), and 125 where ctui itself
    failed.
    """
    try:
        return context.run(_shell(_record(name, repo), repo, command, failed=failed))
    except CtuiError as error:
        report(error, as_json=False)
        return OWN_FAILURE


def _record(name: str, repo: str) -> Environment:
    from ctui.environments.lookup import plan_of
    from ctui.environments.records import Records

    records = Records(context.paths())
    if name:
        return records.named(name)
    repository = context.repository(repo)
    plan = plan_of(context.paths(), repository, repository.resolve("HEAD"))
    if plan is None:
        raise NotFound(f"{repository.name} defines no environment", hint="ctui env list")
    if (found := records.get(plan.id)) is None:
        raise NotFound(f"the environment {plan.id} is not built", hint="ctui env build")
    return found


async def _shell(record: Environment, repo: str, command: tuple[str, ...], *, failed: bool) -> int:
    from ctui.cli.streams import Streams, is_terminal, terminal_size
    from ctui.client.access.environment_shell import environment_process
    from ctui.config import load_config

    paths = context.paths()
    config = load_config(paths, repository=context.repository(repo).work_tree)
    size = terminal_size() if is_terminal() else None
    async with environment_process(
        paths, config, record, command, failed=failed, terminal=size
    ) as process:
        streams = Streams(process, terminal=size is not None, typed=lambda: None)
        code = await streams.carry()
    return OWN_FAILURE if code is None else code
