"""Commits of a worktree's uncommitted files, which a task may have written."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ctui.errors import Refused
from ctui.git.process.command import run_git, status_arguments
from ctui.git.repository.opening import open_trusted
from ctui.git.stored.attributes import attributes_at
from ctui.git.stored.lfs_objects import unchanged_files
from ctui.worktrees.landing.checkouts import Checkout, branch_name
from ctui.worktrees.landing.commit_diff import commit_diff, joined, named, split_paths
from ctui.worktrees.landing.commit_objects import make_commit, message_bytes, person
from ctui.worktrees.landing.ref_transaction import RefTransaction, ref_transaction

if TYPE_CHECKING:
    import pygit2

_SECONDS = 600
_NO_FILTER = {b"unspecified", b"unset", b""}


class Committed(NamedTuple):
    """Commit that was made."""

    branch: str
    """Short name of the branch."""
    before: str
    after: str
    paths: tuple[bytes, ...]


class Uncommitted(NamedTuple):
    """Paths of a checkout that differ from its HEAD, relative to it."""

    staged: tuple[bytes, ...] = ()
    """Paths that are staged and unchanged since."""
    changed: tuple[bytes, ...] = ()
    deleted: tuple[bytes, ...] = ()
    """Paths that are deleted without being staged."""
    untracked: tuple[bytes, ...] = ()
    conflicted: tuple[bytes, ...] = ()

    @property
    def paths(self) -> tuple[bytes, ...]:
        return self.staged + self.changed + self.deleted + self.untracked + self.conflicted


async def commit_all(
    checkout: Checkout, message: str, *, run_filters: Collection[str] = ()
) -> Committed | None:
    """Commit tracked changes and untracked files, as `git add --all && git commit` would.

    No hook, filter or editor runs; it is signed where `commit.gpgSign` says so, by a program of the
    person's. A `kill -9` leaves branch and index as before, or the next call or `recover` completes
    them.

    Args:
        checkout: of the worktree; no task may be at work in it.
        message: of the commit.
        run_filters: filters that run where a task commits.

    Returns:
        what was committed; None where there was nothing to commit.

    Raises:
        InvalidInput: the message is empty.
        Refused: no identity is configured, no branch is checked out, a merge or rebase is going
            on, a filter attribute applies to a changed path, a nested repository would be
            linked, or it cannot be signed. The message names the paths.
        Conflict: another git holds the index, or the branch moved meanwhile.
    """
    text = message_bytes(message)
    who = await person(*checkout)
    async with ref_transaction(checkout) as held:
        git = open_trusted(checkout.git_dir)
        ref, before = _branch(checkout, git)
        found = await uncommitted(checkout)
        _refuse_paths(found)
        tree = await _write_tree(held, found, run_filters)
        changes = await commit_diff(checkout.git_dir, before, tree)
        if not changes:
            return None
        if links := [change.path for change in changes if change.gitlink]:
            raise Refused(f"nested repositories would be linked: {named(links)}", hint=_NESTED)
        after = await make_commit(git, who, tree=tree, parents=[before], message=text)
        subject = text.split(b"\n", 1)[0].decode()
        await held.move(ref, before, after, f"commit: {subject}")
    return Committed(branch_name(ref), before, after, tuple(change.path for change in changes))


_NESTED = "move them out of the worktree, or ignore them"


async def uncommitted(checkout: Checkout) -> Uncommitted:
    """Return everything in a checkout that no commit has, without looking into submodules."""
    output = await run_git(
        status_arguments("--untracked-files=all", "--no-renames"),
        git_dir=checkout.git_dir,
        work_tree=checkout.work_tree,
        timeout=_SECONDS,
    )
    found: dict[str, list[bytes]] = {name: [] for name in Uncommitted._fields}
    for field in split_paths(output.stdout):
        kind = field[:1]
        if kind == b"1":
            # 1 XY sub mH mI mW hH hI path (git-status(1))
            state = {b".": "staged", b"D": "deleted"}.get(field[3:4], "changed")
            found[state].append(field.split(b" ", 8)[8])
        elif kind == b"u":
            found["conflicted"].append(field.split(b" ", 10)[10])
        elif kind == b"?":
            found["untracked"].append(field[2:])
    # Files of Git LFS are compared with their pointers here, because no filter runs.
    same = await unchanged_files(checkout.git_dir, checkout.work_tree, found["changed"])
    found["changed"] = [path for path in found["changed"] if path not in same]
    return Uncommitted(**{name: tuple(paths) for name, paths in found.items()})


def _branch(checkout: Checkout, git: pygit2.Repository) -> tuple[str, str]:
    """Return the ref that a commit moves, and the commit that it is at."""
    ref = checkout.ref
    if ref is None or ref not in git.references:
        raise Refused(
            f"no branch with a commit is checked out in {checkout.work_tree}",
            hint="git switch --create NAME",
        )
    if checkout.unfinished:
        raise Refused(
            f"{checkout.unfinished} is going on in {checkout.work_tree}", hint="finish or abort it"
        )
    return ref, str(git.references[ref].target)


def _refuse_paths(found: Uncommitted) -> None:
    if found.conflicted:
        raise Refused(
            f"conflicts are not resolved: {named(found.conflicted)}", hint="resolve them first"
        )
    # Git reports a nested repository as one untracked folder.
    if nested := [path for path in found.untracked if path.endswith(b"/")]:
        raise Refused(f"nested repositories would be linked: {named(nested)}", hint=_NESTED)


async def _write_tree(
    held: RefTransaction, found: Uncommitted, run_filters: Collection[str]
) -> str:
    """Update the new index to the files, and write its tree."""
    checkout, written = held.checkout, found.changed + found.untracked
    environment = {"GIT_INDEX_FILE": str(held.index)}
    if written:
        await _refuse_filtered(held, written, run_filters)
    # Deletions first, by name alone: a folder may be where the file was.
    for option, paths in (("--force-remove", found.deleted), ("--remove", written)):
        if paths:
            await run_git(
                ["update-index", "--add", "--replace", option, "-z", "--stdin"],
                git_dir=checkout.git_dir,
                work_tree=checkout.work_tree,
                env=environment,
                input=joined(paths),
                timeout=_SECONDS,
            )
    output = await run_git(["write-tree"], git_dir=checkout.git_dir, env=environment)
    return output.stdout.decode().strip()


async def _refuse_filtered(
    held: RefTransaction, paths: Sequence[bytes], run_filters: Collection[str]
) -> None:
    """Refuse what HEAD stores through a filter, or what a task's `.gitattributes` sends to one."""
    checkout = held.checkout
    rules = await attributes_at(checkout.git_dir, "HEAD", paths)
    output = await run_git(
        ["check-attr", "-z", "--stdin", "filter", "working-tree-encoding"],
        git_dir=checkout.git_dir,
        work_tree=checkout.work_tree,
        env={"GIT_INDEX_FILE": str(held.index)},
        input=joined(paths),
    )
    fields = output.stdout.split(b"\0")
    now = {
        (path, name): value.decode("utf-8", "replace")
        for path, name, value in zip(fields[::3], fields[1::3], fields[2::3], strict=False)
        if value not in _NO_FILTER
    }
    filters = {path: rule.filter for path, rule in rules.items() if rule.filter}
    filters |= {path: value for (path, name), value in now.items() if name == b"filter"}
    if filters:
        ours = set(filters.values()) <= set(run_filters)
        raise Refused(
            f"a filter attribute applies to {named(sorted(filters))}",
            hint='it runs in the task: ctui task send NAME "commit your changes"'
            if ours
            else "take them back, or let a task commit them whose filters git.filters names",
        )
    # Git itself reads a file in the encoding that its attribute names, and takes it as it is
    # where a task took that away.
    if odd := [
        path
        for path, rule in rules.items()
        if rule.encoding != now.get((path, b"working-tree-encoding"), "")
    ]:
        raise Refused(
            f"the encoding of {named(sorted(odd))} is no longer in .gitattributes",
            hint="put the attribute back",
        )
