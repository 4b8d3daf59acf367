"""`ctui worktree remove`, `clean`, `restore` and `trash`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ctui.cli import context
from ctui.cli.output import json_option, print_json, print_table, repo_option, warn
from ctui.cli.worktree_names import named, trash_arguments, worktree_arguments
from ctui.errors import CtuiError, InvalidInput
from ctui.text import one_line

if TYPE_CHECKING:
    from ctui.client.cleanup import Cleaner
    from ctui.worktrees.model import WorktreeStatus

dry_run_option = click.option("--dry-run", is_flag=True, help="Say what would be done, do nothing.")
branch_option = click.option(
    "--delete-branch/--keep-branch",
    default=None,
    help="Whether the branch goes too; it comes back with a restore.  "
    "[default: worktrees.delete_branch]",
)


@click.command("remove")
@worktree_arguments
@click.option("--force", is_flag=True, help="Also if it is unclean.")
@branch_option
@dry_run_option
@repo_option
@json_option
def remove(
    names: tuple[str, ...],
    repo: str,
    *,
    force: bool,
    delete_branch: bool | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Move worktrees into the trash; `restore` brings them back.

    Tasks on them leave the list too; one that works is a reason to refuse.
    """
    work = _Cleanup(repo, force=force, delete_branch=delete_branch, dry_run=dry_run)
    return asyncio.run(work.remove(list(dict.fromkeys(names)))).tell(as_json=as_json)


@click.command("clean")
@click.option("--force", is_flag=True, help="Also those that are unclean.")
@branch_option
@dry_run_option
@repo_option
@json_option
def clean(
    repo: str, *, force: bool, delete_branch: bool | None, dry_run: bool, as_json: bool
) -> int:
    """Move all worktrees that are merged or clean into the trash.

    Those that a task works in, or that are locked, stay.
    """
    work = _Cleanup(repo, force=force, delete_branch=delete_branch, dry_run=dry_run)
    return asyncio.run(work.clean()).tell(as_json=as_json)


@click.command("restore")
@trash_arguments
@repo_option
@json_option
def restore(ids: tuple[str, ...], repo: str, *, as_json: bool) -> int:
    """Bring worktrees back from the trash, exactly as they were."""
    from ctui.client.cleanup import restore_all

    git_dir = context.repository(repo).common_dir
    restored, refused = asyncio.run(restore_all(context.paths(), git_dir, list(dict.fromkeys(ids))))
    for item in restored:
        for note in item.notes:
            warn(note)
    if as_json:
        found = [
            {
                "name": item.record.name if item.record is not None else item.entry.name,
                "path": item.path,
                "branch": item.branch,
            }
            for item in restored
        ]
        failed = [{"name": name, "reason": error.message} for name, error in refused.items()]
        print_json({"restored": found, **({"refused": failed} if failed else {})})
    else:
        for item in restored:
            click.echo(f"restored {item.path}")
    for entry_id, error in refused.items():
        warn(f"ctui: {entry_id}: {error.message}" + (f" ({error.hint})" if error.hint else ""))
    return 1 if refused else 0


@click.command("trash")
@click.option("--purge", is_flag=True, help="Delete entries for good.")
@click.option("--older", "days", type=click.IntRange(0), help="With --purge: older than DAYS.")
@click.option("--all", "everything", is_flag=True, help="With --purge: all of them.")
@repo_option
@json_option
def trash(repo: str, *, purge: bool, days: int | None, everything: bool, as_json: bool) -> int:
    """List what can be restored; --purge deletes it for good."""
    from ctui.client.cleanup import open_cleaner
    from ctui.worktrees.trash.entries import damaged_records

    repository = context.repository(repo)
    if purge:
        return _purge(repository.common_dir, days=days, everything=everything, as_json=as_json)
    if days is not None or everything:
        raise InvalidInput("--older and --all go with --purge", hint="add --purge")

    async def entries() -> object:
        async with open_cleaner(context.paths(), repository.common_dir) as cleaner:
            return await cleaner.trash()

    found = asyncio.run(entries())
    assert isinstance(found, list)  # noqa: S101 - for the type checker
    if as_json:
        print_json(found)
    elif found:
        rows = [[entry.id, entry.name, entry.branch or "-", entry.path] for entry in found]
        print_table(["TRASH ID", "WORKTREE", "BRANCH", "PATH"], rows)
    for path in damaged_records(repository):
        warn(f"ctui: {path} cannot be read: what it tells of stays in the trash until you mend it")
    return 0


def _purge(git_dir: Path, *, days: int | None, everything: bool, as_json: bool) -> int:
    from ctui.git.repository import open_repository
    from ctui.worktrees.trash.purge import purge

    if days is None and not everything:
        raise InvalidInput("say what is deleted for good", hint="--older DAYS, or --all")
    older = 0.0 if days is None else days * 86_400.0
    done = asyncio.run(purge(open_repository(git_dir), older_than=older))
    if as_json:
        print_json(done._asdict())
    else:
        click.echo(f"deleted {len(done.ids)} for good, {done.freed / 2**20:.1f} MiB")
    for problem in done.problems:
        warn(f"ctui: {problem}")
    return 1 if done.problems else 0


class _Cleanup:
    """One removal of several worktrees, and what became of each."""

    def __init__(
        self, repo: str, *, force: bool, delete_branch: bool | None, dry_run: bool
    ) -> None:
        from ctui.config import load_config

        self._repository = context.repository(repo)
        self._force = force
        self._dry_run = dry_run
        if delete_branch is None:
            delete_branch = load_config(context.paths()).worktrees.delete_branch
        self._delete_branch = delete_branch
        self._removed: list[dict[str, str | None]] = []
        self._refused: list[dict[str, str]] = []

    async def remove(self, names: list[str]) -> _Cleanup:
        """Remove those that the person named."""
        from ctui.client.cleanup import open_cleaner

        async with open_cleaner(context.paths(), self._repository.common_dir) as cleaner:
            for name in names:
                try:
                    seen = await cleaner.look(named(self._repository, name).metadata)
                except CtuiError as error:
                    self._refuse(name, error)
                else:
                    await self._one(cleaner, seen)
        return self

    async def clean(self) -> _Cleanup:
        """Remove all that may be removed; the others are not worth a word."""
        from ctui.client.cleanup import open_cleaner
        from ctui.worktrees.trash.removal_checks import check_removal

        async with open_cleaner(context.paths(), self._repository.common_dir) as cleaner:
            for seen in await cleaner.all():
                try:
                    check_removal(seen, force=self._force)
                    cleaner.refuse_work(seen)
                except CtuiError:
                    continue
                await self._one(cleaner, seen)
        return self

    async def _one(self, cleaner: Cleaner, seen: WorktreeStatus) -> None:
        from ctui.worktrees.trash.removal_checks import check_removal

        try:
            if self._dry_run:
                check_removal(seen, force=self._force)
                cleaner.refuse_work(seen)
                self._removed.append({"name": seen.name, "trash_id": None})
                return
            entry = await cleaner.remove(seen, force=self._force, delete_branch=self._delete_branch)
            self._removed.append({"name": seen.name, "trash_id": entry.id})
        except CtuiError as error:
            self._refuse(seen.name, error)

    def _refuse(self, name: str, error: CtuiError) -> None:
        reason = f"{error.message} ({error.hint})" if error.hint else error.message
        self._refused.append({"name": name, "reason": reason})

    def tell(self, *, as_json: bool) -> int:
        """Print what became of each; the exit code."""
        if as_json:
            print_json({"removed": self._removed, "refused": self._refused})
            return 1 if self._refused else 0
        for item in self._removed:
            if self._dry_run:
                click.echo(f"would remove {one_line(item['name'] or '')}")
            else:
                name = one_line(item["name"] or "")
                click.echo(f"removed {name}: ctui worktree restore {item['trash_id']}")
        for refused in self._refused:
            warn(f"refused {refused['name']}: {refused['reason']}")
        return 1 if self._refused else 0
