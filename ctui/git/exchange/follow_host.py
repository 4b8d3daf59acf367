"""The private git directory of a task follows its worktree's branch that ctui moved for a person.

    note -> (the caller moves the branch and the files) -> index, branch, what was seeded -> no note

The task's index is locked meanwhile, so that no git of it works on files that change under it. A
crash leaves the note, from which the next turn's begin completes it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import msgspec

from ctui.errors import Conflict, Refused, Unavailable
from ctui.files import replace_file, replace_file_in
from ctui.git import hostile
from ctui.git.exchange.harvest import checked_out
from ctui.git.private.isolation import REFS_HEADER
from ctui.git.private.private import PrivateRepository
from ctui.git.repository.opening import open_trusted

_NOTE = "follow-host.json"
_LOCK = "index.lock"
_LOCK_MARK = b"ctui follows\n"
_SMALL = 1024
_UNFINISHED = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply")


class Move(msgspec.Struct, frozen=True):
    """Move of the worktree's branch that the task's directory has to follow."""

    branch: str
    old: str
    new: str


@contextmanager
def following(private: PrivateRepository, move: Move, owner: tuple[int, int]) -> Iterator[None]:
    """Let the task's directory follow a move that the body of the `with` makes.

    Raises:
        Refused: the task is not on the branch, has it elsewhere, or is in the middle of a merge.
        Conflict: a git of the task is at work.
        Unavailable: the directory cannot be written.
    """
    finish(private, owner)
    _refuse(private, move)
    _make_folders(private, _folders(move), owner)
    with hostile.folder(private.git_dir, *_folders(move)) as heads:
        if heads is None or (private.git_dir / "index").is_dir():
            raise Refused("its task's git directory is damaged", hint="stop and remove the task")
    with hostile.folder(private.git_dir) as directory:
        if directory is None or not _take(directory):
            raise Conflict(
                "the task's git is at work, or was interrupted",
                hint=f"try again; if none runs, remove {private.git_dir / _LOCK}",
            )
        try:
            _refuse(private, move)
            replace_file(private.folder / _NOTE, msgspec.json.encode(move), suffix="new")
            yield
            finish(private, owner)
        except OSError as error:
            raise Unavailable(
                f"{private.git_dir} cannot be written: {error.strerror}",
                hint="what moved stays moved; its task follows when it can",
            ) from error
        finally:
            # Nothing was moved: then there is nothing to follow.
            if _at(private, move.branch) != move.new:
                (private.folder / _NOTE).unlink(missing_ok=True)
            _release(directory)


def finish(private: PrivateRepository, owner: tuple[int, int]) -> None:
    """Complete what a crash cut off, if the worktree's branch is where it was to go."""
    note = private.folder / _NOTE
    if not note.is_file():
        return
    with suppress(msgspec.DecodeError):
        move = msgspec.json.decode(note.read_bytes(), type=Move)
        here = checked_out(private, move.branch)
        if _at(private, move.branch) == move.new and here in {move.old, move.new}:
            _follow(private, move, owner)
    note.unlink(missing_ok=True)
    with hostile.folder(private.git_dir) as directory:
        if directory is not None:
            _release(directory)


def _refuse(private: PrivateRepository, move: Move) -> None:
    if private.isolated:
        raise Refused(
            "its task is isolated, and has the history that it began with",
            hint="remove the task first: ctui task remove --keep-worktree",
        )
    if any(os.path.lexists(private.git_dir / name) for name in _UNFINISHED):
        raise Refused(
            "its task is in the middle of a merge or rebase", hint="let the task finish it"
        )
    head = hostile.read_file(private.git_dir, "HEAD", limit=_SMALL) or b""
    on_branch = head.strip() == f"ref: refs/heads/{move.branch}".encode()
    if not on_branch or checked_out(private, move.branch) != move.old:
        raise Refused(
            f"its task has {move.branch} elsewhere, or another branch checked out",
            hint="tell the task to merge it: its refs are fresh at every turn",
        )


def _follow(private: PrivateRepository, move: Move, owner: tuple[int, int]) -> None:
    """Write index and branch of the task's directory, and that both are ours."""
    assert private.metadata is not None  # noqa: S101 - a person's own branch is never moved
    like = _Like(owner)
    with hostile.folder(private.git_dir) as directory:
        if directory is None:
            return
        index = (private.metadata / "index").read_bytes()
        like.replace(directory, "index", index)
        for shared in private.metadata.glob("sharedindex.*"):
            like.replace(directory, shared.name, shared.read_bytes())
    with hostile.folder(private.git_dir, *_folders(move)) as directory:
        if directory is None:
            return
        like.replace(directory, move.branch.rpartition("/")[2], f"{move.new}\n".encode())
    _seed(private, move)
    replace_file(private.folder / "left-at", move.new.encode(), suffix="new")


class _Like:
    """Files of a task's directory, which belong to the task."""

    def __init__(self, owner: tuple[int, int]) -> None:
        self._owner = owner

    def replace(self, directory: int, name: str, data: bytes) -> None:
        replace_file_in(directory, name, data, mode=0o644)
        if os.geteuid() == 0:
            os.chown(name, *self._owner, dir_fd=directory, follow_symlinks=False)


def _folders(move: Move) -> list[str]:
    return ["refs", "heads", *move.branch.split("/")[:-1]]


def _make_folders(private: PrivateRepository, folders: list[str], owner: tuple[int, int]) -> None:
    for count in range(1, len(folders) + 1):
        with hostile.folder(private.git_dir, *folders[: count - 1]) as directory:
            if directory is None:
                return
            try:
                os.mkdir(folders[count - 1], 0o755, dir_fd=directory)
            except FileExistsError:
                continue
            if os.geteuid() == 0:
                os.chown(folders[count - 1], *owner, dir_fd=directory, follow_symlinks=False)


def _seed(private: PrivateRepository, move: Move) -> None:
    """Note that the branch's commit is none of the task's."""
    ref = f"refs/heads/{move.branch}".encode()
    lines = [
        line
        for line in private.seed.read_bytes().splitlines()
        if line and not line.startswith(b"#") and line.partition(b" ")[2] != ref
    ]
    lines.append(move.new.encode() + b" " + ref)
    lines.sort(key=lambda line: line.partition(b" ")[2])
    replace_file(private.seed, REFS_HEADER + b"".join(line + b"\n" for line in lines), suffix="new")


def _at(private: PrivateRepository, branch: str) -> str:
    """Return where the worktree's branch is in the repository."""
    with suppress(KeyError, ValueError):
        found = open_trusted(private.repository.common_dir).references[f"refs/heads/{branch}"]
        return str(found.target)
    return ""


def _take(directory: int) -> bool:
    try:
        descriptor = os.open(
            _LOCK, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=directory
        )
    except OSError:
        return False
    with os.fdopen(descriptor, "wb") as file:
        file.write(_LOCK_MARK)
    return True


def _release(directory: int) -> None:
    """Remove the lock if it is ours."""
    descriptor = hostile.open_file(_LOCK, directory)
    if descriptor is None:
        return
    with os.fdopen(descriptor, "rb") as file:
        ours = file.read(len(_LOCK_MARK) + 1) == _LOCK_MARK
    if ours:
        with suppress(OSError):
            os.unlink(_LOCK, dir_fd=directory)
