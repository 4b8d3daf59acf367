"""Update of a worktree by hand: its branch, its files, and the git directories of its tasks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ctui.client.client import Client
from ctui.client.tasks.landing import hand_over, landable
from ctui.client.worktrees.worktrees import open_store, records
from ctui.config import load_config
from ctui.errors import Conflict, NotFound, Refused
from ctui.git.exchange.follow_host import Move, following
from ctui.git.private.private import open_private
from ctui.git.repository.repository import Repository, open_repository
from ctui.paths import Paths
from ctui.tasks.model import Task, TaskState
from ctui.text import one_line
from ctui.worktrees.as_stored import Checkout as FilesAsStored
from ctui.worktrees.as_stored import Say
from ctui.worktrees.known import KnownWorktree, find_worktree, known_worktrees
from ctui.worktrees.landing.commit_diff import commit_diff
from ctui.worktrees.landing.merge_plan import MergeConflict
from ctui.worktrees.landing.update import Updated, UpdateMethod, carry_out, plan_update
from ctui.worktrees.owner import task_owner


async def update_worktree(
    paths: Paths,
    repository: Repository,
    worktree: KnownWorktree,
    *,
    method: UpdateMethod = "merge",
    dry_run: bool = False,
    say: Say = lambda _: None,
) -> Updated:
    """Bring what is new in the target into a worktree's branch and files.

    The git directory of an idle or ended task follows, so that the task goes on from there.

    Args:
        paths: whose tasks.
        repository: of the worktree.
        worktree: opened by its metadata.
        method: a merge commit, or the branch's commits replayed on the target.
        dry_run: compute it, and move nothing.
        say: told what the person should know of filters that are new in it.

    Raises:
        MergeConflict: with the files, and a message for the task. Nothing was moved.
        Refused: a task works in it, there is uncommitted work, or a task has the branch elsewhere.
        Conflict: somebody else is at work there.
    """
    checkout = landable(paths, repository, worktree)
    plan = await plan_update(repository, checkout, method=method, dry_run=dry_run)
    if dry_run or not plan.moves:
        return plan.updated
    done = plan.updated
    with _followed(paths, repository, worktree, Move(done.branch, done.before, done.after)):
        if any(task.works for task in _tasks(paths, worktree)):
            raise Conflict("a task has begun to work there", hint="try again after its turn")
        await carry_out(repository, checkout, plan)
    changes = await commit_diff(repository.common_dir, done.before, done.after)
    written = [change.path for change in changes if change.new]
    await FilesAsStored(repository, *checkout, say).keep_as_stored(done.after, written)
    return done


def update_text(done: Updated) -> str:
    """Return what an update did, in a sentence."""
    if done.method == "none":
        return f"{done.branch} has everything of {done.target}"
    how = f"by {done.method}: {done.before[:10]} -> {done.after[:10]}"
    return f"brought {new_commits(done)} into {done.branch} {how}"


def new_commits(done: Updated) -> str:
    """Return how much an update brings, such as `2 commits of main`."""
    return f"{done.commits} commit{'' if done.commits == 1 else 's'} of {done.target}"


async def update_or_tell(paths: Paths, git_dir: Path, path: str) -> str:
    """Update the worktree at a path, or let its idle task resolve what conflicts; say which.

    Raises:
        MergeConflict: nobody is there to resolve it.
        CtuiError: as `update_worktree`.
    """
    repository = open_repository(git_dir)
    repository.judge_against(load_config(paths).worktrees.target, must_exist=False)
    worktree = find_worktree(known_worktrees(repository, records(paths, repository)), path)
    try:
        return update_text(await update_worktree(paths, repository, worktree))
    except MergeConflict as conflict:
        if not waits(paths, worktree):
            raise
        async with Client(paths) as client:
            told = await tell_task(client, worktree, conflict)
        return f"{conflict.message}: {told.id} was told to resolve it"


async def tell_task(client: Client, worktree: KnownWorktree, conflict: MergeConflict) -> Task:
    """Tell a worktree's newest task what conflicts, so that it resolves it. Raises as `hand_over`.

    Its refs are fresh when the turn begins, so that it has the commit that it is told of.
    """
    return await hand_over(client, worktree.path, conflict.for_task)


def waits(paths: Paths, worktree: KnownWorktree) -> bool:
    """Return True if the worktree's newest task is idle, and would resolve a conflict at once."""
    tasks = _tasks(paths, worktree)
    return bool(tasks) and tasks[-1].state is TaskState.IDLE


@contextmanager
def _followed(
    paths: Paths, repository: Repository, worktree: KnownWorktree, move: Move
) -> Iterator[None]:
    """Let the git directories of the worktree's tasks follow a move.

    Those of earlier tasks follow if they can: nobody may ever go on with them.
    """
    tasks = [task for task in _tasks(paths, worktree) if (paths.task(task.id) / "git").is_dir()]
    with ExitStack() as stack:
        owner = task_owner(worktree.path) if tasks else (0, 0)
        for number, task in enumerate(reversed(tasks)):
            metadata = Path(task.metadata) if task.metadata else None
            private = open_private(repository, paths.task(task.id), metadata)
            entering = following(private, move, owner)
            if number == 0:
                try:
                    stack.enter_context(entering)
                except Refused as error:
                    name = one_line(task.id)
                    raise Refused(f"{name}: {error.message}", hint=error.hint) from error
            else:
                with suppress(Refused, Conflict):
                    stack.enter_context(entering)
        yield


def _tasks(paths: Paths, worktree: KnownWorktree) -> list[Task]:
    try:
        with open_store(paths) as store:
            return list(store.tasks.list(worktree=str(worktree.path)))
    except NotFound:
        return []
