"""Work of a review: read by git and kept in the store, in a thread that no picture waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from textual.app import App

from ctui.client.client import Client
from ctui.client.review import reviewing
from ctui.client.review.files import turns_of
from ctui.client.review.reviewing import Lines, PlacedThread, Review, Reviewed
from ctui.client.review.sending import Sent, send_comments
from ctui.config import load_config
from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from ctui.tasks.turn import Turn
from ctui.tui.review.file_diff import FileDiff, coloured, file_diff
from ctui.tui.support.worker_loop import WorkerLoop
from ctui.worktrees.review.comparison import ChangedFile, patches
from ctui.worktrees.review.hunks import Patch
from ctui.worktrees.review.scopes import ListedCommit, Scope, commits

T = TypeVar("T")


class ReviewActions:
    """Requests of one worktree's review to git and to the store."""

    def __init__(
        self, app: App[Any], worker_loop: WorkerLoop, paths: Paths, git_dir: Path, worktree: str
    ) -> None:
        """Prepare actions of which none has begun.

        Args:
            app: whose screen it is.
            worker_loop: where it is done.
            paths: whose worktrees.
            git_dir: of the repository.
            worktree: path of the worktree.
        """
        self.app = app
        self.paths = paths
        self.git_dir = git_dir
        self.worktree = worktree
        self._worker_loop = worker_loop
        self._of: Reviewed | None = None

    async def open(self, scope: Scope) -> Review:
        """Compare what a scope names. Raises CtuiError."""
        return await self._there(self._open(scope))

    async def _open(self, scope: Scope) -> Review:
        repository = open_repository(self.git_dir)
        repository.judge_against(load_config(self.paths).worktrees.target, must_exist=False)
        self._of = reviewing.reviewed(self.paths, repository, self.worktree)
        return await reviewing.open_review(self.paths, self._of, scope)

    async def read(self, review: Review, files: Sequence[ChangedFile]) -> list[FileDiff]:
        """Return what changed in some files. Raises CtuiError."""

        async def work() -> list[FileDiff]:
            read = await patches(review.compared.trees, files)
            found = []
            for file in files:
                found.append(file_diff(file, read.get(file.path, Patch())))
                await asyncio.sleep(0)
            return found

        return await self._there(work())

    async def colour(self, diff: FileDiff) -> FileDiff:
        """Return it with the colours of its code."""

        async def work() -> FileDiff:
            return coloured(diff)

        return await self._there(work())

    async def commits(self) -> list[ListedCommit]:
        """Return the worktree's own commits, newest first. Raises CtuiError."""

        async def work() -> list[ListedCommit]:
            of = self._opened
            return await commits(of.repository, of.worktree)

        return await self._there(work())

    async def turns(self) -> list[Turn]:
        """Return the turns of the worktree's task, newest first. Raises CtuiError."""

        async def work() -> list[Turn]:
            return turns_of(self.paths, self._opened.worktree)

        return await self._there(work())

    async def threads(self, review: Review) -> list[PlacedThread]:
        """Return the comments as they are now. Raises CtuiError."""
        return await self._there(
            reviewing.placed_threads(self.paths, self._opened, review.compared, review.files)
        )

    async def comment(
        self, commit: str, lines: Lines | None, text: str, number: int | None
    ) -> None:
        """Keep a comment on lines, or with a number one more in that thread. Raises CtuiError."""

        async def work() -> None:
            if lines is not None:
                reviewing.comment(self.paths, self._opened, commit, lines, text)
            elif number is not None:
                reviewing.reply(self.paths, self._opened, number, text)

        await self._there(work())

    async def close_or_withdraw(self, placed: PlacedThread) -> str:
        """Take back what was not sent of a thread; else close it, or open it again.

        Returns:
            what was done, in words.
        """
        thread = placed.thread

        async def work() -> str:
            if thread.unsent:
                reviewing.withdraw(self.paths, self._opened, thread.id)
                return f"#{thread.id} is taken back"
            again = thread.resolved is not None
            reviewing.resolve(self.paths, self._opened, thread.id, resolved=not again)
            return f"#{thread.id} is {'open again' if again else 'closed'}"

        return await self._there(work())

    async def send(self) -> Sent:
        """Tell the worktree's task all comments that it was not told. Raises CtuiError."""

        async def work() -> Sent:
            async with Client(self.paths) as client:
                return await send_comments(client, self._opened)

        return await self._there(work())

    async def mark_read(self, file: ChangedFile, *, read: bool) -> None:
        async def work() -> None:
            reviewing.mark_read(self.paths, self._opened, file, read=read)

        await self._there(work())

    async def mark_looked(self) -> None:
        """Note that the person has looked at the worktree as it is."""

        async def work() -> None:
            await reviewing.mark_looked(self.paths, self._opened)

        await self._there(work())

    @property
    def _opened(self) -> Reviewed:
        if self._of is None:
            raise AssertionError("nothing was opened")
        return self._of

    def _there(self, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        return self._worker_loop.submit(work)
