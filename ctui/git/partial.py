"""Partial clones: objects that a remote has promised, and that were not fetched yet.

Git fetches them when it needs them. Here that is switched off (`GIT_NO_LAZY_FETCH`): a look at
worktrees must not talk to a network, and a task's commits must not decide what is fetched. Where a
person wants a checkout or a landing, what those need is fetched from the promisor remote.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from ctui.errors import CtuiError, Unavailable
from ctui.git.command import GitOutput, run_git
from ctui.git.network import remote_environment
from ctui.git.repository import Repository
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


async def reset_fetching(repository: Repository, metadata: Path, path: Path) -> None:
    """Write the files of a new worktree of a partial clone, once what they need is there.

    Git itself knows which objects a checkout needs, also a sparse one, and fetches them in one go.

    Raises:
        Unavailable: the remote cannot be reached, or has them no more.
    """
    remote = promisor_remote(repository)
    if remote is None:
        return
    output = await run_git(
        ["reset", "--quiet", "--hard", "--no-recurse-submodules"],
        git_dir=metadata,
        work_tree=path,
        timeout=_SECONDS,
        env={**await remote_environment(repository), "GIT_NO_LAZY_FETCH": "0"},
        config=_absolute(repository, remote),
        check=False,
    )
    if output.exit_code:
        raise _not_given(repository, remote, output)


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
        output = await run_git(
            ["diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", str(base), new],
            git_dir=repository.common_dir,
            timeout=_SECONDS,
            env={**await remote_environment(repository), "GIT_NO_LAZY_FETCH": "0"},
            cwd=_where(repository),
            check=False,
        )
        if output.exit_code:
            raise _not_given(repository, remote, output)
        for field in output.stdout.split(b"\0")[::2]:
            if not field.startswith((b":160000", b":000000 160000")) and (
                found := _OBJECT.match(field)
            ):
                wanted |= {found[1], found[2]} - {_NONE}
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


def _absolute(repository: Repository, remote: str) -> dict[str, str]:
    """Return the setting that makes a relative path of a remote absolute.

    Git takes it relative to the new worktree, where it goes to write files.
    """
    with suppress(KeyError):
        url = repository.git.config[f"remote.{remote}.url"]
        if url is not None and url.startswith(("./", "../")):
            return {f"url.{(_where(repository) / url).resolve()}.insteadOf": url}
    return {}


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
