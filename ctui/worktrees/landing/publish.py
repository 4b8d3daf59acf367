"""Pushing with the person's own credentials, without a question and without force."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ctui.errors import Conflict, ExternalFailure, InvalidInput, NotFound, Refused
from ctui.git.process.command import GitOutput, run_git
from ctui.git.repository.network import remote_environment
from ctui.git.repository.repository import Repository
from ctui.git.stored.stored import refuse_raw
from ctui.text import one_line
from ctui.worktrees.landing.lfs_push import push_lfs_objects

_SECONDS = 180
_OID = re.compile(r"[0-9a-f]{40}")
_CREDENTIALS = re.compile(r"(://)[^/@\s]*@")

_PUSH_OPTIONS = (
    *("--porcelain", "--no-verify", "--no-signed", "--no-follow-tags"),
    "--recurse-submodules=no",
)

_NO_PERMISSION = re.compile(
    r"permission denied|authentication failed|could not read (username|password)"
    r"|access denied|not allowed to push|error: 40[13]|host key verification failed",
    re.IGNORECASE,
)
_UNREACHABLE = re.compile(
    r"could not resolve|unable to access|does not appear to be a git repository"
    r"|could not read from remote|repository .{0,300}not found|timed out"
    r"|connection refused|no such file",
    re.IGNORECASE,
)


class Pushed(NamedTuple):
    """Branch that is at a remote now."""

    remote: str
    branch: str
    commit: str
    changed: bool
    """True if the remote did not have it already."""
    upstream_set: bool


async def push(
    repository: Repository,
    branch: str,
    *,
    remote: str | None = None,
    force_with_lease: str | None = None,
) -> Pushed:
    """Push a branch to the branch of the same name at a remote.

    No hook of the repository runs, and nothing is asked: ssh runs in batch mode, unless the person
    configured a command of their own.

    Args:
        repository: whose branch it is.
        branch: its short name.
        remote: its name; `origin` or the only one where it is not given.
        force_with_lease: the commit that the remote's branch must be at to be replaced, as 40 hex
            digits; without it nothing is ever replaced.

    Raises:
        NotFound: there is no such branch or remote.
        InvalidInput: there are several remotes and none is named.
        Conflict: the remote has commits that we do not have.
        Refused: the remote does not take it, or not from this person.
        Unavailable: files of Git LFS would have to go with it, and there is no git-lfs.
        GitTimeout, ExternalFailure: it cannot be reached.
    """
    ref = f"refs/heads/{branch}"
    if ref not in repository.git.references:
        raise NotFound(f"there is no branch {one_line(branch)}")
    if force_with_lease is not None and not _OID.fullmatch(force_with_lease):
        raise InvalidInput("the expected commit is not a full object id")
    chosen = await choose_remote(repository, remote)
    first = not await _has_upstream(repository, branch)
    command = ["push", *_PUSH_OPTIONS, *(["--set-upstream"] if first else [])]
    command += [f"--force-with-lease={ref}:{force_with_lease}"] if force_with_lease else []
    await _refuse_raw(repository, ref)
    environment = await remote_environment(repository)
    await push_lfs_objects(repository, chosen, ref, environment)
    output = await run_git(
        [*command, "--", chosen, f"{ref}:{ref}"],
        git_dir=repository.common_dir,
        timeout=_SECONDS,
        # A remote may be a relative path.
        cwd=repository.work_tree or repository.common_dir,
        env=environment,
        check=False,
    )
    state = _state_of(output.stdout, ref)
    if output.exit_code or state is None or state.startswith("!"):
        raise _failure(output, state or "", chosen, branch)
    return Pushed(chosen, branch, repository.resolve(ref), not state.startswith("="), first)


async def _refuse_raw(repository: Repository, ref: str) -> None:
    """Refuse what is stored transformed by what remotes have, whoever committed it."""
    known = [commit for _, commit in repository.refs("refs/remotes/")]
    hint = "take it out of the history first: git rebase --interactive"
    await refuse_raw(repository.common_dir, repository.resolve(ref), known, hint)


async def choose_remote(repository: Repository, name: str | None = None) -> str:
    """Return the remote of this name, or `origin`, or the only one there is.

    Raises:
        NotFound: there is none.
        InvalidInput: there are several, and none is called origin.
    """
    output = await run_git(["remote"], git_dir=repository.common_dir)
    remotes = output.stdout.decode("utf-8", "surrogateescape").splitlines()
    if name is not None and name in remotes:
        return name
    if name is not None:
        raise NotFound(
            f"there is no remote {one_line(name)}", hint="git remote lists those that there are"
        )
    if "origin" in remotes:
        return "origin"
    if len(remotes) == 1:
        return remotes[0]
    if remotes:
        raise InvalidInput("there are several remotes", hint=f"name one: {_list(remotes)}")
    raise NotFound("the repository has no remote", hint="git remote add origin URL")


async def remote_url(repository: Repository, remote: str) -> str:
    """Return the address that a remote is pushed to. It may hold credentials: never show it."""
    output = await run_git(
        ["remote", "get-url", "--push", "--", remote], git_dir=repository.common_dir
    )
    return output.stdout.decode("utf-8", "surrogateescape").strip()


def without_credentials(text: str) -> str:
    """Return the text without what stands between `://` and `@`."""
    return _CREDENTIALS.sub(r"\1", text)


async def _has_upstream(repository: Repository, branch: str) -> bool:
    return bool(await _setting(repository, f"branch.{branch}.merge"))


async def _setting(repository: Repository, key: str) -> str:
    output = await run_git(
        ["config", "--get", "--", key], git_dir=repository.common_dir, check=False
    )
    return output.stdout.decode("utf-8", "surrogateescape").strip()


def _state_of(stdout: bytes, ref: str) -> str | None:
    """Return flag and summary of a ref from `FLAG TAB FROM:TO TAB SUMMARY` (git-push(1))."""
    for line in stdout.decode("utf-8", "surrogateescape").splitlines():
        flag, _, rest = line.partition("\t")
        names, _, summary = rest.partition("\t")
        if names.endswith(f":{ref}"):
            return f"{flag} {summary}"
    return None


def _failure(
    output: GitOutput, state: str, remote: str, branch: str
) -> Conflict | Refused | ExternalFailure:
    said = without_credentials(output.stderr)
    name, where = one_line(branch), one_line(remote)
    if "fetch first" in state or "non-fast-forward" in state:
        return Conflict(
            f"{where} has commits of {name} that you do not have", hint="fetch and land again"
        )
    if "stale info" in state:
        return Conflict(
            f"{name} at {where} is not where it was expected", hint="fetch, and look at it again"
        )
    if "rejected" in state:
        reason = one_line(without_credentials(state.partition("]")[2]).strip(" ()"), 200)
        return Refused(
            f"{where} does not take {name}: {reason or 'rejected'}",
            hint="push another branch, or ask who keeps the remote",
        )
    if _NO_PERMISSION.search(said):
        return Refused(
            f"{where} does not let you push {name}",
            hint=f"log in first: `git push {where} {name}` in a shell must work without asking",
        )
    hint = "is its address right, and the network there? `git remote -v` shows it"
    return ExternalFailure(
        f"{where} cannot be reached"
        if _UNREACHABLE.search(said)
        else f"git push failed: {_last_line(said)}",
        hint=hint,
        argv=["git", "push", remote, branch],
        exit_code=output.exit_code,
        stderr=said,
    )


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return one_line(lines[-1] if lines else "no reason given", 200)


def _list(names: Sequence[str]) -> str:
    return ", ".join(one_line(name) for name in names[:5])
