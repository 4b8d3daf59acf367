"""`ctui config trust`: whose Claude settings are trusted for good."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from ctui.cli import context
from ctui.cli.output import json_option, print_json, print_table
from ctui.errors import CtuiError, InvalidInput, NotFound
from ctui.humanize import age

if TYPE_CHECKING:
    from ctui.cli.shapes import ShownTrust
    from ctui.tasks.store.trust import TrustGrant

_STATES = {
    "counts": "counts",
    "changed": "changed since, does not count",
    "unbound": "of before 0.2, not bound to content, does not count",
    "unknown": "its repository cannot be read",
}


@click.command("trust")
@click.option("--add", is_flag=True, help="Trust what the repository's HEAD has now.")
@click.option(
    "--revoke",
    "ids",
    type=click.IntRange(1, 2**63 - 1),
    multiple=True,
    metavar="ID",
    help="Take this one back; can be given several times.",
)
@click.option("--revoke-all", is_flag=True, help="Take all of them back.")
@click.option(
    "--repo", type=click.Path(path_type=str), help="Only those of this repository.  [default: all]"
)
@json_option
def trust(
    ids: tuple[int, ...], repo: str | None, *, add: bool, revoke_all: bool, as_json: bool
) -> None:
    """List the repositories whose own Claude settings count in every task; --add trusts one.

    Trust covers what .claude and .mcp.json have in the commit that a task starts from, byte for
    byte: changed settings are not trusted. `ctui run --trust` is for one task and not listed here.
    """
    if add and (ids or revoke_all):
        raise InvalidInput("--add and --revoke do not go together", hint="say them one by one")
    store = context.store()
    if add:
        found = [_added(repo or ".")]
    else:
        repository = None if repo is None else str(context.repository(repo).common_dir)
        found = store.trust.list(repository)
        if ids or revoke_all:
            chosen = [one.id for one in found] if revoke_all else list(dict.fromkeys(ids))
            found = [store.trust.revoke(trust_id) for trust_id in chosen]
    if as_json:
        print_json([_shown(one) for one in found])
    elif add or ids or revoke_all:
        for one in found:
            click.echo(f"{'trusted' if add else 'revoked'} {one.id}: {one.what or one.repository}")
        if not found:
            click.echo("nothing to revoke")
    else:
        rows = [
            [str(one.id), one.repository, one.what, _STATES[_state(one)], age(one.created)]
            for one in found
        ]
        header = ["ID", "REPOSITORY", "COVERS", "STATE", "AGE"]
        print_table(header, rows, empty="no repository's settings are trusted for good")


def _added(repo: str) -> TrustGrant:
    from ctui.tasks.trust import settings_at

    repository = context.repository(repo)
    settings = settings_at(repository, "HEAD")
    if not settings.files:
        raise NotFound(
            f"HEAD of {repository.name} has no Claude settings",
            hint="commit .claude first: what tasks start from is trusted, not what lies around",
        )
    return context.store().trust.add(str(repository.common_dir), settings.digest, settings.words)


def _state(one: TrustGrant) -> Literal["counts", "changed", "unbound", "unknown"]:
    from ctui.git.repository.repository import open_repository
    from ctui.tasks.trust import settings_at

    if not one.digest:
        return "unbound"
    try:
        now = settings_at(open_repository(Path(one.repository)), "HEAD")
    except CtuiError:
        return "unknown"
    return "counts" if now.digest == one.digest else "changed"


def _shown(one: TrustGrant) -> ShownTrust:
    from ctui.cli.shapes import ShownTrust

    return ShownTrust(one.id, one.repository, one.digest, one.what, one.created, _state(one))
