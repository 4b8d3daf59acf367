"""Branches of pull requests (`pr:7`) and merge requests (`mr:7`).

`gh` or `glab` says which branch is meant, with the person's own login; git fetches it.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import NamedTuple

import msgspec
import pygit2

from ctui.errors import CtuiError, ExternalFailure, InvalidInput, NotFound, Unavailable
from ctui.git.exchange.swap import compare_and_swap
from ctui.git.process.command import run_git
from ctui.git.repository.network import remote_environment
from ctui.git.repository.repository import Repository
from ctui.text import one_line
from ctui.worktrees.existing_branch import ExistingBranch
from ctui.worktrees.landing.checkouts import checkout_of
from ctui.worktrees.landing.host_program import host_program
from ctui.worktrees.landing.publish import choose_remote
from ctui.worktrees.landing.pull_request import hosted_repository

_REQUEST = re.compile(r"(pr|mr):#?([1-9][0-9]{0,9})", re.IGNORECASE)
_COMMIT = re.compile(r"[0-9a-f]{4,40}")
_FETCH_SECONDS = 600


class Request(NamedTuple):
    """Pull request or merge request by its number."""

    kind: str
    """`pr` or `mr`."""
    number: int

    @property
    def program(self) -> str:
        return "gh" if self.kind == "pr" else "glab"

    @property
    def ref(self) -> str:
        """Its head at the remote."""
        place = "pull" if self.kind == "pr" else "merge-requests"
        return f"refs/{place}/{self.number}/head"


class _PullRequest(msgspec.Struct):
    """Answer of `gh pr view --json`."""

    headRefName: str  # noqa: N815 - gh's names
    isCrossRepository: bool = False  # noqa: N815


class _MergeRequest(msgspec.Struct):
    """Answer of `glab mr view --output json`."""

    source_branch: str
    source_project_id: int = 0
    target_project_id: int = 0


def parse_request(name: str) -> Request | None:
    """Return the request that a name means, or None for every other name.

    Raises:
        InvalidInput: it begins like one and has no number.
    """
    if (match := _REQUEST.fullmatch(name)) is not None:
        return Request(match[1].lower(), int(match[2]))
    if name[:3].lower() in {"pr:", "mr:"}:
        raise InvalidInput(f"{one_line(name, 60)!r} names no request", hint="pr:7, for example")
    return None


async def branch_name_of(repository: Repository, name: str) -> str:
    """Return the branch that a name means: of a request its branch here, else the name itself.

    Raises:
        NotFound: the request's branch is not here.
        CtuiError: as `requested_branch`.
    """
    request = parse_request(name)
    if request is None:
        return name
    there, cross = await _asked(repository, request, await _remote_of(repository))
    found = _local_name(repository, request, there, cross=cross)
    if f"refs/heads/{found}" not in repository.git.references:
        raise NotFound(
            f"the branch of {name}, {one_line(found)}, is not here",
            hint=f"ctui worktree create {name}",
        )
    return found


async def requested_branch(repository: Repository, request: Request) -> ExistingBranch:
    """Fetch a request's branch and return it.

    Raises:
        Unavailable: gh or glab is not installed; the hint has the way without it.
        NotFound: there is no remote.
        Refused, ExternalFailure: it could not be asked for, or fetched.
    """
    remote = await _remote_of(repository)
    there, cross = await _asked(repository, request, remote)
    name = _local_name(repository, request, there, cross=cross)
    ref = request.ref if cross else f"refs/heads/{there}"
    commit = await _fetched(repository, request, remote, ref)
    local = f"refs/heads/{name}"
    if local not in repository.git.references:
        return ExistingBranch(name, commit, remote, ref, cross)
    return ExistingBranch(name, _forward(repository, local, commit), foreign=cross)


async def _asked(repository: Repository, request: Request, remote: str) -> tuple[str, bool]:
    """Return the name of a request's branch, and True if it is in somebody's fork."""
    url = await _raw_url(repository, remote)
    hosted = hosted_repository(url)
    try:
        if request.kind == "pr":
            fields = "--json=headRefName,isCrossRepository"
            arguments = ["pr", "view", str(request.number), fields]
            where = [f"--repo={hosted.selector}"] if hosted else []
        else:
            arguments = ["mr", "view", str(request.number), "--output=json"]
            where = [f"--repo=https://{hosted.host}/{hosted.owner}/{hosted.name}"] if hosted else []
        # Only the program itself knows what an ssh alias or a path of the person stands for.
        cwd = None if hosted else repository.work_tree or repository.common_dir
        answer = await host_program(request.program, [*arguments, *where], cwd=cwd)
    except FileNotFoundError as error:
        by_hand = f"pr-{request.number}" if request.kind == "pr" else f"mr-{request.number}"
        raise Unavailable(
            f"{request.program} is not installed, which knows what {request.kind}:"
            f"{request.number} is",
            hint=f"install it, or: git fetch {one_line(remote)} {request.ref}:{by_hand}"
            f" && ctui worktree create {by_hand}",
        ) from error
    try:
        if request.kind == "pr":
            pull = msgspec.json.decode(answer, type=_PullRequest)
            there, cross = pull.headRefName, pull.isCrossRepository
        else:
            merge = msgspec.json.decode(answer, type=_MergeRequest)
            there, cross = merge.source_branch, merge.source_project_id != merge.target_project_id
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise ExternalFailure(
            f"{request.program} did not say what branch {request.kind}:{request.number} has",
            hint=f"`{request.program} {' '.join(arguments[:3])}` should tell",
        ) from error
    if not pygit2.reference_is_valid_name(f"refs/heads/{there}") or there.startswith("-"):
        raise ExternalFailure(f"{one_line(there, 60)!r} is no branch's name")
    return there, cross


def _local_name(repository: Repository, request: Request, there: str, *, cross: bool) -> str:
    """Return the name that a request's branch has here: its own, unless that is another branch."""
    if not cross:
        return there
    followed: str | None = None
    with suppress(KeyError):
        followed = repository.git.config[f"branch.{there}.merge"]
    taken = f"refs/heads/{there}" in repository.git.references
    ours = there == repository.default_branch() or (taken and followed != request.ref)
    return f"{request.kind}-{request.number}" if ours or _hides(repository, there) else there


def _hides(repository: Repository, name: str) -> bool:
    """Return True if a local branch of this name would be meant where something else is.

    A stranger chose it: `git rebase origin/main` would take their commits (gitrevisions(7)).
    """
    remotes = repository.git.remotes.names()
    return name.partition("/")[0] in {"HEAD", "refs", *remotes} or bool(_COMMIT.fullmatch(name))


async def _fetched(repository: Repository, request: Request, remote: str, ref: str) -> str:
    """Fetch a request's head into a ref of the remote, and return its commit."""
    short = ref.removeprefix("refs/heads/")
    place = f"{request.kind}/{request.number}" if ref == request.ref else short
    into = f"refs/remotes/{remote}/{place}"
    await run_git(
        [
            *("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"),
            *("--", remote, f"+{ref}:{into}"),
        ],
        git_dir=repository.common_dir,
        cwd=repository.work_tree or repository.common_dir,
        env=await remote_environment(repository),
        timeout=_FETCH_SECONDS,
    )
    return repository.resolve(into)


def _forward(repository: Repository, local: str, commit: str) -> str:
    """Move a branch that nobody has checked out on to what was fetched, if it only is behind."""
    here = repository.resolve(local)
    try:
        behind = here != commit and bool(repository.git.descendant_of(commit, here))
        if behind and checkout_of(repository, local) is None:
            compare_and_swap(repository.common_dir, local, here, commit, "ctui: fetch")
            return commit
    except (CtuiError, KeyError, pygit2.GitError):
        return here
    return here


async def _remote_of(repository: Repository) -> str:
    """Return the remote whose requests are meant: the one that worktrees are judged against."""
    return repository.remote() or await choose_remote(repository)


async def _raw_url(repository: Repository, remote: str) -> str:
    """Return a remote's address as it is configured, before `url.*.insteadOf`."""
    output = await run_git(
        ["config", "--get", "--", f"remote.{remote}.url"],
        git_dir=repository.common_dir,
        check=False,
    )
    return output.stdout.decode("utf-8", "surrogateescape").strip()
