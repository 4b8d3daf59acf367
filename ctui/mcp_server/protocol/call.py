"""Context that a tool is given beside its arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ctui.errors import InvalidInput, NotFound
from ctui.paths import Paths
from ctui.text import one_line

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext
    from mcp.server.session import ServerSession
    from mcp_types import InputResponse

    from ctui.client.client import Client
    from ctui.git.repository.repository import Repository

_INPUT_REQUIRED_SINCE = "2026-07-28"
"""The first version whose server asks by a result instead of a request of its own (SEP-2322)."""


@dataclass
class State:
    """State that all calls of one server share."""

    paths: Paths
    repo: Path
    """The repository that is meant where none is named; absolute."""
    unheard: set[str] = field(default_factory=set)
    """Tasks that a call waited for which had no result: it was cancelled, or its client is gone."""


@dataclass(frozen=True)
class Call:
    """One call of a tool."""

    state: State
    context: ServerRequestContext[State]
    responses: Mapping[str, InputResponse]
    """Key of what the result before asked -> the client's answer."""
    request_state: str | None = None

    @property
    def paths(self) -> Paths:
        return self.state.paths

    @property
    def session(self) -> ServerSession:
        return self.context.session

    def client(self) -> Client:
        """Return a client of its own, so that a call that takes long is in no other's way."""
        from ctui.client.client import Client

        return Client(self.paths)

    def repository(self, repo: str = "") -> Repository:
        """Return the repository that an argument names, or the server's own.

        Raises:
            InvalidInput, NotFound, Refused: it cannot be used.
        """
        from ctui.git.repository.repository import open_repository

        return open_repository(self.place(repo))

    def place(self, repo: str) -> Path:
        """Return the folder that an argument names, or the server's own. Raises as `folder`."""
        return self.folder(repo) if repo else self.state.repo

    def folder(self, path: str) -> Path:
        """Return the folder that an argument names, relative to the server's repository.

        Raises:
            InvalidInput: it leads upwards.
            NotFound: there is no such folder.
        """
        shown = one_line(repr(path), 200)
        if ".." in Path(path).parts:
            raise InvalidInput(f"the path {shown} leads upwards", hint="write it without ..")
        found = self.state.repo / path
        try:
            there = found.is_dir()
        except (OSError, ValueError):
            there = False
        if not there:
            raise NotFound(f"there is no folder {shown}", hint="name one in a git repository")
        return found

    @property
    def can_elicit(self) -> bool:
        """Return True if the client shows forms; a bare `elicitation: {}` means that it does."""
        capabilities = self.session.client_capabilities
        elicitation = capabilities.elicitation if capabilities is not None else None
        return elicitation is not None and (elicitation.form is not None or elicitation.url is None)

    @property
    def asks_by_result(self) -> bool:
        """Return True if the protocol has no request from the server to the client."""
        from mcp_types.version import is_version_at_least

        return is_version_at_least(self.context.protocol_version, _INPUT_REQUIRED_SINCE)

    async def progress(self, count: float, text: str) -> None:
        """Tell how it goes; nothing happens where the client did not ask to know."""
        await self.session.report_progress(count, None, text)
