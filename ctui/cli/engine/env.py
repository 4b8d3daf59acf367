"""`ctui env`: what a repository's tasks are built and tested in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ctui.cli import context
from ctui.cli.environment_wish import wish_of
from ctui.cli.lazy_group import LazyGroup
from ctui.cli.output import json_option, print_json, print_table, repo_option, warn
from ctui.errors import Conflict, NotFound
from ctui.humanize import age
from ctui.text import sanitise

if TYPE_CHECKING:
    from ctui.environments.lookup import ListedEnvironment, ShownEnvironment
    from ctui.environments.plan import Plan
    from ctui.environments.records import Environment

_DEFAULT = "this repository defines no environment: tasks run in ctui's default image"

base_option = click.option(
    "--base", default="HEAD", show_default=True, help="The commit whose definition counts."
)
devcontainer_option = click.option(
    "--devcontainer",
    default="",
    metavar="NAME",
    help="Of several devcontainers, this one; remembered by build.",
)
image_option = click.option(
    "--env-image", default="", metavar="IMAGE", help="This image, whatever the repository says."
)


@click.group("env", cls=LazyGroup, elsewhere={"shell": "ctui.cli.engine.env_shell:shell"})
def command() -> None:
    """Show, build and remove the environments of a repository: what its tasks run in."""


@command.command("show")
@repo_option
@base_option
@devcontainer_option
@json_option
def show(repo: str, base: str, devcontainer: str, *, as_json: bool) -> None:
    """Show which definition counts, and what is done with each of its keys."""
    found, plan = _shown(repo, base, devcontainer)
    if as_json:
        print_json(found)
        return
    if plan is None:
        warn(_DEFAULT)
        return
    from ctui.environments.consent import consent_text

    click.echo(f"{found.id}  {found.state}  {sanitise(found.file) or '--env-image'}")
    click.echo(consent_text(plan))
    rows = [[one.key, one.status, one.reason] for one in found.keys]
    print_table(["KEY", "STATUS", "REASON"], rows, empty="it has no keys")


@command.command("build")
@repo_option
@base_option
@devcontainer_option
@image_option
@click.option("--yes", is_flag=True, help="Consent to what it builds and runs.")
@json_option
def build(
    repo: str, base: str, devcontainer: str, env_image: str, *, yes: bool, as_json: bool
) -> None:
    """Build the environment unless it is up to date; the last line is its id.

    What a repository brings is shown first, and built only with your consent, which is bound to
    exactly that content.

    Exit code 1: it failed, and the error names the log. 3: consent is missing.
    """
    from ctui.client.tasks.environments import ensure_environment
    from ctui.config import load_config
    from ctui.environments.build.set_up import SetUpFailed
    from ctui.environments.records import Records

    repository = context.repository(repo)
    config = load_config(context.paths(), repository=repository.work_tree)
    wish = wish_of(env_image, yes=yes)._replace(devcontainer=devcontainer, verify=True)
    commit = repository.resolve(base)
    try:
        made = context.run(ensure_environment(context.paths(), repository, commit, config, wish))
    except SetUpFailed as error:
        for line in Records(context.paths()).log_end(error.environment):
            warn(f"  | {line}")
        raise
    if as_json:
        print_json(_shown(repo, base, devcontainer)[0] if made is None else made)
    elif made is None:
        warn(_DEFAULT)
        click.echo("default")
    else:
        click.echo(made.id)


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Of all repositories.")
@repo_option
@json_option
def list_(repo: str, *, everything: bool, as_json: bool) -> None:
    """List the environments that were built, newest first.

    STATE is `stale` for a ready one that HEAD does not lead to any more.
    """
    found = _listed(repo, everything=everything)
    if as_json:
        print_json(found)
        return
    rows = [_listed_row(one) for one in found]
    print_table(
        ["ID", "STATE", "FROM", "AGE", "NOTE"], rows, empty="no environment yet: ctui env build"
    )


@command.command("remove")
@click.argument("names", nargs=-1, required=True, metavar="ID...")
def remove(names: tuple[str, ...]) -> None:
    """Remove environments that no task needs: image, log and kept folders."""
    from ctui.client.cleaning.environment_removal import remove_environments

    for one in context.run(remove_environments(context.paths(), names)):
        click.echo(one)


@command.command("init")
@repo_option
@click.option("--print", "only_print", is_flag=True, help="Write no file.")
def init(repo: str, *, only_print: bool) -> None:
    """Write a proposal of [environment] into .ctui.toml, from the lock files that are committed."""
    from ctui.environments.definition.commit_files import CommitFiles
    from ctui.environments.proposal import propose

    repository = context.repository(repo)
    proposal = propose(CommitFiles(repository, repository.resolve("HEAD")))
    if proposal is None:
        raise NotFound(
            "no lock file that ctui knows is committed at the root",
            hint="write [environment] yourself: docs/environments.md",
        )
    if only_print:
        click.echo(proposal.text, nl=False)
        return
    if repository.work_tree is None:
        raise NotFound(f"{repository.name} has no checkout", hint="ctui env init --print")
    click.echo(str(_write_proposal(repository.work_tree, proposal.text)))
    warn("read it, mend it, commit it; then `ctui env build` shows and builds it")


@command.command("add")
@click.argument("packages", nargs=-1, required=True, metavar="PACKAGE...")
@repo_option
def add(packages: tuple[str, ...], repo: str) -> None:
    """Have Debian packages in the environment: writes them into [environment] of .ctui.toml.

    Tasks cannot install any. It counts when you have committed the file, and consented to it.
    """
    from ctui.config.model import REPOSITORY_FILE
    from ctui.config.sources import read_text
    from ctui.environments.addition import install_command, with_packages
    from ctui.environments.lookup import plan_of

    repository = context.repository(repo)
    plan = plan_of(context.paths(), repository, repository.resolve("HEAD"))
    if plan is not None and plan.found.definition.source != "repository":
        raise Conflict(
            f"the environment comes from {plan.found.definition.file}",
            hint=f"add it to the image there: RUN {install_command(packages)}",
        )
    if repository.work_tree is None:
        raise NotFound(f"{repository.name} has no checkout", hint="add it to a commit yourself")
    path = repository.work_tree / REPOSITORY_FILE
    there = read_text(path, 1 << 18, follow_links=False) or ""
    _replace(path, with_packages(there, str(path), packages))
    click.echo(str(path))
    warn("commit it; then `ctui env build` shows and builds it")


def _shown(repo: str, base: str, devcontainer: str) -> tuple[ShownEnvironment, Plan | None]:
    from ctui.environments.lookup import plan_of, shown

    repository = context.repository(repo)
    commit = repository.resolve(base)
    plan = plan_of(context.paths(), repository, commit, devcontainer=devcontainer)
    return shown(context.paths(), plan), plan


def _listed(repo: str, *, everything: bool) -> list[ListedEnvironment]:
    from ctui.environments.freshness import note
    from ctui.environments.lookup import ListedEnvironment, plan_of
    from ctui.environments.records import Records
    from ctui.errors import CtuiError

    current = ""
    common = None
    if not everything:
        repository = context.repository(repo)
        common = str(repository.common_dir)
        try:
            head = repository.resolve("HEAD")
            plan = plan_of(context.paths(), repository, head)
        except CtuiError as error:
            warn(error.one_line())
        else:
            current = plan.id if plan else ""
    found = []
    records = Records(context.paths()).all(common)
    made_with, now = context.run(_images_now(records))
    for one in records:
        other = not everything and one.id != current and one.source != "option"
        said = note(one, made_with, now, of_head=not other)
        found.append(
            ListedEnvironment(
                id=one.id,
                repository=one.repository,
                source=one.source,
                file=one.file,
                state="stale" if other and one.state == "ready" else one.state,
                image=one.image,
                created=one.created,
                used=one.used,
                seconds=one.seconds,
                problem=one.problem,
                note=said,
            )
        )
    return found


def _listed_row(one: ListedEnvironment) -> list[str]:
    what = one.problem or one.note or "-"
    return [one.id, one.state, one.file or "--env-image", age(one.created), what]


async def _images_now(records: Sequence[Environment]) -> tuple[str, dict[str, str | None]]:
    """Return the tag of ctui's own image, and the ids of images that environments are built on."""
    from ctui.client.cleaning.volumes import open_engine
    from ctui.config import load_config
    from ctui.errors import CtuiError
    from ctui.sandbox.docker.image import image_tag

    made_with = image_tag(load_config(context.paths()).image)
    names = {name for one in records for name in one.bases}
    if not names:
        return made_with, {}
    try:
        async with open_engine() as engine:
            return made_with, {name: await engine.image_id(name) for name in names}
    except CtuiError:
        return made_with, {}  # nobody knows, and the list is of what is on record


def _write_proposal(work_tree: Path, text: str) -> Path:
    from ctui.config.model import REPOSITORY_FILE
    from ctui.config.problems import Problem, parse
    from ctui.config.sources import read_text

    path = work_tree / REPOSITORY_FILE
    there = read_text(path, 1 << 18, follow_links=False)
    if there is None:
        _replace(path, text)
        return path
    values = parse(there)
    if isinstance(values, Problem):
        raise values.error(path)
    if "environment" in values:
        raise Conflict(f"{path} has an [environment] already", hint="ctui env init --print")
    _replace(path, f"{there.rstrip()}\n\n{text}")
    return path


def _replace(path: Path, text: str) -> None:
    """Write the checkout's file as a whole; a link stays what it is.

    Raises:
        Conflict: it is one.
    """
    from ctui.files import create_file, replace_file

    if path.is_symlink():
        raise Conflict(f"{path} is a link", hint="replace it by a file")
    if path.exists():
        replace_file(path, text.encode(), like=path.stat())
    else:
        create_file(path, text.encode(), mode=0o644)
