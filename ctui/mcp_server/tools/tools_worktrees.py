"""The tools for worktrees."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ctui.client.worktrees.bulk_removal import RemovedWorktrees
from ctui.client.worktrees.listing import ListedWorktree, WorktreeList
from ctui.client.worktrees.worktree_restore import RestoredWorktrees
from ctui.mcp_server.protocol.call import Call
from ctui.mcp_server.protocol.pages import Cursor, page_of
from ctui.mcp_server.protocol.tool import ADDS, READS, REMOVES, Tool, tool
from ctui.mcp_server.protocol.tool_schema import LONGEST
from ctui.mcp_server.tools.arguments import Repo
from ctui.worktrees.model import WorktreeRecord

Force = Annotated[bool, Meta(description="Also what is unclean; it can be restored.")]
DeleteBranch = Annotated[
    bool | None,
    Meta(description="The branch too; default: worktrees.delete_branch."),
]
DryRun = Annotated[bool, Meta(description="Only say what would be done.")]
Name = Annotated[str, Meta(max_length=LONGEST, description="The worktree's name, branch or path.")]


Target = Annotated[
    str,
    Meta(max_length=LONGEST, description="The branch to judge against; default: worktrees.target."),
]


class CreateWorktree(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Arguments of `create_worktree`."""

    name: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=LONGEST,
            description="A branch that is there, pr:N or mr:N; else the name of a new one.",
        ),
    ]
    base: Annotated[
        str, Meta(max_length=LONGEST, description="Where a new branch begins; default: HEAD.")
    ] = ""
    new: Annotated[bool, Meta(description="Make a new branch, also where one has the name.")] = (
        False
    )
    repo: Repo = ""


class CreatedWorktree(WorktreeRecord, frozen=True, kw_only=True):
    """A new worktree, and what is to be known of its filters."""

    notes: list[str]


@tool(CreateWorktree, CreatedWorktree, ADDS)
async def create_worktree(call: Call, given: CreateWorktree) -> CreatedWorktree:
    """Make a git worktree for a branch that is there, or with a new one of its own."""
    from ctui.client.worktrees.worktrees import make_worktree, wanted_branch
    from ctui.config import load_config
    from ctui.worktrees.layout import settings_folder

    repository = call.repository(given.repo)
    prefix = load_config(call.paths, repository=settings_folder(repository)).worktrees.prefix
    new = given.new or given.base
    notes: list[str] = []
    made = await make_worktree(
        call.paths,
        repository,
        prefix=prefix,
        name=given.name,
        base=given.base or "HEAD",
        say=notes.append,
        existing=None if new else await wanted_branch(repository, given.name),
    )
    return CreatedWorktree(**msgspec.structs.asdict(made), notes=notes)


class ListWorktree(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Arguments of `list_worktree`."""

    target: Target = ""
    repo: Repo = ""
    cursor: Cursor = ""


class WorktreePage(WorktreeList, frozen=True, omit_defaults=True):
    """Worktrees of a repository, by name."""

    next_cursor: str = ""


@tool(ListWorktree, WorktreePage, READS)
async def list_worktree(call: Call, given: ListWorktree) -> WorktreePage:
    """List the worktrees of the repository: clean, unclean or merged, with the evidence."""
    from ctui.client.worktrees.listing import list_worktrees

    repository = call.repository(given.repo)
    repository.judge_against(given.target)
    found = await list_worktrees(call.paths, repository)
    page, after = page_of(found.worktrees, lambda item: (item.name, item.path), given.cursor)
    return WorktreePage(found.repository, found.target, page, after)


class CheckWorktree(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Arguments of `check_worktree_status`."""

    name: Name
    repo: Repo = ""


@tool(CheckWorktree, ListedWorktree, READS)
async def check_worktree_status(call: Call, given: CheckWorktree) -> ListedWorktree:
    """Look at one worktree: uncommitted changes, unpushed commits, whether its work is merged."""
    from ctui.client.worktrees.listing import list_one
    from ctui.client.worktrees.worktrees import meant_by, records
    from ctui.worktrees.known import find_worktree, known_worktrees

    repository = call.repository(given.repo)
    known = known_worktrees(repository, records(call.paths, repository))
    found = find_worktree(known, await meant_by(repository, given.name))
    return await list_one(call.paths, repository, found.metadata)


class RemoveWorktree(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Arguments of `remove_worktree`."""

    names: Annotated[
        list[Annotated[str, Meta(max_length=LONGEST)]],
        Meta(min_length=1, max_length=1000, description="Names, branches or paths of worktrees."),
    ]
    force: Force = False
    delete_branch: DeleteBranch = None
    dry_run: DryRun = False
    repo: Repo = ""


@tool(RemoveWorktree, RemovedWorktrees, REMOVES)
async def remove_worktree(call: Call, given: RemoveWorktree) -> RemovedWorktrees:
    """Move worktrees into the trash; restore_worktree brings them back exactly as they were.

    One with uncommitted or unmerged work, or with a task at work, is refused with the reason.
    """
    from ctui.client.worktrees.bulk_removal import BulkRemover

    repository = call.repository(given.repo)
    remover = BulkRemover(
        call.paths,
        repository,
        force=given.force,
        delete_branch=_delete_branch(call, given.delete_branch),
        dry_run=given.dry_run,
    )
    return await remover.remove(list(dict.fromkeys(given.names)))


class CleanWorktree(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Arguments of `clean_worktree`."""

    clean: Annotated[
        bool, Meta(description="Also clean ones that are not merged: just begun, open, reverted.")
    ] = False
    target: Target = ""
    force: Force = False
    delete_branch: DeleteBranch = None
    dry_run: DryRun = False
    repo: Repo = ""


@tool(CleanWorktree, RemovedWorktrees, REMOVES)
async def clean_worktree(call: Call, given: CleanWorktree) -> RemovedWorktrees:
    """Move all worktrees that are merged into the trash; those that are in use stay."""
    from ctui.client.worktrees.bulk_removal import BulkRemover

    repository = call.repository(given.repo)
    repository.judge_against(given.target)
    remover = BulkRemover(
        call.paths,
        repository,
        force=given.force,
        delete_branch=_delete_branch(call, given.delete_branch),
        dry_run=given.dry_run,
    )
    return await remover.clean(also_clean=given.clean)


class RestoreWorktree(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Arguments of `restore_worktree`."""

    ids: Annotated[
        list[Annotated[str, Meta(max_length=LONGEST)]],
        Meta(min_length=1, max_length=1000, description="Trash ids, from remove_worktree."),
    ]
    repo: Repo = ""


@tool(RestoreWorktree, RestoredWorktrees, ADDS)
async def restore_worktree(call: Call, given: RestoreWorktree) -> RestoredWorktrees:
    """Bring worktrees back from the trash, with their branches and tasks."""
    from ctui.client.worktrees.worktree_restore import restore_worktrees

    return await restore_worktrees(call.paths, call.repository(given.repo).common_dir, given.ids)


def _delete_branch(call: Call, wanted: bool | None) -> bool:
    if wanted is not None:
        return wanted
    from ctui.config import load_config

    return load_config(call.paths).worktrees.delete_branch


TOOLS: tuple[Tool, ...] = (
    create_worktree,
    list_worktree,
    remove_worktree,
    clean_worktree,
    check_worktree_status,
    restore_worktree,
)
