"""Landing as a front end asks for it: what would happen, and then that it happens."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path
from typing import NamedTuple

from ctui.client.client import Client
from ctui.client.landing.checked import CheckedLanding, Listener, Wanted
from ctui.client.tasks.landing import hand_over, landable
from ctui.client.worktrees.worktrees import as_stored, records
from ctui.config import Config, load_config
from ctui.errors import Conflict, CtuiError, Refused
from ctui.git.repository.repository import Repository, open_repository
from ctui.paths import Paths
from ctui.tasks.model import Task
from ctui.text import one_line
from ctui.worktrees.identity import head_of
from ctui.worktrees.known import KnownWorktree, find_worktree, known_worktrees
from ctui.worktrees.landing.checkouts import Checkout
from ctui.worktrees.landing.commit import commit_all, uncommitted
from ctui.worktrees.landing.commit_diff import commit_diff, shown
from ctui.worktrees.landing.land import Landed, LandingOptions, Prepared, land, prepare
from ctui.worktrees.landing.landing_commit import Method
from ctui.worktrees.landing.merge_plan import MergeConflict

_NAMED = 200
_CHECK_WIDTH = 200
_COMMIT = "Commit all of your changes, with a message that says what they are for."


class LandingWish(NamedTuple):
    """A worktree's landing as the person wants it."""

    path: str
    method: Method = "merge"
    target: str = ""
    """Branch; "" is the one that worktrees are judged against."""
    message: str = ""
    """Of the merge or squash commit; "" is made from the commits."""
    commit: str = ""
    """Message by which what is uncommitted is committed first; "" commits nothing."""
    check: bool = True
    """Run the check that the person's settings name, if they name one."""
    seen: str = ""
    """Commit of the worktree that the person was told of; "" lands whatever it is at."""


class Outlook(NamedTuple):
    """Consequences of a landing; all texts are sanitised."""

    target: str = ""
    commits: int = 0
    files: int = 0
    uncommitted: tuple[str, ...] = ()
    """Files that no commit has."""
    conflicts: tuple[str, ...] = ()
    """Files, and in which way each conflicts."""
    check: str = ""
    """Command that it must pass first; "" if the person has named none."""
    for_task: str = ""
    """Message by which the worktree's task would put away what is in the way."""
    problem: str = ""
    """Reason why it cannot be, with what to do."""
    tip: str = ""
    """Commit that the worktree is at."""

    @property
    def possible(self) -> bool:
        return not (self.problem or self.conflicts)


async def look_at_landing(paths: Paths, git_dir: Path, wish: LandingWish) -> Outlook:
    """Compute a landing and move nothing; what is in the way is a part of the result."""
    try:
        config, repository, worktree = _opened(paths, git_dir, wish.path)
        checkout = landable(paths, repository, worktree)
        tip = head_of(repository, worktree.metadata) or ""
        if changed := (await uncommitted(checkout)).paths:
            named = tuple(shown(path) for path in changed[:_NAMED])
            found = _uncommitted(paths, repository, worktree, named)
            return found._replace(check=one_line(config.landing.check, _CHECK_WIDTH), tip=tip)
        landed = await _land(paths, config, repository, checkout, wish, dry_run=True)
        changes = await commit_diff(repository.common_dir, landed.before, landed.after)
        check = one_line(config.landing.check, _CHECK_WIDTH)
        return Outlook(one_line(landed.target), landed.commits, len(changes), check=check, tip=tip)
    except MergeConflict as conflict:
        return conflicting(conflict)
    except CtuiError as error:
        return Outlook(problem=one_line(error.one_line(), 400))


def _uncommitted(
    paths: Paths, repository: Repository, worktree: KnownWorktree, files: tuple[str, ...]
) -> Outlook:
    """Return the outlook of files that are not committed: by the person, or else by the task."""
    try:
        landable(paths, repository, worktree, to_commit=True)
    except Refused as error:
        return Outlook(uncommitted=files, problem=one_line(error.message), for_task=_COMMIT)
    return Outlook(uncommitted=files)


def conflicting(conflict: MergeConflict) -> Outlook:
    """Return the outlook of what conflicts."""
    files = tuple(one_line(f"{one.path}: {one.kind}", 200) for one in conflict.files)
    return Outlook(conflicts=files or (one_line(conflict.message),), for_task=conflict.for_task)


async def land_worktree(
    paths: Paths, git_dir: Path, wish: LandingWish, listener: Listener
) -> Landed:
    """Land a worktree, after committing what is uncommitted and checking it, if that was said.

    Raises:
        Conflict: it has other commits than the person was told of.
        CtuiError: see `landable`, `commit_all`, `land` and `CheckedLanding.land`.
    """
    config, repository, worktree = _opened(paths, git_dir, wish.path)
    checkout = landable(paths, repository, worktree, to_commit=bool(wish.commit))
    if wish.seen and wish.seen != head_of(repository, worktree.metadata):
        raise Conflict("it has other commits by now", hint="look at them, then land it")
    if wish.commit:
        await commit_all(checkout, wish.commit, run_filters=config.git.filter_names)
    if wish.check and config.landing.check:

        def computed() -> Awaitable[Prepared]:
            again = landable(paths, repository, worktree)
            return prepare(repository, again, **_options(paths, config, repository, wish))

        wanted = Wanted(checkout.work_tree, wish.target or None, computed)
        landed, _ = await CheckedLanding(paths, config, repository, listener).land(wanted)
    else:
        landed = await _land(paths, config, repository, checkout, wish, dry_run=False)
    from ctui.client.tasks.rebuild import rebuild_in_background

    rebuild_in_background(paths, repository)
    return landed


def landed_text(landed: Landed) -> str:
    """Return what a landing did, in a sentence."""
    count = f"{landed.commits} commit{'' if landed.commits == 1 else 's'}"
    moved = f"{landed.before[:10]} -> {landed.after[:10]}"
    return f"landed {count} in {one_line(landed.target)}: {moved}"


async def tell_of_conflict(paths: Paths, path: str, message: str) -> Task:
    """Let the worktree's newest task put away what is in the way. Raises as `hand_over`."""
    async with Client(paths) as client:
        return await hand_over(client, Path(path), message)


def _opened(paths: Paths, git_dir: Path, path: str) -> tuple[Config, Repository, KnownWorktree]:
    config, repository = load_config(paths), open_repository(git_dir)
    repository.judge_against(config.worktrees.target, must_exist=False)
    worktree = find_worktree(known_worktrees(repository, records(paths, repository)), path)
    return config, repository, worktree


async def _land(
    paths: Paths,
    config: Config,
    repository: Repository,
    checkout: Checkout,
    wish: LandingWish,
    *,
    dry_run: bool,
) -> Landed:
    options = _options(paths, config, repository, wish)
    return await land(repository, checkout, **options, dry_run=dry_run)


def _options(
    paths: Paths, config: Config, repository: Repository, wish: LandingWish
) -> LandingOptions:
    """Return the options of `prepare` and `land`."""
    return {
        "method": wish.method,
        "target": wish.target or None,
        "message": wish.message,
        "run_filters": config.git.filter_names,
        "as_stored": as_stored(paths, repository),
    }
