"""Files that a new worktree gets from a checkout, once the person has said so."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ctui.config import Config, parse_size
from ctui.errors import InvalidInput, NotFound, Refused, Unavailable
from ctui.files import replace_file
from ctui.git.repository.repository import Repository
from ctui.humanize import size_text
from ctui.paths import Paths, private_folder
from ctui.text import one_line
from ctui.worktrees.as_stored import Say
from ctui.worktrees.bring.changes import bring_changes, check_quiet
from ctui.worktrees.bring.copying import copy_files
from ctui.worktrees.bring.included import FILE, Listing, listing, patterns_of, source_of
from ctui.worktrees.identity import head_of, text_of
from ctui.worktrees.model import WorktreeRecord

_SHOWN = 20
MOST_NAMES = 100

Ask = Callable[[str], bool]
"""Question to the person, who says yes or no."""


class Include(msgspec.Struct, frozen=True):
    """Wishes about files that are not committed."""

    patterns: tuple[str, ...] = ()
    """As in `.gitignore`: the person names them, so nothing is asked."""
    yes: bool = False
    """Copy what `.worktreeinclude` names, unasked."""
    changes: bool = False
    """Bring the checkout's uncommitted work."""


@dataclass(frozen=True)
class Bringing:
    """All that decides what a new worktree gets beside its commit."""

    paths: Paths
    repository: Repository
    config: Config
    wish: Include
    say: Say
    """Told what is copied, and what is left out and why."""
    ask: Ask | None = None
    """Asks the person; None where nobody is there."""
    brought: list[str] = field(default_factory=list)
    """Names of ignored files that were copied; the first hundred."""

    def check(self, *, new_worktree: bool) -> None:
        """Refuse wishes that only a new worktree with a branch of its own can have.

        Raises:
            InvalidInput: it is none.
            Refused: the uncommitted work cannot be brought.
        """
        if self.wish.changes and not new_worktree:
            raise InvalidInput(
                "--with-changes is for a new worktree with a new branch",
                hint="leave out --worktree, --workspace-dir and --from-pr, or --with-changes",
            )
        if self.wish.changes:
            changed_checkout(self.repository)

    def base(self, wanted: str) -> str:
        """Return where the worktree begins: with uncommitted work at the checkout's commit.

        Raises:
            InvalidInput: another commit is wanted.
        """
        if not self.wish.changes:
            return wanted
        commit = head_of(self.repository, self.repository.here)
        if commit is None:
            raise InvalidInput("the checkout has no commit yet", hint="make the first one")
        if wanted != "HEAD" and self.repository.resolve(wanted) != commit:
            raise InvalidInput(
                "uncommitted work belongs to the checkout's commit, not to another base",
                hint="leave out --base or --with-changes",
            )
        return commit

    async def into(self, record: WorktreeRecord) -> None:
        """Bring into a new worktree what the person wants.

        Raises:
            CtuiError: it cannot be had; what was brought goes with the worktree.
        """
        if self.wish.changes:
            git_dir, files = changed_checkout(self.repository)
            left = await bring_changes(git_dir, files, record, self.config.git.filter_names)
            if left:
                self.say(f"left out: {_left_text(Listing(files, left=left))}")
        await self._included(record)

    async def _included(self, record: WorktreeRecord) -> None:
        """Copy ignored files of the checkout that `.worktreeinclude`, or the person, names."""
        if (found := source_of(self.repository)) is None:
            return
        git_dir, files = found
        allowed = self.config.git.filter_names
        limit = parse_size(self.config.worktrees.include_limit)
        copied: frozenset[bytes] = frozenset()
        if self.wish.patterns:
            named = "\n".join(self.wish.patterns).encode("utf-8", "surrogateescape")
            chosen = await listing(git_dir, files, named, allowed)
            await self._named(chosen, limit, record)
            copied = frozenset(chosen.files)
        listed = await listing(git_dir, files, patterns_of(files), allowed)
        if listed.size > limit:
            self.say(f"{_too_large(FILE, listed, limit)}, so none of it is copied ({_RAISE})")
        elif copied.issuperset(listed.files) or _consents(self, listed):
            rest = tuple(path for path in listed.files if path not in copied)
            await self._copy(msgspec.structs.replace(listed, files=rest), record)
        else:
            said = "left out; --yes copies them, --include PATTERN some"
            self.say(f"{_count(listed)} of {FILE} {said}")

    async def _named(self, chosen: Listing, limit: int, record: WorktreeRecord) -> None:
        if not chosen.files:
            why = _left_text(chosen)
            raise NotFound(
                f"--include matches no ignored file of {chosen.source}{': ' + why if why else ''}",
                hint="only what git ignores is copied: committed files are there",
            )
        if chosen.size > limit:
            raise Refused(_too_large("--include", chosen, limit), hint=_RAISE)
        await self._copy(chosen, record)

    async def _copy(self, found: Listing, record: WorktreeRecord) -> None:
        target = Path(record.path)
        try:
            left = await asyncio.to_thread(copy_files, found.source, target, found.files)
        except OSError as error:
            raise Unavailable(f"{target} cannot be written: {error.strerror}") from error
        there = [_name(path) for path in found.files if path not in left]
        self.brought.extend(there[: MOST_NAMES - len(self.brought)])
        if copied := len(there):
            files = "1 ignored file" if copied == 1 else f"{copied} ignored files"
            self.say(f"copied {files} of {found.source}")
        if left or found.left:
            self.say(f"left out: {_left_text(Listing(found.source, left={**found.left, **left}))}")


def changed_checkout(repository: Repository) -> tuple[Path, Path]:
    """Return git directory and folder of the checkout whose uncommitted work is meant.

    Raises:
        Refused: there is none, or git is in the middle of something there.
    """
    git_dir = repository.here
    if git_dir == repository.common_dir:
        files = repository.work_tree
    else:
        files = Path(text_of(git_dir / "gitdir")).parent
    if files is None:
        raise Refused(
            f"{repository.name} is bare, and has no uncommitted work",
            hint="say it in the worktree whose work is meant",
        )
    check_quiet(git_dir)
    return git_dir, files


_RAISE = "raise worktrees.include_limit, or name fewer"


def _too_large(what: str, found: Listing, limit: int) -> str:
    return f"{what} matches {_count(found)}, more than {size_text(limit)}"


def _count(found: Listing) -> str:
    many = f"{len(found.files)} files" if len(found.files) != 1 else "1 file"
    return f"{many} ({size_text(found.size)})"


def _left_text(found: Listing) -> str:
    shown = [f"{_name(path)}: {why}" for path, why in list(found.left.items())[:_SHOWN]]
    more = len(found.left) - len(shown)
    return "; ".join([*shown, *([f"and {more} more"] if more else [])])


def _name(path: bytes) -> str:
    return one_line(path.decode("utf-8", "replace"), 100)


def _consents(bringing: Bringing, found: Listing) -> bool:
    """Return the person's answer for exactly this list: given now, or remembered."""
    paths, repository, wish, ask = (
        bringing.paths,
        bringing.repository,
        bringing.wish,
        bringing.ask,
    )
    said = f"{repository.common_dir}\0{found.digest}".encode("utf-8", "surrogateescape")
    file = paths.state / "included" / hashlib.sha256(said).hexdigest()
    if not wish.yes:
        if file.is_file():
            return file.read_bytes() == b"yes\n"
        if ask is None:
            return False
    answer = wish.yes or (ask is not None and ask(_question(found)))
    try:
        private_folder(file.parent)
        replace_file(file, b"yes\n" if answer else b"no\n")
    except OSError as error:
        raise Unavailable(f"{file} cannot be written: {error.strerror}") from error
    return answer


def _question(found: Listing) -> str:
    names = [f"  {_name(path)}" for path in found.files[:_SHOWN]]
    if (more := len(found.files) - len(names)) > 0:
        names.append(f"  and {more} more")
    if found.left:
        names.append(f"left out: {_left_text(found)}")
    listed = "\n".join(names)
    return f"{FILE} names {_count(found)} of {found.source} for the worktree:\n{listed}\nCopy them?"
