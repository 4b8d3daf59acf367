"""Uploads of what a branch's pointers of Git LFS stand for, before the branch itself is pushed."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Mapping

from ctui.errors import ExternalFailure, Unavailable
from ctui.git.process.command import run_git
from ctui.git.repository.repository import Repository
from ctui.git.stored.attributes import LFS, attributes_at
from ctui.git.stored.lfs_objects import pointers_in
from ctui.text import one_line

_SECONDS = 3600


async def push_lfs_objects(
    repository: Repository, remote: str, ref: str, environment: Mapping[str, str]
) -> None:
    """Upload the files of Git LFS that a remote lacks of a branch.

    Args:
        repository: whose branch it is.
        remote: its name.
        ref: the branch's full name.
        environment: how the remote is reached.

    Raises:
        Unavailable: there is no git-lfs here.
        ExternalFailure: they cannot be uploaded.
    """
    if not await _has_pointers(repository, remote, ref):
        return
    branch = one_line(ref.removeprefix("refs/heads/"))
    if shutil.which("git-lfs") is None:
        raise Unavailable(
            f"{branch} has files of Git LFS, which would not go with it",
            hint="install git-lfs, then push again",
        )
    try:
        await run_git(
            ["lfs", "push", remote, ref],
            git_dir=repository.common_dir,
            timeout=_SECONDS,
            cwd=repository.work_tree or repository.common_dir,
            env=environment,
        )
    except ExternalFailure as error:
        raise ExternalFailure(
            f"the files of Git LFS of {branch} cannot be uploaded: {error.message}",
            hint=f"git lfs push {one_line(remote)} {branch} tells more",
            stderr=error.stderr,
        ) from error


async def _has_pointers(repository: Repository, remote: str, ref: str) -> bool:
    """Return True if commits that the remote is not known to have hold pointers."""
    git_dir = repository.common_dir
    listed = await run_git(
        ["rev-list", "--objects", ref, "--not", f"--remotes={remote}"], git_dir=git_dir, timeout=300
    )
    named: dict[bytes, set[bytes]] = defaultdict(set)
    for line in listed.stdout.split(b"\n"):
        oid, _, path = line.partition(b" ")
        if path:
            named[path].add(oid)
    rules = await attributes_at(git_dir, ref, named)
    oids = {oid for path, rule in rules.items() if rule.filter == LFS for oid in named[path]}
    return bool(oids and await pointers_in(git_dir, oids))
