"""The git directory of one task: all that it sees of the repository, and all that it can change.

The task works in the worktree's files with this directory as its `.git`. It borrows the objects of
the repository, mounted read-only, and has copies of its refs; hooks, configuration and refs of the
repository itself are out of its reach. An isolated one borrows nothing and has the history of its
first commit (`isolation`). What the task commits comes home by `imports`.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ctui.errors import Refused, Unavailable
from ctui.git import hostile
from ctui.git.private.isolation import isolate
from ctui.git.private.packed_refs import current_refs, packed, tip_in
from ctui.git.private.personal import ignored, personal_settings
from ctui.git.private.private_filters import FilterNotes, set_up_filters
from ctui.git.process.process import to_the_end
from ctui.git.repository.repository import Repository
from ctui.git.repository.shallow import copy_shallow
from ctui.git.repository.sparse import Sparse, sparse_of
from ctui.paths import WORKSPACE
from ctui.small_file import read_small_file

_MOUNTED_AT = "/ctui/git"
_LINK_LIMIT = 1 << 16
_REFS_WATCHED = 10_000


class BindMount(NamedTuple):
    """Path of the host that is mounted in the task's container."""

    source: Path
    target: str
    read_only: bool


class PrivateRepository:
    """The private git directory of one task, in the task's own folder."""

    def __init__(self, repository: Repository, folder: Path, metadata: Path | None) -> None:
        self.repository = repository
        self.folder = folder
        """Folder that holds `git`, which the task can write, and our own notes beside it."""
        self.metadata = metadata
        """The worktree's folder below `.git/worktrees`, or None for the main checkout."""

    @property
    def checkout(self) -> Path:
        """The git directory of the person's own git for the same files."""
        return self.metadata or self.repository.common_dir

    @property
    def git_dir(self) -> Path:
        return self.folder / "git"

    @property
    def seed(self) -> Path:
        """The refs that it was made with, as a packed-refs file that only ctui writes."""
        return self.folder / "seed-refs"

    @property
    def next_seed(self) -> Path:
        """The same while they are being replaced; only a crash leaves it."""
        return self.folder / "seed-refs.next"

    @property
    def given(self) -> Path:
        """Names of the packs that an isolated one was made with; only ctui writes it."""
        return self.folder / "given-packs"

    @property
    def isolated(self) -> bool:
        """True if it borrows nothing."""
        return self.given.is_file()

    def given_packs(self) -> frozenset[str]:
        """Return the names of the packs whose objects the repository has."""
        return frozenset(self.given.read_text().split()) if self.isolated else frozenset()

    @property
    def filters(self) -> FilterNotes:
        """Notes of the filters that run in it."""
        return FilterNotes(self.folder)

    def mounts(self, worktree: Path) -> list[BindMount]:
        """Return the mounts that git needs in the container."""
        mounts = [BindMount(worktree, WORKSPACE, read_only=False)]
        if self.metadata is None:
            # A file cannot be mounted over a folder, so the private directory covers `.git` itself.
            mounts.append(BindMount(self.git_dir, f"{WORKSPACE}/.git", read_only=False))
        else:
            link = self.folder / "dotgit"
            mounts.append(BindMount(self.git_dir, _MOUNTED_AT, read_only=False))
            mounts.append(BindMount(link, f"{WORKSPACE}/.git", read_only=True))
        directories = [] if self.isolated else self.repository.object_directories()
        if directories and (store := self.filters.lfs_store()):
            # Where git-lfs looks, beside the objects that are borrowed.
            target = directories[0].parent / "lfs" / "objects"
            mounts.append(BindMount(store, str(target), read_only=True))
        return [*mounts, *(BindMount(path, str(path), read_only=True) for path in directories)]

    def refresh(self) -> None:
        """Bring up to date what the next run must know of the repository.

        Raises:
            Unavailable: it cannot be written.
        """
        if self.isolated:
            return
        try:
            copy_shallow(self.repository.common_dir, self.git_dir)
        except OSError as error:
            raise Unavailable(f"{self.git_dir} cannot be written: {error.strerror}") from error

    def fingerprint(self) -> str:
        """Return a short text that changes whenever a branch, HEAD or the stash does."""
        digest = hashlib.sha256()
        for parts in (("HEAD",), ("packed-refs",), ("logs", "refs", "stash")):
            with hostile.folder(self.git_dir, *parts[:-1]) as directory:
                _add_stat(digest, parts[-1], directory)
        with hostile.folder(self.git_dir, "refs") as directory:
            if directory is not None:
                for path in hostile.walk_files(directory, depth=20, budget=[_REFS_WATCHED]):
                    _add_stat(digest, path, directory)
        return digest.hexdigest()


async def create_private(
    repository: Repository,
    metadata: Path | None,
    folder: Path,
    branch: str | None,
    base: str | None,
    owner: tuple[int, int],
    *,
    isolated: bool = False,
    filters: Iterable[str] = (),
) -> PrivateRepository:
    """Make the private git directory in `folder`.

    Args:
        repository: whose objects are borrowed and whose refs are copied.
        metadata: of the linked worktree; None for the person's own checkout.
        folder: the task's folder, which must not hold one yet.
        branch: what HEAD names; None for a detached HEAD at `base`.
        base: the commit that the branch is at.
        owner: uid and gid that the task runs as.
        isolated: borrow nothing, and have what the commit reaches that HEAD is at.
        filters: names of the person's filters whose clean program runs in it.

    Raises:
        Unavailable: the folder cannot be written.
        Refused: the repository lacks a part of what an isolated one has to have.
    """
    private = PrivateRepository(repository, folder, metadata)
    sparse = await sparse_of(private.checkout)
    # It gets its final name when it is complete, so that a crash leaves none half made.
    unfinished = folder / "git.new"
    common_dir = repository.common_dir
    place = (metadata or common_dir, _work_tree(repository, metadata))
    personal = await personal_settings(*place)
    ignores = await ignored(place[0], common_dir, place[1])
    made = (private, unfinished, branch, base, personal, ignores, sparse)
    try:
        # A thread goes on when its caller is cancelled, and would write into the next start.
        await to_the_end(asyncio.to_thread(_lay_out, *made, borrow=not isolated))
        if isolated:
            refs = (unfinished / "packed-refs").read_bytes()
            await _isolate(private, unfinished, tip_in(refs, branch) or base)
        await set_up_filters(private.filters, unfinished, repository, metadata, filters)
        await to_the_end(asyncio.to_thread(_complete, private, unfinished, branch, owner))
    except OSError as error:
        raise Unavailable(f"{folder} cannot be written: {error.strerror}") from error
    return private


def open_private(repository: Repository, folder: Path, metadata: Path | None) -> PrivateRepository:
    """Return the private git directory that was made before."""
    return PrivateRepository(repository, folder, metadata)


def _work_tree(repository: Repository, metadata: Path | None) -> Path | None:
    """Return the folder of the files that the task will work on, as git's metadata has it."""
    if metadata is None:
        return repository.work_tree
    with suppress(OSError):
        link = os.fsdecode(read_small_file(metadata / "gitdir", _LINK_LIMIT).rstrip(b"\n"))
        folder = (metadata / link).parent
        return folder if folder.is_dir() else None
    return None


def _lay_out(
    private: PrivateRepository,
    unfinished: Path,
    branch: str | None,
    base: str | None,
    personal: Mapping[str, str],
    ignores: bytes,
    sparse: Sparse | None,
    *,
    borrow: bool,
) -> None:
    shutil.rmtree(unfinished, ignore_errors=True)
    for name in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "info", "logs"):
        (unfinished / name).mkdir(mode=0o700, parents=True)
    if borrow:
        copy_shallow(private.repository.common_dir, unfinished)
        directories = private.repository.object_directories()
        alternates = "".join(f"{path}\n" for path in directories)
        _write(unfinished / "objects/info/alternates", os.fsencode(alternates))
    head = f"ref: refs/heads/{branch}\n" if branch else f"{base}\n"
    _write(unfinished / "packed-refs", packed(current_refs(private.repository)))
    _write(unfinished / "HEAD", head.encode())
    settings = sparse.settings if sparse is not None else {}
    _write(unfinished / "config", _config({**personal, **settings}).encode())
    if sparse is not None:
        _write(unfinished / "info" / "sparse-checkout", sparse.patterns)
    source = private.checkout / "index"
    if source.is_file():
        _write(unfinished / "index", source.read_bytes())
    for shared in source.parent.glob("sharedindex.*"):
        _write(unfinished / shared.name, shared.read_bytes())
    _write(unfinished / "info" / "exclude", ignores)


async def _isolate(private: PrivateRepository, unfinished: Path, start: str | None) -> None:
    if start is None:
        raise Refused("there is no commit yet to isolate the task at", hint="make one")
    try:
        packs = await isolate(unfinished, private.repository, start)
    except BaseException:  # cancelled or not: packs can be large
        await to_the_end(asyncio.to_thread(shutil.rmtree, unfinished, ignore_errors=True))
        raise
    _write(private.given, "".join(f"{name}\n" for name in packs).encode())


def _complete(
    private: PrivateRepository, unfinished: Path, branch: str | None, owner: tuple[int, int]
) -> None:
    refs = (unfinished / "packed-refs").read_bytes()
    link = private.folder / "dotgit"
    _write(link, f"gitdir: {_MOUNTED_AT}\n".encode(), mode=0o644)
    if os.geteuid() == 0:
        _give_away(unfinished, owner)
        # Git refuses a link of another owner. Its mount is read-only, so the task cannot write it.
        os.lchown(link, *owner)
    _write(private.seed, refs)
    if tip := tip_in(refs, branch):
        # The commit at which an import expects the branch.
        _write(private.folder / "left-at", tip.encode())
    unfinished.rename(private.git_dir)


def _config(personal: Mapping[str, str]) -> str:
    values: Mapping[str, str] = {
        "core.repositoryformatversion": "0",
        "core.bare": "false",
        "core.filemode": "true",
        "core.logallrefupdates": "true",
        **personal,
    }
    lines: list[str] = []
    for key, value in values.items():
        section, _, name = key.partition(".")
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'[{section}]\n\t{name} = "{escaped}"\n')
    return "".join(lines)


def _give_away(root: Path, owner: tuple[int, int]) -> None:
    os.lchown(root, *owner)
    for folder, names, files in os.walk(root):
        for name in (*names, *files):
            os.lchown(Path(folder) / name, *owner)


def _write(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def _add_stat(digest: hashlib._Hash, name: str, directory: int | None) -> None:
    if directory is None:
        return
    try:
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except OSError:
        return
    facts = (name, status.st_ino, status.st_size, status.st_mtime_ns)
    digest.update(repr(facts).encode())
