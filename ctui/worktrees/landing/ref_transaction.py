"""Moves of a branch together with its checkout, completed after a crash.

    note, index.lock -> everything prepared beside the index -> the branch, by compare-and-swap
    -> files, index -> unlocked, note forgotten

Until the branch moves, no file was touched and everything can be undone. From then on the note
tells the next process to complete the move, and git's own lock keeps others out of the index.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec

from ctui.errors import Conflict, CtuiError, Unavailable
from ctui.file_lock import FileLock
from ctui.files import replace_file
from ctui.git.exchange.index_lock import IndexLock
from ctui.git.exchange.swap import compare_and_swap, forget_killed_swap
from ctui.git.process.command import run_git
from ctui.git.repository.opening import open_trusted
from ctui.git.repository.repository import Repository
from ctui.text import one_line
from ctui.worktrees.landing import checkout_plan
from ctui.worktrees.landing.checkouts import NOTE, Checkout, all_checkouts, branch_name
from ctui.worktrees.landing.file_writer import write_files

_LOCK_MARK = b"ctui transition\n"
_STAGING = "ctui-transition"
_PATIENCE_SECONDS = 30.0


class _Note(msgspec.Struct, frozen=True):
    """Note from which a transition is completed after a crash."""

    id: str
    ref: str = ""
    old: str = ""
    new: str = ""
    moved: bool = False
    """True if the branch is known to be at `new`; else the ref itself tells."""
    files: bool = False
    """True if the files follow; else they are already those of `new`."""
    filters: bool = False
    stored: bool = False


class RefTransaction:
    """Checkout whose index is ours until the transition ends."""

    def __init__(self, checkout: Checkout, note: _Note) -> None:
        self.checkout = checkout
        self._note = note
        self._plan: checkout_plan.Plan | None = None

    @property
    def moved(self) -> bool:
        """True once the branch has moved: from then on the transition is completed, not undone."""
        return self._note.moved

    @property
    def index(self) -> Path:
        """A copy of the index, to become the new one."""
        return _index(self.checkout, self._note)

    async def follow_files(
        self, old: str, new: str, *, filters: bool = False, stored: bool = False
    ) -> None:
        """Prepare everything that changes index and files from `old` to `new`.

        Args:
            old: the commit that they are at.
            new: where they go.
            filters: see `checkout_plan.plan`.
            stored: the same.

        Raises:
            Refused: a file is in the way, or was changed; the message names it.
        """
        plan = await checkout_plan.plan(
            self.checkout, old, new, self.index, filters=filters, stored=stored
        )
        await checkout_plan.read_new_index(self.checkout, old, new, self.index)
        await checkout_plan.stage(
            self.checkout, plan, self.index, _staging(self.checkout, self._note)
        )
        self._plan = plan

    async def move(self, ref: str, old: str, new: str, reason: str) -> None:
        """Move the branch from `old` to `new`, and everything that was prepared with it.

        Raises:
            Conflict: the branch is not at `old`; nothing was moved.
            Unavailable: the branch moved, and its files cannot be written; the next call for this
                checkout completes it.
        """
        plan, files = self._plan, self._plan is not None
        note = _Note(self._note.id, ref, old, new, files=files)
        if plan is not None:
            note = msgspec.structs.replace(note, filters=plan.filters, stored=plan.stored)
        _save(self.checkout, note)
        compare_and_swap(self.checkout.git_dir, ref, old, new, reason)
        self._note = msgspec.structs.replace(note, moved=True)
        _save(self.checkout, self._note)
        finish = asyncio.ensure_future(_finish(self.checkout, self._note, plan))
        try:
            await asyncio.shield(finish)
        except asyncio.CancelledError:
            # Nobody else may take the lock before it is finished.
            await finish
            raise


@asynccontextmanager
async def ref_transaction(checkout: Checkout) -> AsyncIterator[RefTransaction]:
    """Hold a checkout's index, after completing what a crash interrupted.

    Raises:
        Conflict: another git holds the index.
        Unavailable: the git directory cannot be written.
    """
    async with _turn(checkout):
        await _recover(checkout)
        note = _Note(secrets.token_hex(4))
        held = RefTransaction(checkout, note)
        try:
            # The note comes first: a lock without one would seem to be another git's after a crash.
            _save(checkout, note)
            lock = _lock(checkout)
            if not lock.take():
                raise Conflict(
                    f"another git is at work in {checkout.work_tree}",
                    hint=f"wait for it; if none runs, remove {lock.path}",
                )
            lock.copy_index(held.index)
            yield held
        except OSError as error:
            raise Unavailable(f"{checkout.work_tree}: {error.strerror}") from error
        finally:
            if not held.moved:
                _release(checkout)


async def recover(checkout: Checkout) -> None:
    """Complete or undo what a crash interrupted in this checkout.

    Raises:
        Conflict: another ctui is at work there.
        Unavailable: its files cannot be written.
    """
    if not any(checkout.git_dir.glob(f"{NOTE}*")):
        return
    async with _turn(checkout):
        await _recover(checkout)


async def recover_all(repository: Repository) -> None:
    """Recover every checkout of a repository, and skip those that cannot be opened or mended."""
    forget_killed_swap(repository.common_dir)
    for checkout in all_checkouts(repository):
        with suppress(CtuiError):
            await recover(checkout)


async def _recover(checkout: Checkout) -> None:
    try:
        data = (checkout.git_dir / NOTE).read_bytes()
        note = msgspec.json.decode(data, type=_Note)
    except FileNotFoundError:
        _sweep(checkout)
        return
    except (OSError, msgspec.DecodeError) as error:
        raise Unavailable(
            f"{checkout.git_dir / NOTE} cannot be read",
            hint="look at the checkout, then remove it",
        ) from error
    if note.moved or (note.new and _at(checkout, note.ref) == note.new):
        await _finish(checkout, note, None)
    else:
        _release(checkout)


async def _finish(checkout: Checkout, note: _Note, plan: checkout_plan.Plan | None) -> None:
    """Update files and index to the branch's commit."""
    index, lock = _index(checkout, note), _lock(checkout)
    try:
        if index.exists() and not lock.held and await _untouched(checkout, note):
            lock.take()  # a person removed it, as git advises
        # If our lock is gone, the index is in place already, or another git has taken it.
        if lock.held and index.exists():
            if note.files:
                await _carry(checkout, note, plan)
            index.rename(checkout.git_dir / "index")
        _release(checkout)
    except OSError as error:
        raise Unavailable(
            f"{one_line(branch_name(note.ref))} moved, but the files in {checkout.work_tree} "
            f"cannot follow: {error.strerror}",
            hint="mend that, then do anything with this branch: it will be completed",
        ) from error


async def _untouched(checkout: Checkout, note: _Note) -> bool:
    """Return True if branch and index are as the crash left them."""
    if _at(checkout, note.ref) != note.new:
        return False
    compared = await run_git(
        ["diff-index", "--cached", "--quiet", note.old], git_dir=checkout.git_dir, check=False
    )
    return compared.exit_code == 0


async def _carry(checkout: Checkout, note: _Note, plan: checkout_plan.Plan | None) -> None:
    staging, index = _staging(checkout, note), _index(checkout, note)
    if plan is None:
        plan = await checkout_plan.rest_of_plan(
            checkout, note.old, note.new, filters=note.filters, stored=note.stored
        )
        await checkout_plan.stage(checkout, plan, index, staging)
    await asyncio.to_thread(write_files, checkout.work_tree, plan.changes, plan.seen, staging)
    # The new index knows its files, so that the next status need not read them.
    with suppress(CtuiError):
        await run_git(
            ["update-index", "-q", "--refresh"],
            git_dir=checkout.git_dir,
            work_tree=checkout.work_tree,
            env={"GIT_INDEX_FILE": str(index)},
            check=False,
            blanked=plan.blanked,
        )


def _release(checkout: Checkout) -> None:
    _lock(checkout).release()
    _sweep(checkout)
    (checkout.git_dir / NOTE).unlink(missing_ok=True)


def _sweep(checkout: Checkout) -> None:
    shutil.rmtree(checkout.git_dir / _STAGING, ignore_errors=True)
    for pattern in ("index.ctui-*", f"{NOTE}.*"):
        for path in checkout.git_dir.glob(pattern):
            path.unlink(missing_ok=True)


@asynccontextmanager
async def _turn(checkout: Checkout) -> AsyncIterator[None]:
    """Let one ctui at a time change one checkout."""
    lock = FileLock(checkout.git_dir / "ctui-transition.lock")
    try:
        held = await lock.wait(_PATIENCE_SECONDS)
    except OSError as error:
        raise Unavailable(
            f"{checkout.git_dir} cannot be written: {error.strerror}",
            hint="make room, or make it writable",
        ) from error
    if not held:
        raise Conflict(f"another ctui is at work in {checkout.work_tree}", hint="try again later")
    with lock:
        yield


def _lock(checkout: Checkout) -> IndexLock:
    return IndexLock(checkout.git_dir, _LOCK_MARK)


def _index(checkout: Checkout, note: _Note) -> Path:
    return checkout.git_dir / f"index.ctui-{note.id}"


def _staging(checkout: Checkout, note: _Note) -> Path:
    return checkout.git_dir / _STAGING / note.id


def _at(checkout: Checkout, ref: str) -> str:
    with suppress(KeyError, ValueError, CtuiError):
        return str(open_trusted(checkout.git_dir).references[ref].target)
    return ""


def _save(checkout: Checkout, note: _Note) -> None:
    replace_file(checkout.git_dir / NOTE, msgspec.json.encode(note), suffix="new")
