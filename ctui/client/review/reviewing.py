"""A review of one worktree: its files, threads of comments, and what was read of it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ctui.client.review.files import WorktreeFiles
from ctui.client.worktrees.worktrees import open_index, recorded, records
from ctui.errors import InvalidInput, NotFound, Refused
from ctui.git.repository.repository import Repository
from ctui.paths import Paths
from ctui.tasks.threads import MOST_QUOTED, Side, Thread, check_remark
from ctui.text import one_line
from ctui.worktrees.known import KnownWorktree, find_worktree, known_worktrees
from ctui.worktrees.model import WorktreeRecord
from ctui.worktrees.review.anchors import Anchor, find_lines, quotable
from ctui.worktrees.review.comparison import ChangedFile, changed_files, name_of
from ctui.worktrees.review.contents import contents
from ctui.worktrees.review.scopes import Compared, Scope, compared


class Reviewed(NamedTuple):
    """A worktree that is reviewed."""

    repository: Repository
    worktree: KnownWorktree
    record: WorktreeRecord


class PlacedThread(NamedTuple):
    """A thread, and where its lines are in what is compared."""

    thread: Thread
    anchor: Anchor
    path: str
    """Its file's name now."""


class Review(NamedTuple):
    """Files of a scope, and what was said of them."""

    reviewed: Reviewed
    scope: Scope
    compared: Compared
    files: Sequence[ChangedFile]
    threads: Sequence[PlacedThread]
    read: frozenset[tuple[str, str]]
    """Path and content of each file that was read."""

    def is_read(self, file: ChangedFile) -> bool:
        """Return True if this content of the file was read."""
        return (file.name, file.content) in self.read


class Lines(NamedTuple):
    """Lines that a comment is on."""

    path: str
    side: Side
    first: int
    quote: tuple[str, ...]


def reviewed(paths: Paths, repository: Repository, name: str) -> Reviewed:
    """Return a worktree by its name, branch or path.

    Raises:
        NotFound, Conflict: there is none, or there are several.
        Refused: it is not what git's metadata says.
    """
    record = recorded(paths, repository, name)
    known = known_worktrees(repository, records(paths, repository))
    return Reviewed(repository, find_worktree(known, record.path), record)


async def open_review(paths: Paths, of: Reviewed, scope: Scope) -> Review:
    """Compare what a scope names.

    Raises:
        Refused: there is nothing to compare with.
        CtuiError: it cannot be compared.
    """
    record = of.record
    with open_index(paths) as index:
        looked = index.read_marks.looked(record.path, record.created)
        read = index.read_marks.of(record.path)
    found = await compare(paths, of, scope, looked=looked)
    files = await changed_files(found.trees)
    threads = await placed_threads(paths, of, found, files)
    return Review(of, scope, found, files, threads, frozenset(read))


async def compare(paths: Paths, of: Reviewed, scope: Scope, *, looked: str = "") -> Compared:
    """Return the trees of a scope; see `compared`."""
    files = WorktreeFiles(paths, of.repository, of.worktree)
    return await compared(of.repository, of.worktree, scope, files, looked=looked)


async def placed_threads(
    paths: Paths, of: Reviewed, found: Compared, files: Iterable[ChangedFile]
) -> list[PlacedThread]:
    """Return the worktree's threads with their places in what is compared."""
    with open_index(paths) as index:
        threads = index.threads.of(of.record.path, of.record.created)
    if not threads:
        return []
    by_name = {file.name: file for file in files}
    renamed = {name_of(file.old_path): file for file in files if file.old_path != file.path}
    wanted: dict[Side, dict[int, bytes]] = {"old": {}, "new": {}}
    names: dict[int, str] = {}
    for thread in threads:
        file = by_name.get(thread.path) or renamed.get(thread.path)
        names[thread.id] = file.name if file is not None else thread.path
        path = thread.path.encode("utf-8", "replace")
        if file is not None:
            path = file.path if thread.side == "new" else file.old_path
        wanted[thread.side][thread.id] = path
    read = {
        "old": await contents(found.trees.git_dir, found.trees.old, wanted["old"].values()),
        "new": await contents(found.trees.git_dir, found.trees.new, wanted["new"].values()),
    }
    lines: dict[tuple[Side, bytes], list[str]] = {}
    placed = []
    for thread in threads:
        key = thread.side, wanted[thread.side][thread.id]
        if key not in lines:
            lines[key] = _lines(read[thread.side].get(key[1]))
        anchor = find_lines(thread.quote, lines[key], thread.first)
        placed.append(PlacedThread(thread, anchor, names[thread.id]))
    return placed


async def lines_of(
    of: Reviewed, found: Compared, path: str, side: Side, first: int, last: int
) -> Lines:
    """Return lines of a file, to comment on.

    Raises:
        NotFound: there is no such file, or no such line.
        InvalidInput: they are too many.
    """
    if last - first >= MOST_QUOTED:
        raise InvalidInput(f"these are more than {MOST_QUOTED} lines", hint="name fewer of them")
    tree = found.trees.old if side == "old" else found.trees.new
    name = path.encode("utf-8", "surrogateescape")
    read = await contents(found.trees.git_dir, tree, [name])
    if name not in read:
        where = one_line(of.worktree.name, 60)
        raise NotFound(
            f"{one_line(path, 200)} is no file of {where} that can be read here",
            hint=f"`ctui worktree review {where} --stat` lists what it changed",
        )
    lines = _lines(read[name])
    if not 1 <= first <= last <= len(lines):
        raise NotFound(
            f"{one_line(path, 200)} has {len(lines)} lines, and no {first}-{last}",
            hint="count them from 1",
        )
    return Lines(name_of(name), side, first, tuple(lines[first - 1 : last]))


def _lines(data: bytes | None) -> list[str]:
    if data is None:
        return []
    return [quotable(line) for line in data.removesuffix(b"\n").split(b"\n")]


# -- what the person says


def comment(paths: Paths, of: Reviewed, commit: str, lines: Lines, text: str) -> int:
    """Keep a comment on lines, which nobody is told yet; return its number.

    Raises:
        InvalidInput: it is empty or too long.
    """
    text, now = check_remark(text), time.time_ns()
    with open_index(paths) as index, index.transaction():
        number = index.threads.open(
            of.record.path, lines.path, lines.side, lines.first, lines.quote, commit, now
        )
        index.threads.comment(number, text, now)
    return number


def reply(paths: Paths, of: Reviewed, number: int, text: str) -> None:
    """Add to a thread, which is open again then.

    Raises:
        InvalidInput: the text is empty or too long.
        NotFound: the worktree has no such thread.
        Refused: there is too much in it.
    """
    text = check_remark(text)
    with open_index(paths) as index:
        _known(index.threads.of(of.record.path, of.record.created), number)
        index.threads.comment(number, text, time.time_ns())


def resolve(paths: Paths, of: Reviewed, number: int, *, resolved: bool = True) -> None:
    """Close a thread, or open it again. Raises NotFound if the worktree has no such thread."""
    with open_index(paths) as index:
        _known(index.threads.of(of.record.path, of.record.created), number)
        index.threads.resolve(number, time.time_ns() if resolved else None)


def withdraw(paths: Paths, of: Reviewed, number: int) -> None:
    """Take back what nobody was told of a thread.

    Raises:
        NotFound: the worktree has no such thread.
        Refused: a task was told all of it.
    """
    with open_index(paths) as index:
        thread = _known(index.threads.of(of.record.path, of.record.created), number)
        if not thread.unsent:
            raise Refused(f"a task was told of #{number}", hint="close it instead")
        index.threads.withdraw(number)


def _known(threads: Iterable[Thread], number: int) -> Thread:
    for thread in threads:
        if thread.id == number:
            return thread
    raise NotFound(
        f"there is no comment {number} on this worktree", hint="`ctui worktree comments NAME`"
    )


def mark_read(paths: Paths, of: Reviewed, file: ChangedFile, *, read: bool = True) -> None:
    """Mark a file as read as long as it has this content, or as unread."""
    with open_index(paths) as index:
        if read:
            index.read_marks.add(of.record.path, file.name, file.content, time.time_ns())
        else:
            index.read_marks.forget(of.record.path, file.name, file.content)


async def mark_looked(paths: Paths, of: Reviewed) -> None:
    """Keep what the worktree's files are now: "since you last looked" begins here."""
    tree = await WorktreeFiles(paths, of.repository, of.worktree).looked()
    with open_index(paths) as index:
        index.read_marks.set_looked(of.record.path, tree, time.time_ns())


def by_path(threads: Iterable[PlacedThread]) -> Mapping[str, list[PlacedThread]]:
    """Return threads by the name that their file has now."""
    found: dict[str, list[PlacedThread]] = {}
    for placed in threads:
        found.setdefault(placed.path, []).append(placed)
    return found
