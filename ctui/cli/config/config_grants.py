"""`ctui config grants`: what was allowed for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ctui.cli import context
from ctui.cli.output import json_option, print_json, print_table
from ctui.humanize import age

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def _complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from ctui.errors import CtuiError

    try:
        found = context.store().grants.of()
    except CtuiError:
        return []
    return [
        CompletionItem(str(grant.id), help=grant.words)
        for grant in found
        if str(grant.id).startswith(incomplete)
    ]


@click.command("grants")
@click.option(
    "--revoke",
    "ids",
    type=click.IntRange(1, 2**63 - 1),
    multiple=True,
    metavar="ID",
    shell_complete=_complete,
    help="Take this one back; can be given several times.",
)
@click.option("--revoke-all", is_flag=True, help="Take all of them back.")
@click.option(
    "--repo", type=click.Path(path_type=str), help="Only those of this repository.  [default: all]"
)
@json_option
def grants(ids: tuple[int, ...], repo: str | None, *, revoke_all: bool, as_json: bool) -> None:
    """List the commands that tasks of a repository run without asking; --revoke takes one back.

    A grant is made by answering `always`. Runs that begin after it was revoked ask again.
    """
    repository = None if repo is None else str(context.repository(repo).common_dir)
    store = context.store()
    found = store.grants.of(repository)
    if ids or revoke_all:
        chosen = [grant.id for grant in found] if revoke_all else list(dict.fromkeys(ids))
        found = [store.grants.revoke(grant_id) for grant_id in chosen]
    if as_json:
        print_json(found)
    elif ids or revoke_all:
        for grant in found:
            click.echo(f"revoked {grant.id}: {grant.words}")
        if not found:
            click.echo("nothing to revoke")
    else:
        rows = [
            [str(grant.id), grant.words, grant.repository, grant.task, age(grant.created)]
            for grant in found
        ]
        header = ["ID", "ALLOWS", "REPOSITORY", "TASK", "AGE"]
        print_table(header, rows, empty="nothing is allowed for good")
