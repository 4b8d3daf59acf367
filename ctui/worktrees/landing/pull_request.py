"""Pull requests by GitHub's own program, `gh`, with the person's own login."""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec

from ctui.errors import CtuiError, ExternalFailure, InvalidInput, Refused, Unavailable
from ctui.git.repository.repository import Repository
from ctui.text import one_line
from ctui.worktrees.landing.host_program import host_program
from ctui.worktrees.landing.publish import choose_remote, remote_url

_ADDRESS = re.compile(
    r"(?:(?:https?|ssh|git)://)?(?:[^@/\s]*@)?"
    r"(?P<host>[A-Za-z0-9.-]+)(?::\d+/|[:/])/?"
    r"(?P<owner>[A-Za-z0-9._-]+)/(?P<name>[A-Za-z0-9._-]+?)(?:\.git)?/?"
)
_WEB_ADDRESS = re.compile(r"https://\S+")


class HostedRepository(NamedTuple):
    """Repository at a host that has pull requests."""

    host: str
    owner: str
    name: str

    @property
    def selector(self) -> str:
        """The name in the form of `gh --repo`."""
        prefix = "" if self.host == "github.com" else f"{self.host}/"
        return f"{prefix}{self.owner}/{self.name}"


class MergedPullRequest(msgspec.Struct, frozen=True):
    """Pull request that was merged at exactly the commit that was asked for."""

    number: int
    url: str


class _Listed(msgspec.Struct):
    number: int
    headRefOid: str  # noqa: N815 - gh's name
    url: str


async def open_pull_request(
    repository: Repository,
    branch: str,
    *,
    base: str,
    title: str,
    body: str = "",
    remote: str | None = None,
) -> str:
    """Open a pull request for a branch that was pushed, and return its address.

    Args:
        repository: whose branch it is.
        branch: the short name, the same here and at the remote.
        base: the branch at the remote that it is to be merged into.
        title: one line.
        body: Markdown, may be empty.
        remote: its name; `origin` or the only one where it is not given.

    Raises:
        NotFound: there is no remote.
        InvalidInput: the title is empty, or the remote is no hosted repository.
        Refused: the branch is not at the remote as it is here, or nobody is logged in.
        Unavailable: gh is not installed; the hint has the address to open instead.
        ExternalFailure: gh failed.
    """
    if not title.strip():
        raise InvalidInput("a pull request needs a title")
    chosen = await choose_remote(repository, remote)
    there = await _host_of(repository, chosen)
    _refuse_unpushed(repository, chosen, branch)
    try:
        output = await host_program(
            "gh",
            [
                *("pr", "create"),
                f"--repo={there.selector}",
                f"--head={branch}",
                f"--base={base}",
                f"--title={one_line(title, 250)}",
                "--body-file=-",
            ],
            body,
        )
    except FileNotFoundError as error:
        raise Unavailable("gh is not installed", hint=_by_hand(there, base, branch)) from error
    found = _WEB_ADDRESS.findall(output)
    if not found:
        raise ExternalFailure("gh did not say where the pull request is", stderr=output)
    return one_line(found[-1], 300)


async def merged_pull_request(
    repository: Repository, head_oid: str, *, remote: str | None = None
) -> MergedPullRequest | None:
    """Return the pull request that was merged at exactly this head: a hint, never a proof.

    None if there is none, and also if gh is not there, not logged in, or fails.
    """
    try:
        there = hosted_repository(
            await remote_url(repository, await choose_remote(repository, remote))
        )
        if there is None:
            return None
        output = await host_program(
            "gh",
            [
                *("pr", "list"),
                f"--repo={there.selector}",
                f"--search={head_oid}",
                "--state=merged",
                "--json=number,headRefOid,url",
            ],
        )
        listed = msgspec.json.decode(output, type=list[_Listed])
    except (CtuiError, FileNotFoundError, msgspec.DecodeError):
        return None
    return next(
        (MergedPullRequest(p.number, one_line(p.url)) for p in listed if p.headRefOid == head_oid),
        None,
    )


def hosted_repository(url: str) -> HostedRepository | None:
    """Return host, owner and name of a remote's address, or None for another form."""
    match = _ADDRESS.fullmatch(url)
    if match is None or "." not in match["host"].strip("."):
        return None
    return HostedRepository(match["host"].lower(), match["owner"], match["name"])


async def _host_of(repository: Repository, remote: str) -> HostedRepository:
    there = hosted_repository(await remote_url(repository, remote))
    if there is None:
        raise InvalidInput(
            f"{one_line(remote)} is not at a host that gh knows", hint="open it by hand there"
        )
    return there


def _refuse_unpushed(repository: Repository, remote: str, branch: str) -> None:
    references = repository.git.references
    here, there = f"refs/heads/{branch}", f"refs/remotes/{remote}/{branch}"
    pushed = here in references and there in references
    if not pushed or repository.resolve(here) != repository.resolve(there):
        raise Refused(
            f"{one_line(branch)} is not at {one_line(remote)} as it is here", hint="push it first"
        )


def _by_hand(there: HostedRepository, base: str, branch: str) -> str:
    if there.host != "github.com":
        return f"install gh, or open it at {there.host}"
    from urllib.parse import quote

    compare = f"{quote(base)}...{quote(branch)}"
    return f"open https://github.com/{there.owner}/{there.name}/compare/{compare}?expand=1"
