"""Refs that keep everything that only a worktree's own metadata held.

Git keeps what the index, HEAD, reflog and unfinished operations of a linked worktree name, for as
long as its metadata is in place (git-gc(1), "NOTES"). In the trash these refs do that instead.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from ctui.errors import ExternalFailure
from ctui.git.process.command import IGNORE_SUBMODULES, run_git
from ctui.git.repository.repository import Repository

PREFIX = "refs/ctui/trash"

_OID = re.compile(rb"(?<![0-9a-f])[0-9a-f]{40}(?![0-9a-f])")
_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{8}")
_SYNCED = {"core.fsync": "committed,loose-object,reference", "core.fsyncObjectFiles": "true"}
_MODES = {b"blob": "100644", b"tree": "040000"}


def named_objects(metadata: Path) -> frozenset[str]:
    """Return every object id in any text of a worktree's metadata.

    That is HEAD and its reflog, MERGE_HEAD and its like, the refs of a bisect, and all that a
    rebase noted. Submodules are repositories of their own, which keep their objects themselves.
    """
    found: set[bytes] = set()
    for folder, names, files in os.walk(metadata):
        if Path(folder) == metadata:
            names[:] = [name for name in names if name != "modules"]
        for name in files:
            path = Path(folder) / name
            if not name.startswith(("index", "sharedindex.")) and path.is_file():
                found.update(_OID.findall(path.read_bytes()))
    return frozenset(oid.decode() for oid in found)


def objects_in(text: str) -> frozenset[str]:
    """Return every object id in a reflog."""
    return frozenset(oid.decode() for oid in _OID.findall(os.fsencode(text)))


async def add_keep_refs(
    repository: Repository, metadata: Path, entry_id: str, tip: str | None, named: Collection[str]
) -> None:
    """Make the refs of an entry.

    Args:
        repository: that gets the refs.
        metadata: whose index is read.
        entry_id: whose refs they are.
        tip: the commit at HEAD; None before the first.
        named: further objects; those that do not exist any more are passed over.

    Raises:
        ExternalFailure: git failed; there may be some refs.
    """
    wanted = {*named, *await _index_objects(metadata, tip)} | ({tip} if tip else set())
    kinds = await _kinds(repository, wanted)
    if tip and tip not in kinds:
        raise ExternalFailure(f"the commit {tip} is missing", hint="git fsck tells more")
    commits = [oid for oid, kind in kinds.items() if kind == b"commit" and oid != tip]
    kept, tree = await asyncio.gather(
        _not_reachable(repository, commits, tip), _tree_of(repository, kinds)
    )
    prefix = f"{PREFIX}/{entry_id}"
    pins = {f"{prefix}/objects": tree} | ({f"{prefix}/head": tip} if tip else {})
    tags = [oid for oid, kind in kinds.items() if kind == b"tag"]
    pins |= {f"{prefix}/{oid}": oid for oid in (*kept, *tags)}
    lines = "".join(f"update {ref} {oid}\n" for ref, oid in pins.items())
    await _update_refs(repository, lines)


async def delete_keep_refs(repository: Repository, entry_id: str) -> None:
    """Delete the refs of an entry, so that git can collect what nothing else names."""
    said = await run_git(
        ["for-each-ref", "--format=%(refname)", f"{PREFIX}/{entry_id}/"],
        git_dir=repository.common_dir,
    )
    await _delete_refs(repository, said.stdout.decode().split())


async def delete_forgotten_keep_refs(repository: Repository, known: Collection[str]) -> None:
    """Delete refs of no entry, which a git that outlived its ctui may have made.

    Those of the older layout, with its shorter ids, are left alone: its entries have no record.
    """
    said = await run_git(
        ["for-each-ref", "--format=%(refname)", f"{PREFIX}/"], git_dir=repository.common_dir
    )
    refs = said.stdout.decode().split()
    ids = {ref: ref.removeprefix(f"{PREFIX}/").partition("/")[0] for ref in refs}
    await _delete_refs(
        repository, [ref for ref in refs if _ID.fullmatch(ids[ref]) and ids[ref] not in known]
    )


async def _delete_refs(repository: Repository, refs: Collection[str]) -> None:
    if refs:
        await _update_refs(repository, "".join(f"delete {ref}\n" for ref in refs))


async def _update_refs(repository: Repository, lines: str) -> None:
    await run_git(
        ["update-ref", "--stdin"],
        git_dir=repository.common_dir,
        input=lines.encode(),
        config=_SYNCED,
    )


async def _index_objects(metadata: Path, tip: str | None) -> set[str]:
    """Return what the index has and HEAD has not, with the sides of all conflicts."""
    differs = (
        ["diff-index", "--cached", "--raw", "--no-renames", "-z", IGNORE_SUBMODULES, tip]
        if tip
        else ["ls-files", "--stage", "-z"]
    )
    outputs = await asyncio.gather(
        run_git(differs, git_dir=metadata),
        run_git(["ls-files", "--unmerged", "--resolve-undo", "-z"], git_dir=metadata),
    )
    found: set[str] = set()
    for output in outputs:
        # A path may look like an object id. To keep one object too many does no harm.
        found.update(oid.decode() for oid in _OID.findall(output.stdout))
    return found


async def _kinds(repository: Repository, oids: Collection[str]) -> Mapping[str, bytes]:
    """Return the kind of each object that exists."""
    said = await run_git(
        ["cat-file", "--batch-check=%(objectname) %(objecttype)"],
        git_dir=repository.common_dir,
        input="".join(f"{oid}\n" for oid in sorted(oids)).encode(),
    )
    pairs = [line.split() for line in said.stdout.splitlines()]
    return {oid.decode(): kind for oid, kind in pairs if kind != b"missing"}


async def _not_reachable(
    repository: Repository, commits: Collection[str], tip: str | None
) -> Collection[str]:
    """Return the fewest of the commits that keep all of them, in addition to the tip."""
    if not commits:
        return ()
    with suppress(ExternalFailure):
        said = await run_git(
            ["rev-list", "--parents", "--stdin"],
            git_dir=repository.common_dir,
            input="".join(f"{oid}\n" for oid in (*commits, *([f"^{tip}"] if tip else []))).encode(),
        )
        lines = [line.split() for line in said.stdout.decode().splitlines()]
        parents = {oid for line in lines for oid in line[1:]}
        return [line[0] for line in lines if line[0] not in parents]
    # A reflog may name a commit whose history was collected; a ref on it would break every gc.
    return [oid for oid in commits if await _is_whole(repository, oid)]


async def _is_whole(repository: Repository, oid: str) -> bool:
    said = await run_git(
        ["rev-list", "--quiet", oid], git_dir=repository.common_dir, check=False, nice=True
    )
    return said.exit_code == 0


async def _tree_of(repository: Repository, kinds: Mapping[str, bytes]) -> str:
    """Write one tree that holds all the blobs and trees, named by their ids."""
    listing = "".join(
        f"{_MODES[kind]} {kind.decode()} {oid}\t{oid}\0"
        for oid, kind in sorted(kinds.items())
        if kind in _MODES
    )
    made = await run_git(
        ["mktree", "-z"], git_dir=repository.common_dir, input=listing.encode(), config=_SYNCED
    )
    return made.stdout.decode().strip()
