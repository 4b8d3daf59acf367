"""Observation of worktrees with few watches: metadata always, files only where somebody looks.

A worktree of 5,000 files has 2,300 folders, and all programs of a user share their watches. So the
folders of a worktree are watched one by one, within a budget, and only in the few worktrees that
somebody looks at or a task works in. Git's own folders tell of every commit, staging and ref in all
of them. The next poll finds what no watch reports.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from pathlib import Path

from ctui.errors import CtuiError
from ctui.git.process.command import run_git

_DEBOUNCE_MS = 100
_STEP_MS = {True: 50, False: 20}
"""Milliseconds between two reads of the kernel's events: recursive in git's own folders, flat in
folders whose files somebody looks at."""

_SHARE = 5
"""A fifth of the user's watches is taken at most: editors and build tools need theirs."""

_MOST = 20_000
_FEWEST = 1_000
_LIMIT = Path("/proc/sys/fs/inotify/max_user_watches")

_QUIET = (".lock", ".tmp", "gc.pid", "ctui-worktrees.lock")
_SHARED = frozenset({"packed-refs", "HEAD", "config", "FETCH_HEAD", "worktrees"})
"""Names directly in the repository's git directory that matter."""


class WorktreeWatch:
    """Watcher of one repository. `changed` gets a worktree's metadata folder, or None for all."""

    def __init__(self, common_dir: Path, changed: Callable[[Path | None], None]) -> None:
        """Prepare a watcher that watches nothing yet.

        Args:
            common_dir: the main repository's git directory.
            changed: called in the loop that `run` runs in; it must return at once.
        """
        self._common_dir = common_dir
        self._changed = changed
        self._focus: dict[Path, Path] = {}
        self._refocus = asyncio.Event()

    def focus(self, worktrees: dict[Path, Path]) -> None:
        """Watch the files of these: metadata folder -> path; the first ones get the budget."""
        if list(worktrees.items()) != list(self._focus.items()):
            self._focus = dict(worktrees)
            self._refocus.set()

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_metadata())
            group.create_task(self._watch_files())

    # -- git's own folders

    async def _watch_metadata(self) -> None:
        while True:
            folders = [self._common_dir / name for name in ("worktrees", "refs", "ctui-trash")]
            deep = [folder for folder in folders if folder.is_dir()]
            stop = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                # A folder was added or removed: set up all watches again.
                group.create_task(self._watch_top(stop))
                group.create_task(self._watch_deep(deep, stop))

    async def _watch_top(self, stop: asyncio.Event) -> None:
        async for paths in _changes([self._common_dir], stop, recursive=False):
            names = {path.name for path in paths if path.parent == self._common_dir}
            if names & _SHARED:
                self._changed(None)
            if names & {"worktrees", "ctui-trash"}:
                stop.set()

    async def _watch_deep(self, folders: Sequence[Path], stop: asyncio.Event) -> None:
        worktrees = self._common_dir / "worktrees"
        async for paths in _changes(folders, stop, recursive=True):
            for metadata in {self._owner(path, worktrees) for path in paths}:
                self._changed(metadata)
        await stop.wait()

    @staticmethod
    def _owner(path: Path, worktrees: Path) -> Path | None:
        """Return the worktree of a path in the git directory, or None for all of them."""
        if worktrees in path.parents and path.parent != worktrees:
            return worktrees / path.relative_to(worktrees).parts[0]
        return None

    # -- files

    async def _watch_files(self) -> None:
        while True:
            self._refocus.clear()
            stop = self._refocus
            owners: dict[Path, Path] = {}
            for metadata, path in self._focus.items():
                room = budget() - len(owners)
                folders = await tracked_folders(metadata, path) if room > 0 else []
                owners.update(dict.fromkeys(folders[:room], metadata))
            async for paths in _changes(list(owners), stop, recursive=False):
                for metadata in {owners[path.parent] for path in paths if path.parent in owners}:
                    self._changed(metadata)
            await stop.wait()


async def tracked_folders(metadata: Path, path: Path) -> list[Path]:
    """Return the folders of a worktree that have files of its index, the nearest to its root first.

    No link is followed, because git never has a file behind one.
    """
    try:
        listed = await run_git(["ls-files", "-z"], git_dir=metadata, nice=True)
    except CtuiError:
        return []
    names: set[bytes] = set()
    for name in listed.stdout.split(b"\0"):
        folder = name.rpartition(b"/")[0]
        while folder and folder not in names:
            names.add(folder)
            folder = folder.rpartition(b"/")[0]
    ordered = sorted(names, key=lambda name: (name.count(b"/"), name))
    found = [path, *(path / name.decode("utf-8", "surrogateescape") for name in ordered)]
    return [folder for folder in found if _plain_folder(folder)]


def budget() -> int:
    """Return the number of worktree folders that may be watched."""
    try:
        limit = int(_LIMIT.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return _FEWEST
    return min(limit // _SHARE, _MOST)


async def _changes(
    folders: Sequence[Path], stop: asyncio.Event, *, recursive: bool
) -> AsyncIterator[set[Path]]:
    """Yield paths that changed, until `stop`. Ends at once if they cannot be watched."""
    from watchfiles import awatch

    if not folders:
        return
    seen = awatch(
        *folders,
        watch_filter=lambda _, path: not path.endswith(_QUIET),
        debounce=_DEBOUNCE_MS,
        step=_STEP_MS[recursive],
        stop_event=stop,
        recursive=recursive,
        ignore_permission_denied=True,
    )
    # Watches ran out, or a folder was removed: the next poll finds what changed. Another kind of
    # error says that there is no watcher left, which any process of this uid can bring about.
    with suppress(OSError, RuntimeError):
        async for changes in seen:
            yield {Path(path) for _, path in changes}


def _plain_folder(folder: Path) -> bool:
    return folder.is_dir() and not folder.is_symlink()
