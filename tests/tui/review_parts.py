"""A review of a text: it is the name of a file, its content, and all that was said of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from ctui.client.landing.wish import Outlook, conflicting
from ctui.client.review.reviewing import PlacedThread, Review, Reviewed, by_path
from ctui.git.repository.repository import Repository
from ctui.tasks.threads import Remark, Thread
from ctui.tasks.turn import Turn
from ctui.text import one_line
from ctui.tui.review.comment_box import CommentBox
from ctui.tui.review.diff_view import DiffView
from ctui.tui.review.file_diff import coloured, file_diff, shown_path
from ctui.tui.review.file_list import FileList, Noted
from ctui.tui.review.review_content import Facts, title
from ctui.worktrees.known import KnownWorktree
from ctui.worktrees.landing.merge_plan import ConflictedFile, MergeConflict
from ctui.worktrees.model import WorktreeRecord
from ctui.worktrees.review.anchors import Anchor
from ctui.worktrees.review.comparison import ChangedFile, Trees
from ctui.worktrees.review.hunks import Hunk, HunkLine, Patch
from ctui.worktrees.review.scopes import Compared, ListedCommit, Scope, _listed


def changed_file(path: bytes, lines: int = 2) -> ChangedFile:
    """A file in which so many lines were added."""
    mode = "100644"
    return ChangedFile(path, path, "modified", mode, mode, "1" * 40, "2" * 40, lines, 1)


def patch_of(text: str) -> Patch:
    """A text that was there, with another one beside it now."""
    lines = [line.encode("utf-8", "replace") for line in text.split("\n")]
    changed = [
        *(HunkLine(" ", line) for line in lines),
        *(HunkLine("-", line + b" old") for line in lines),
        *(HunkLine("+", line + b" new") for line in lines),
    ]
    return Patch((Hunk(1, 1, lines[0], changed),))


def thread_on(name: str, text: str, state: str = "here") -> PlacedThread:
    """A comment with an answer, both of which say the text."""
    said = (Remark(1, "person", "", text, 1, 2), Remark(2, "task", text, text, 3))
    thread = Thread(1, "/w", name, "new", 1, (text,), "c" * 40, 1, remarks=said)
    return PlacedThread(thread, Anchor("gone" if state == "gone" else "here", 1), name)


async def turns_of(text: str) -> Sequence[Turn]:
    """A turn that was told the text."""
    return [Turn(task="a", turn=1, run=1, prompt=text, snapshot="s")]


async def outlook_of(text: str) -> Outlook:
    """A landing in which a file of that name conflicts, as it is looked at."""
    conflict = MergeConflict(text, files=[ConflictedFile(text, text)], for_task=text)
    return conflicting(conflict)


async def commits_of(text: str) -> Sequence[ListedCommit]:
    """A commit whose author and subject are the text, as git prints it."""
    data = f"{'a' * 40}\n1\n{text.splitlines()[0]}\n{text}"
    return [_listed(data.encode("utf-8", "replace"))]


class ReviewOf(ModalScreen[None]):
    """All of a review's widgets with one text in them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.shown = asyncio.Event()
        self._text = text
        path = text.replace("\x00", "").encode("utf-8", "replace")
        self._file = changed_file(path[:4000] + b".py")
        threads = [thread_on(self._file.name, text), thread_on(self._file.name, text, "gone")]
        record = WorktreeRecord(
            name=text,
            path="/w",
            repository="/r/.git",
            metadata="/r/.git/worktrees/w",
            device=1,
            inode=1,
            branch=text,
            base=None,
            created=0,
        )
        worktree = KnownWorktree(text, Path(record.metadata), Path("/w"), text, record)
        reviewed = Reviewed(Repository(Path("/r/.git"), None), worktree, record)
        found = Compared(Trees(Path("/r/.git"), "1" * 40, "2" * 40), one_line(text), "2" * 40)
        self._review = Review(reviewed, Scope(), found, [self._file], threads, frozenset())

    def compose(self) -> ComposeResult:
        facts = Facts(read=1, unsent=1, uncommitted=1, moved=True)
        yield Static(title(one_line(self._text, 60), self._review, facts))
        yield FileList(lambda _: Noted(read=True, comments=2))
        yield CommentBox()
        yield DiffView()

    def on_mount(self) -> None:
        self.query_one(FileList).styles.height = 3
        self.query_one(FileList).show(self._review.files)
        self.query_one(CommentBox).open(Content(shown_path(self._file.path)))
        self.query_one(DiffView).styles.height = 30
        self.call_after_refresh(self._show)

    def _show(self) -> None:
        view = self.query_one(DiffView)
        view.window.show(self._review.files, by_path(self._review.threads), ())
        with view.changing():
            view.window.take(0, coloured(file_diff(self._file, patch_of(self._text[:100_000]))))
        view.begin()
        view.stand_on_change()
        self.call_after_refresh(self._split)

    def _split(self) -> None:
        view = self.query_one(DiffView)
        view.wanted_split = True
        view.restyle()
        self.call_after_refresh(self.call_after_refresh, self.shown.set)
