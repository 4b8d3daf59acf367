"""`ctui worktree`: create, list, open, diff; the rest is in files of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from ctui.cli import context
from ctui.cli.bringing import ask_of, bringing_options, include_of
from ctui.cli.lazy_group import LazyGroup
from ctui.cli.output import (
    json_option,
    print_json,
    print_table,
    repo_option,
    show_progress,
    target_option,
    warn,
)
from ctui.cli.worktree.worktree_names import named, worktree_argument
from ctui.errors import InvalidInput
from ctui.humanize import age, lines_text
from ctui.text import sanitise

if TYPE_CHECKING:
    from ctui.client.worktrees.listing import ListedWorktree
    from ctui.worktrees.existing_branch import ExistingBranch
    from ctui.worktrees.model import WorktreeRecord


_CLEANUP = "ctui.cli.worktree.worktree_cleanup"
_LAND = "ctui.cli.worktree.worktree_land"
_REVIEW = "ctui.cli.worktree.worktree_review"


@click.group(
    "worktree",
    cls=LazyGroup,
    elsewhere={
        **{name: f"{_CLEANUP}:{name}" for name in ("remove", "clean", "restore", "trash")},
        **{name: f"{_LAND}:{name}" for name in ("commit", "land", "push")},
        "landings": "ctui.cli.worktree.worktree_check:landings",
        **{name: f"{_REVIEW}:{name}" for name in ("review", "comment", "comments")},
        "update": "ctui.cli.worktree.worktree_update:update",
    },
)
def command() -> None:
    """Create, list, review, land, remove and restore worktrees."""


@command.command("create")
@click.argument("name", required=False, default="")
@click.option("--base", default="", help="Where a new branch begins.  [default: HEAD]")
@click.option("--new", is_flag=True, help="Make a new branch, also where one has the name.")
@click.option("--from-pr", type=click.IntRange(1), metavar="N", help="The same as pr:N.")
@bringing_options
@repo_option
@json_option
def create(
    name: str,
    base: str,
    repo: str,
    *,
    new: bool,
    from_pr: int | None,
    as_json: bool,
    **bringing: Any,
) -> None:
    """Make a worktree for the branch NAME, or with a new branch of its own.

    A branch that is there, here or at a remote, is checked out; pr:N and mr:N stand for that of a
    pull request or merge request, by gh or glab. Otherwise, with --base and with --new the branch
    is new, and called NAME behind worktrees.prefix.
    """
    from ctui.client.tasks.bringing import Bringing
    from ctui.client.worktrees.worktrees import make_worktree, wanted_branch
    from ctui.config import load_config
    from ctui.worktrees.layout import settings_folder

    if from_pr is not None:
        if name:
            raise InvalidInput("a pull request has a branch's name", hint="leave out NAME")
        name = f"pr:{from_pr}"
    if not name:
        raise InvalidInput("a worktree needs a name", hint="ctui worktree create NAME")
    paths, repository = context.paths(), context.repository(repo)
    config = load_config(paths, repository=settings_folder(repository))
    brings = Bringing(
        paths, repository, config, include_of(bringing), warn, ask_of(may_ask=not as_json)
    )

    async def make() -> tuple[WorktreeRecord, ExistingBranch | None]:
        existing = None if new or base else await wanted_branch(repository, name)
        brings.check(new_worktree=existing is None)
        made = await make_worktree(
            paths,
            repository,
            prefix=config.worktrees.prefix,
            name=name,
            base=brings.base(base or "HEAD"),
            progress=show_progress,
            say=warn,
            existing=existing,
            bring=brings.into,
        )
        return made, existing

    record, existing = asyncio.run(make())
    if existing is not None:
        follows = "" if existing.local else f", and follows {existing.remote}"
        warn(f"the branch {existing.name} is checked out{follows}  (--new makes another)")
    elif record.name != name:
        warn(f"the worktree is called {record.name}")
    print_json(record) if as_json else click.echo(record.path)


@command.command("list")
@target_option
@repo_option
@json_option
def list_(repo: str, target: str, *, as_json: bool) -> None:
    """List the worktrees of a repository with their status.

    CHANGES counts files: + staged, ~ modified, ? untracked, ! in conflict. AHEAD and BEHIND count
    commits against the target, which the header names; LINES is what landing it would add and
    remove, CONFLICT whether that would conflict; AGE is since git last worked there, and EVIDENCE
    says what is proven of its work.
    """
    from ctui.client.worktrees.listing import list_worktrees

    repository = context.judged_repository(repo, target)
    found = asyncio.run(list_worktrees(context.paths(), repository))
    if as_json:
        print_json(found)
        return
    rows = [_row(item) for item in found.worktrees]
    against = f"EVIDENCE (against {found.target.name} at {found.target.commit[:7]})"
    header = ["WORKTREE", "STATUS", "CHANGES", "AHEAD", "BEHIND", "LINES", "CONFLICT", "AGE"]
    header += ["TASK", against]
    print_table(header, rows, empty="no worktrees yet: ctui worktree create NAME")


@command.command("open")
@worktree_argument
@click.option("--command", "program", default="", help="Instead of the configured one.")
@click.option("--at", metavar="FILE[:LINE]", default="", help="Edit a file of it, at a line.")
@repo_option
def open_(name: str, program: str, at: str, repo: str) -> int:
    """Open a worktree in an editor, or in a shell.

    The program is --command, else worktrees.open of the configuration, else $VISUAL or $EDITOR,
    else a shell. {path} in it stands for the worktree; without {path}, the path is added.
    With --at it is --command, else $VISUAL or $EDITOR, else vi.
    """
    from ctui.client.worktrees.opening import edit_file, open_worktree
    from ctui.config import load_config

    paths, worktree = context.paths(), named(context.repository(repo), name)
    if at:
        file, _, line = at.rpartition(":")
        if not file or not line.isdigit():
            file, line = at, "1"
        return edit_file(worktree.path, file, int(line), program)
    configured = program or load_config(paths).worktrees.open
    return open_worktree(worktree.path, configured)


@command.command("diff")
@worktree_argument
@click.option("--stat", is_flag=True, help="Only the files and how many lines of each.")
@repo_option
def diff(name: str, repo: str, *, stat: bool) -> None:
    """Show what a worktree changed since it began, committed or not.

    Without a recorded beginning: since it left the target. New files that are not added are named
    at the end.
    """
    from ctui.worktrees.changes import worktree_diff

    repository = context.judged_repository(repo, "")
    text = asyncio.run(worktree_diff(repository, named(repository, name), stat=stat))
    click.echo(sanitise(text), nl=False)


def _row(item: ListedWorktree) -> list[str]:
    changes = item.changes
    marks = ""
    if changes is not None:
        numbers = {"+": changes.staged, "~": changes.modified, "?": changes.untracked}
        numbers["!"] = changes.conflicted
        marks = " ".join(f"{mark}{number}" for mark, number in numbers.items() if number)
    task = item.task
    return [
        item.name,
        item.problem or item.status,
        marks,
        str(item.ahead or ""),
        str(item.behind or ""),
        lines_text(item.added, item.removed),
        "conflict" if item.conflict else "",
        age(item.active) if item.active else "",
        f"{task.id} {task.state}" if task else "",
        item.evidence,
    ]
