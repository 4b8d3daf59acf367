"""The workspace on this machine: mounts into the sandbox, and imports out of it."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import stat
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any, Concatenate, ParamSpec, TypeVar

from ctui.claude.personal.collect import ManagedFile
from ctui.claude.protocol import control
from ctui.claude.protocol.fields import JsonObject
from ctui.config import Config, parse_size
from ctui.errors import CtuiError, Refused
from ctui.files import replace_file
from ctui.git.exchange.fresh_refs import refresh_refs
from ctui.git.exchange.imports import import_work
from ctui.git.exchange.private_modules import (
    create_modules,
    follow_gitlinks,
    import_modules,
    module_mounts,
    modules_fingerprint,
)
from ctui.git.private.private import PrivateRepository, create_private, open_private
from ctui.git.process.caller import working_for
from ctui.git.process.command import run_git
from ctui.git.process.process import to_the_end
from ctui.git.repository.repository import Repository, open_repository
from ctui.git.submodules.submodules import module_dirs
from ctui.paths import ATTACHED, MANAGED, Paths
from ctui.rmtree import erase_folder
from ctui.sandbox.spec import Mount
from ctui.tasks import attachments
from ctui.tasks.disk_usage import Usage, measure
from ctui.tasks.mailbox.ports import Provided
from ctui.tasks.model import ImportedRef, Message, Task, WorkState
from ctui.tasks.snapshots import snapshots_of, take_of_turn
from ctui.tasks.store import Store
from ctui.tasks.trust import is_trusted
from ctui.tasks.turn import TurnFiles
from ctui.text import one_line
from ctui.worktrees.identity import text_of
from ctui.worktrees.owner import task_owner
from ctui.worktrees.snapshots.prune import prune
from ctui.worktrees.snapshots.repository import SnapshotRepository

log = logging.getLogger(__name__)

Rest = ParamSpec("Rest")
T = TypeVar("T")

_FILE_LIMIT = 1 << 20
_ERROR_WIDTH = 200
_PRUNE_SECONDS = 30.0
"""A message may wait for the snapshot before it."""


def _for_the_person(
    method: Callable[Concatenate[LocalWorkspace, Task, Rest], Awaitable[T]],
) -> Callable[Concatenate[LocalWorkspace, Task, Rest], Coroutine[Any, Any, T]]:
    """Let a method's git processes have the environment of the task's last command."""

    async def wrapped(
        self: LocalWorkspace, task: Task, /, *args: Rest.args, **kwargs: Rest.kwargs
    ) -> T:
        with working_for(self.shell_of(task.id)):
            return await method(self, task, *args, **kwargs)

    return wrapped


class LocalWorkspace:
    """Worktrees of this machine, each with the private git directory of its task."""

    def __init__(
        self,
        paths: Paths,
        store: Store,
        shell: Callable[[str], Mapping[str, str]] | None = None,
        config: Callable[[], Config] = Config,
    ) -> None:
        """Begin with no task.

        Args:
            paths: whose tasks.
            store: of these tasks.
            shell: returns what a task's last command brought of its shell (`git.caller`).
            config: returns the settings as they are now.
        """
        self.shell_of = shell or (lambda _task: {})
        self._paths, self._config = paths, config
        self._store = store
        self._fingerprints: dict[str, str] = {}
        """Fingerprint of each task's refs at their last import."""
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._measuring = asyncio.Lock()

    @_for_the_person
    async def provide(self, task: Task, managed: Mapping[str, ManagedFile]) -> Provided:
        """Make ready what a run needs; see `Workspace`."""
        repository = await asyncio.to_thread(_opened, task)
        worktree = Path(task.worktree)
        if not worktree.is_dir():
            raise _gone(task)
        owner = task_owner(worktree)
        private = await self._private(repository, task, owner)
        await self.refresh(task)
        mounts = [
            Mount(str(source), str(target), read_only)
            for source, target, read_only in (
                *private.mounts(worktree),
                *module_mounts(private, worktree),
            )
        ]
        folder = self._paths.task(task.id) / "managed"
        await asyncio.to_thread(_write_managed, folder, managed)
        mounts.append(Mount(str(folder), MANAGED, read_only=True))
        mounts.append(Mount(str(attachments.make_folder(self._paths, task.id)), ATTACHED, True))
        directory = _directory(worktree, task.directory)
        return Provided(tuple(mounts), *owner, directory, private.isolated)

    async def attach(self, task_id: str, text: str, staged: str) -> tuple[str, str]:
        """Give a task the files of a call; see `Workspace`."""
        return await asyncio.to_thread(_attach, self._paths, task_id, text, staged)

    def media(self, task: Task, message: Message) -> Sequence[JsonObject]:
        """Return the images and documents that came with a message."""
        folder = attachments.folder_of(self._paths, task.id)
        return attachments.blocks(folder, message.attached.splitlines())

    @_for_the_person
    async def is_trusted(self, task: Task) -> bool:
        """Return True where the repository's own Claude settings count in the task's runs."""
        repository = await asyncio.to_thread(open_repository, Path(task.repository))
        return await is_trusted(self._store, repository, task)

    @_for_the_person
    async def base_file(self, task: Task, path: str) -> str:
        """Return what the person committed, and not what the task wrote."""
        if task.base is None:
            return ""
        try:
            repository = await asyncio.to_thread(open_repository, Path(task.repository))
            output = await run_git(
                ["cat-file", "blob", f"{task.base}:{path}"],
                git_dir=repository.common_dir,
                check=False,
            )
        except CtuiError:
            return ""
        if output.exit_code or len(output.stdout) > _FILE_LIMIT:
            return ""
        return output.stdout.decode("utf-8", "replace")

    @_for_the_person
    async def collect(self, task: Task) -> WorkState | None:
        """Import what is new; at most one import of a task at a time."""
        if not (self._paths.task(task.id) / "git").is_dir():
            return None
        async with self._turns[task.id]:
            try:
                repository = await asyncio.to_thread(open_repository, Path(task.repository))
                private = open_private(repository, self._paths.task(task.id), _metadata(task))
                current = await asyncio.to_thread(_fingerprint, private)
                if current == self._fingerprints.get(task.id):
                    return None
                work = await _import(private, task)
            except CtuiError as error:
                return WorkState(problem=f"its commits cannot be imported: {error.message}")
            except OSError as error:
                return WorkState(problem=f"its commits cannot be imported: {error.strerror}")
            except Exception as error:
                # The directory is hostile: what was not thought of must not stand in the way of
                # the task's end.
                log.warning("the commits of %s cannot be imported", task.id, exc_info=True)
                what = one_line(repr(error), _ERROR_WIDTH)
                return WorkState(problem=f"its commits cannot be imported: {what}")
            # What changed meanwhile is found the next time; what failed is tried again.
            self._fingerprints[task.id] = "" if work.problem else current
            return work

    @_for_the_person
    async def snapshot(self, task: Task, turn: int, *, at_end: bool) -> TurnFiles:
        """Keep the files of a task; see `Workspace`."""
        repository = await asyncio.to_thread(_opened, task)
        taken = snapshots_of(self._paths, repository, task)
        files = await take_of_turn(taken, turn, at_end=at_end)
        if at_end:
            await self._make_room(taken)
        return files

    async def _make_room(self, snapshots: SnapshotRepository) -> None:
        """Delete snapshots as the settings say. What was just kept is kept, whatever fails here."""
        tasks = self._config().tasks
        days, limit = tasks.snapshot_days, parse_size(tasks.snapshots)
        try:
            async with asyncio.timeout(_PRUNE_SECONDS):
                await prune(snapshots, days=days, limit=limit)
        except (CtuiError, OSError):  # also out of time; the next turn tries it again
            log.warning("%s has snapshots that should go", snapshots.folder, exc_info=True)

    async def refresh(self, task: Task) -> None:
        """Let the refs that the task did not move follow the repository's.

        Nothing of it stands in the way of a turn: the directory is hostile, and old refs are what
        the task had before.
        """
        folder = self._paths.task(task.id)
        if not (folder / "git").is_dir():
            return
        async with self._turns[task.id]:
            try:
                repository = await asyncio.to_thread(open_repository, Path(task.repository))
                private = open_private(repository, folder, _metadata(task))
                owner = task_owner(Path(task.worktree))
                await to_the_end(asyncio.to_thread(refresh_refs, private, task.branch, owner))
            except Exception:  # see above
                log.warning("the refs of %s stay as they are", task.id, exc_info=True)

    async def trouble(self, task: Task) -> str:
        """Return what is wrong with the folders beside a run, or ""."""
        return await asyncio.to_thread(_trouble, self._paths.task(task.id), task)

    async def discard(self, task: Task) -> None:
        """Delete the task's journal and private repository."""
        self._fingerprints.pop(task.id, None)
        self._turns.pop(task.id, None)
        await asyncio.to_thread(erase_folder, self._paths.task(task.id))

    async def usage(self, task: Task, files: int) -> Usage:
        """Measure the worktree and the private git directory; one task at a time."""
        folder = self._paths.task(task.id)
        roots = (Path(task.worktree), folder / "git", folder / "modules")
        tracked = await asyncio.to_thread(_tracked, task)
        async with self._measuring:
            found = await asyncio.to_thread(measure, *roots, entries=2 * (tracked + files) + 2)
        return found._replace(files=max(0, found.files - tracked))

    async def free_space(self, task: Task) -> tuple[int, str]:
        """Look at the disks of the worktree and of ctui's own folder."""
        return await asyncio.to_thread(_least_free, Path(task.worktree), self._paths.state)

    async def _private(
        self, repository: Repository, task: Task, owner: tuple[int, int]
    ) -> PrivateRepository:
        folder = self._paths.task(task.id)
        if (folder / "git").is_dir():
            private = open_private(repository, folder, _metadata(task))
            await asyncio.to_thread(private.refresh)
            return private
        isolated = task.options.isolated
        private = open_private(repository, folder, _metadata(task))
        await create_modules(private, Path(task.worktree), owner, isolated=isolated)
        # The worktree's own comes last: where it is there, all of them are.
        return await create_private(
            repository,
            _metadata(task),
            folder,
            task.branch,
            task.base,
            owner,
            isolated=isolated,
            filters=task.options.filters,
        )


def _opened(task: Task) -> Repository:
    place = Path(task.repository)
    if not place.exists():
        raise Refused(
            f"the repository {place} is gone",
            hint=f"move it back, or `ctui task remove {task.id}` takes the task off the list",
        )
    return open_repository(place)


def _gone(task: Task) -> Refused:
    """Return what is to be said of a worktree that is not where it was made."""
    there = Path(text_of(Path(task.metadata) / "gitdir")).parent if task.metadata else None
    if there is not None and there.is_absolute() and there.is_dir():
        back = f"git -C {task.repository} worktree move {there} {task.worktree}"
        return Refused(f"the worktree {task.worktree} was moved to {there}", hint=back)
    return Refused(
        f"the worktree {task.worktree} is gone",
        hint=f"put it back, or `ctui task remove {task.id}` takes the task off the list",
    )


def _directory(worktree: Path, directory: str) -> str:
    """Return the folder that a task starts in, or "" where there is none of that name any more.

    Whatever is in a worktree, a task can have changed: a link leads nowhere.
    """
    here = worktree
    for part in PurePosixPath(directory).parts:
        here /= part
        if part in {"/", ".."} or not stat.S_ISDIR(_mode(here)):
            return ""
    return directory


def _mode(path: Path) -> int:
    try:
        return path.lstat().st_mode
    except (OSError, ValueError):
        return 0


def _tracked(task: Task) -> int:
    """Return how many files the person's indexes of the worktree have; a task cannot write them.

    Those of its submodules count as well.
    """
    folder = Path(task.metadata) if task.metadata else Path(task.repository)
    return sum(_entries(folder / inside) for inside in (".", *module_dirs(folder)))


def _entries(folder: Path) -> int:
    try:
        with (folder / "index").open("rb") as file:
            head = file.read(12)
    except OSError:
        return 0
    return int.from_bytes(head[8:], "big") if head[:4] == b"DIRC" and len(head) == 12 else 0


def _least_free(*folders: Path) -> tuple[int, str]:
    found = []
    for folder in folders:
        with suppress(FileNotFoundError):
            found.append((shutil.disk_usage(folder).free, str(folder)))
    return min(found)


def _write_managed(folder: Path, managed: Mapping[str, ManagedFile]) -> None:
    """Write the settings that bind a run; everybody may read them, and only the person change."""
    folder.mkdir(parents=True, exist_ok=True)
    for inner in {parent for name in managed for parent in (folder / name).parents}:
        if inner.is_relative_to(folder):
            inner.mkdir(parents=True, exist_ok=True)
    for name, file in managed.items():
        replace_file(folder / name, file.content, mode=file.mode, sync="/" not in name)
    for path, folders, files in os.walk(folder, topdown=False):
        here = Path(path)
        for name in files:
            if str((here / name).relative_to(folder)) not in managed:
                (here / name).unlink()
        for name in folders:
            with suppress(OSError):  # there is something in it
                (here / name).rmdir()
        here.chmod(0o755)


def _attach(paths: Paths, task_id: str, text: str, staged: str) -> tuple[str, str]:
    names = attachments.take(paths, task_id, staged)
    folder = attachments.folder_of(paths, task_id)
    said = attachments.with_note(text, folder, names)
    # A line that is too long would end the run that it is said in.
    control.user_message(said, task_id, attachments.blocks(folder, names))
    return said, "\n".join(names)


def _metadata(task: Task) -> Path | None:
    return Path(task.metadata) if task.metadata else None


async def _import(private: PrivateRepository, task: Task) -> WorkState:
    # What a commit of the worktree names in a submodule must be there before it.
    inside = await import_modules(private, task.id)
    result = await import_work(private, task.id, task.branch, task.base)
    await follow_gitlinks(private)
    return WorkState(
        branch=result.branch,
        reason=result.reason,
        refs=tuple(ImportedRef(ref.name, ref.commit) for ref in result.refs),
        gitlinks=result.gitlinks,
        problem="; ".join(filter(None, (result.problem, inside))),
    )


def _fingerprint(private: PrivateRepository) -> str:
    return f"{private.fingerprint()} {modules_fingerprint(private)}".strip()


def _trouble(folder: Path, task: Task) -> str:
    remove = f"`ctui task remove --force {task.id}` takes the task off the list"
    worktree = Path(task.worktree)
    if not worktree.is_dir():
        return f"the worktree {worktree} is gone: put it back, or {remove}"
    if not (folder / "git" / "HEAD").is_file():
        return f"the task's git directory is damaged: {remove}, the branch stays"
    if task.metadata and not (worktree / ".git").is_file():
        repair = f"git -C {task.repository} worktree repair"
        return f"the link {worktree / '.git'} is gone: `{repair}` mends it, or {remove}"
    return ""
