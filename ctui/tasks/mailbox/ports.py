"""Ports to what the runs need from outside, so that a test can be the outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Container, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from ctui.claude.login.credentials import Credential
from ctui.claude.mcp.mcp_servers import Resolved
from ctui.claude.personal.collect import ManagedFile
from ctui.claude.protocol.fields import JsonObject
from ctui.config import Config
from ctui.errors import ConsentRequired
from ctui.sandbox.named_ports import NamedPort
from ctui.sandbox.runner import SandboxRunner
from ctui.sandbox.services import Service
from ctui.sandbox.spec import Mount
from ctui.tasks.calls import Login, Update
from ctui.tasks.disk_usage import Usage
from ctui.tasks.journal.archive import Journal
from ctui.tasks.model import Message, Run, Task, TaskOptions, WorkState
from ctui.tasks.store import Store
from ctui.tasks.turn import TurnFiles

if TYPE_CHECKING:
    from ctui.tasks.network.lent import Lent
    from ctui.tasks.network.sealed import SealedRun


class Provided(NamedTuple):
    """A task's files, as its sandbox gets them."""

    mounts: tuple[Mount, ...]
    uid: int
    gid: int
    directory: str = ""
    """Folder of the worktree in which the task starts; "" is its root."""
    isolated: bool = False
    """True if it sees nothing of the repository but what it started from."""


class Account(NamedTuple):
    """A credential and the server that it is for; neither is ever used with another one."""

    credential: Credential
    base_url: str = ""
    """Empty means the CLI's own default."""
    servers: Resolved | None = None
    """The task's MCP servers with their secrets, if it has any."""
    environ: Mapping[str, str] | None = None
    """The environment of the person's last command; None means this process's own."""
    lent: Lent | None = None
    """Loan of the gateway to a sealed run; None where it was not read."""
    headers: tuple[tuple[str, str], ...] = ()
    """Further headers of each call, as a company's gateway wants them."""
    secrets: Mapping[str, str] = {}
    """Variables with the values of the task's secrets."""


class Workspace(Protocol):
    """Files of tasks: their way into the sandboxes, and the way home of their commits."""

    async def provide(self, task: Task, managed: Mapping[str, ManagedFile]) -> Provided:
        """Make ready what a run needs, and the settings that bind it where it cannot write.

        Raises:
            CtuiError: the repository or the worktree is not what it was.
        """

    async def attach(self, task_id: str, text: str, staged: str) -> tuple[str, str]:
        """Give a task the files of a call; return the message with a note, and their names.

        Raises:
            CtuiError: they are gone, or the message is too long with them.
        """

    def media(self, task: Task, message: Message) -> Sequence[JsonObject]:
        """Return the images and documents that came with a message."""

    async def is_trusted(self, task: Task) -> bool:
        """Return True where the repository's own Claude settings count in the task's runs."""

    async def base_file(self, task: Task, path: str) -> str:
        """Return a text file of the commit that the task started from, or "" if it has none."""

    async def collect(self, task: Task) -> WorkState | None:
        """Bring home what is new; None if nothing is. What is wrong is in the result."""

    async def snapshot(self, task: Task, turn: int, *, at_end: bool) -> TurnFiles:
        """Keep the files as they are before a turn, or at its end; that makes room, too.

        Raises:
            CtuiError: they cannot be read, or not be kept.
        """

    async def refresh(self, task: Task) -> None:
        """Bring what is new in the repository to a task that is about to work; never raises."""

    async def trouble(self, task: Task) -> str:
        """Return one sentence that says what is wrong with the task's folders, or ""."""

    async def discard(self, task: Task) -> None:
        """Delete what only this task used on the host."""

    async def usage(self, task: Task, files: int) -> Usage:
        """Measure what the task's run can write on this machine.

        The files that the repository has itself do not count; of the others, it may stop to count
        beyond so many.
        """

    async def free_space(self, task: Task) -> tuple[int, str]:
        """Return what is left of the fullest disk that has the task's files, and a folder on it."""


class ConsentQuestion(NamedTuple):
    """Question to a person before an environment is built."""

    repository: str
    """Name of the repository."""
    file: str
    """The file of its definition."""
    digest: str
    """Hash of all that is built and run; a consent is to nothing else."""
    text: str
    """All that is built and run."""


class ConsentMissing(ConsentRequired):
    """Nobody has consented to an environment yet; it has what is to be shown."""

    def __init__(self, question: ConsentQuestion) -> None:
        super().__init__(
            f"its environment ({question.file}) needs your consent",
            hint="answer what it asks, or `ctui env build --yes`",
        )
        self.question = question


class BuiltEnvironment(NamedTuple):
    """An environment that a task can run in; with an empty id ctui's default image."""

    id: str = ""
    volumes: Mapping[str, str] = {}
    notes: tuple[str, ...] = ()
    """Reasons why something of it is not in the task."""
    services: tuple[Service, ...] = ()
    secrets: tuple[str, ...] = ()
    """Names of the person's secrets that the task gets."""
    start_commands: tuple[str, ...] = ()
    """Lines for the shell that run at each start of the task."""
    named_ports: tuple[NamedPort, ...] = ()

    def given_to(self, options: TaskOptions) -> TaskOptions:
        """Return the options of a task that has waited for this environment."""
        return msgspec.structs.replace(
            options,
            environment=self.id,
            volumes=dict(self.volumes),
            services=self.services,
            secrets=(*options.secrets, *self.secrets),
            start_commands=self.start_commands,
            named_ports=self.named_ports,
            environment_due="",
        )


class Environments(Protocol):
    """Environments that tasks wait for."""

    async def provide(
        self, task: Task, config: Config, agreed: Collection[str], say: Callable[[str], None]
    ) -> BuiltEnvironment:
        """Build the environment of a task's base commit, and fill its worktree.

        Args:
            task: whose first run waits for it.
            config: of that run.
            agreed: hashes that the person has consented to in answers to this task.
            say: takes each step as it begins.

        Raises:
            ConsentMissing: nobody has consented to what it is now.
            CtuiError: it cannot be read or built.
        """


class LoginSource(Protocol):
    """The login and the secrets of each task's runs."""

    def remember(self, task: str, login: Login) -> None: ...

    def accepted(self, task: str) -> None: ...

    def forget(self, task: str) -> None:
        """Keep nothing of a task that is off the list."""

    def variable(self, task: str) -> str:
        """Return the variable of the environment that a task's login came from, or ""."""

    async def of(self, task: Task, *, needed: bool) -> Account | None: ...

    async def another(self, task: Task) -> bool: ...


class Archives(Protocol):
    """The journals of all tasks, each open once, and the records beside them."""

    def of(self, task_id: str) -> Journal: ...

    async def archived(self, run: Run) -> Counter[str]:
        """Return how many lines of each stream of a run its archive holds."""

    async def sync(self, task_id: str) -> None:
        """Put an archive and the store on the disk itself, if that can be done."""

    def keep(self, task: Task) -> None:
        """Write a task's record beside its journal, from which a lost store is rebuilt."""

    def close(self, task_id: str) -> None: ...

    def rest(self, task_id: str) -> None:
        """Close a journal that nobody follows."""

    def close_all(self) -> None: ...


class Network(Protocol):
    """The gateway, which sealed runs have instead of a network."""

    async def open(self, run: SealedRun) -> None:
        """Let a run reach what it may; its folder and its sockets are there then.

        Raises:
            RunnerUnavailable: the gateway does not serve it.
        """

    async def close(self, task: str) -> None:
        """Take everything away that a task reached: none of its sandboxes is left."""

    async def close_others(self, at_work: Container[str]) -> None:
        """Take away what an earlier driver opened for tasks that are not at work.

        It may have died before it made a sandbox, which nobody finds then.
        """

    async def lend(self, name: str, repository: str) -> Path:
        """Let a build reach what the repository's tasks do; return the folder of its sockets.

        It is closed after a few minutes in which nobody has asked for it again.

        Raises:
            RunnerUnavailable: the gateway does not serve it.
        """

    def decide(self, request: str, *, allow: bool) -> None:
        """Let what waits for a host go on, or refuse it."""

    def rules_changed(self) -> None:
        """Have the rules of hosts count as they are kept now."""


class Services(NamedTuple):
    """Services that the runs of all tasks share."""

    store: Store
    runner: SandboxRunner
    workspace: Workspace
    logins: LoginSource
    journals: Archives
    network: Network
    instance: str
    """The label of everything that is ours."""
    config: Callable[[], Config]
    """Returns the settings as they are now, for a run whose caller brought none."""
    publish: Callable[[Update], None]
    now: Callable[[], int]
    """Returns nanoseconds since the epoch."""
    sockets: Path = Path("/nonexistent")
    """Folder in which each sealed run has one of its own."""
    config_folder: Path = Path("/")
    """Folder of the file of settings, where relative paths in it begin."""
    authority: Callable[[], str] = str
    """Returns the certificate, as PEM, by which the gateway is a host that it opens."""
    environments: Environments | None = None
    """None where no task waits for one."""
    booted: int = 0
    """Start of this machine, on the same clock; 0 if unknown."""
