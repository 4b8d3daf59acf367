"""Partial clones: objects that a remote has promised, and that were not fetched yet.

Git fetches them when it needs them. Here that is switched off (`GIT_NO_LAZY_FETCH`): a look at
worktrees must not talk to a network, and a task's commits must not decide what is fetched. Where a
person wants a checkout or a landing, what those need is fetched from the promisor remote.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from pathlib import Path

from ctui.errors import CtuiError, Unavailable
from ctui.git.process.command import GitOutput, run_git
from ctui.git.repository.network import remote_environment
from ctui.git.repository.repository import Repository
from ctui.git.repository.sparse import outside, sparse_of
from ctui.text import one_line

_SECONDS = 600
_PROMISOR = re.compile(rb"remote\.(.+)\.promisor", re.IGNORECASE)
_OBJECT = re.compile(rb"^:\d+ \d+ ([0-9a-f]{40}) ([0-9a-f]{40}) ")
_CREDENTIALS = re.compile(r"(://)[^/@\s]*@")
_NONE = b"0" * 40


def promisor_remote(repository: Repository) -> str | None:
    """Return the remote that has promised objects, or None for a clone that has all of them."""
    config = repository.git.config
    for entry in config:
        found = _PROMISOR.fullmatch(entry.raw_name)
        if found and config.get_bool(entry.name):
            return os.fsdecode(found[1])
    if "extensions.partialclone" in config:
        return config["extensions.partialclone"]
    return None


def completing_command(repository: Repository) -> str:
    """Return the command that fetches all that a partial clone lacks; "" for any other clone."""
    remote = promisor_remote(repository)
    return f"git fetch --refetch --no-filter {one_line(remote)}" if remote is not None else ""


async def fetch_for_checkout(repository: Repository, metadata: Path, commit: str) -> None:
    """Fetch what the files of a commit need and is not there, in one go.

    Args:
        repository: that may be a partial clone.
        metadata: of the worktree that is about to have the files; a sparse one needs fewer.
        commit: that is to be checked out.

    Raises:
        Unavailable: the remote cannot be reached, or has them no more.
    """
    remote = promisor_remote(repository)
    if remote is None:
        return
    listed = await _read_trees(repository, remote, ["ls-tree", "-r", "-z", "--full-tree", commit])
    files: dict[bytes, bytes] = {}
    for entry in filter(None, listed.split(b"\0")):
        facts, _, path = entry.partition(b"\t")
        mode, _, name = facts.split()
        if mode != b"160000":
            files[path] = name
    if await sparse_of(metadata) is not None:
        for path in await outside(metadata, files):
            del files[path]
    await _fetch_missing(repository, remote, set(files.values()))


async def fetch_for_merge(repository: Repository, ours: str, theirs: str) -> None:
    """Fetch what a merge of two commits needs and is not there: what each side changed.

    Raises:
        Unavailable: the remote cannot be reached, or has them no more.
    """
    remote = promisor_remote(repository)
    base = repository.git.merge_base(ours, theirs) if remote is not None else None
    if remote is None or base is None:
        return
    wanted: set[bytes] = set()
    for new in (ours, theirs):
        command = ["diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", str(base), new]
        for field in (await _read_trees(repository, remote, command)).split(b"\0")[::2]:
            if not field.startswith((b":160000", b":000000 160000")) and (
                found := _OBJECT.match(field)
            ):
                wanted |= {found[1], found[2]} - {_NONE}
    await _fetch_missing(repository, remote, wanted)


async def _read_trees(repository: Repository, remote: str, command: list[str]) -> bytes:
    """Return the output of a git that may fetch the trees that it reads."""
    output = await run_git(
        command,
        git_dir=repository.common_dir,
        timeout=_SECONDS,
        env={**await remote_environment(repository), "GIT_NO_LAZY_FETCH": "0"},
        cwd=_where(repository),
        check=False,
    )
    if output.exit_code:
        raise _not_given(repository, remote, output)
    return output.stdout


async def _fetch_missing(repository: Repository, remote: str, wanted: set[bytes]) -> None:
    # libgit2 never fetches; git itself would, or fail, at the first one that is missing.
    there = repository.git.odb
    if missing := [name for name in sorted(wanted) if name.decode() not in there]:
        await _fetch(repository, remote, missing)


async def _fetch(repository: Repository, remote: str, objects: Collection[bytes]) -> None:
    """Fetch objects by name, as git's own lazy fetch does."""
    output = await run_git(
        [
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--recurse-submodules=no",
            "--no-auto-maintenance",
            "--filter=blob:none",
            "--stdin",
            "--end-of-options",
            remote,
        ],
        git_dir=repository.common_dir,
        input=b"".join(name + b"\n" for name in objects),
        timeout=_SECONDS,
        env=await remote_environment(repository),
        cwd=_where(repository),
        config={"fetch.negotiationAlgorithm": "noop"},
        check=False,
    )
    if output.exit_code:
        raise _not_given(repository, remote, output)


def _where(repository: Repository) -> Path:
    """Return the folder at which a remote's relative path begins."""
    return repository.work_tree or repository.common_dir


def _not_given(repository: Repository, remote: str, output: GitOutput) -> CtuiError:
    lines = [line for line in output.stderr.splitlines() if line.startswith(("fatal:", "error:"))]
    told = [line for line in lines if "promisor remote" not in line] or lines or ["no reason given"]
    reason = _CREDENTIALS.sub(r"\1", one_line(told[0].partition(": ")[2] or told[0], 200))
    return Unavailable(
        f"{repository.name} is a partial clone, and {one_line(remote)} does not give what is "
        f"missing: {reason}",
        hint=f"when it can be reached: {completing_command(repository)}",
    )
