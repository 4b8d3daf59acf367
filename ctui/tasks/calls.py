"""Calls of front ends to the driver: one struct for each, on both sides of the socket."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

import msgspec

from ctui.config import Config
from ctui.tasks.model import Answer, Ask, Task, TaskOptions

T = TypeVar("T")


class Call(msgspec.Struct, Generic[T], frozen=True):
    """Base of all calls: `method` names it on the wire, `T` is what it returns."""

    method: ClassVar[str]
    returns: ClassVar[type]


class Login(msgspec.Struct, frozen=True, omit_defaults=True):
    """The caller's own credential, where it is sent, and from which shell the command comes.

    For runs that this call starts. The driver keeps it in memory only; an empty one lets it look
    for its own.
    """

    environment: dict[str, str] = {}
    stored: bool = False
    """The one that `ctui setup` stored, whatever the driver's environment says."""
    base_url: str = ""
    """Of the API; counts only with one of the two above: a key never goes to another's server."""
    variables: dict[str, str] = {}
    """Variables of the caller's environment that the task's MCP servers refer to."""
    caller: dict[str, str] = {}
    """Variables of the caller's environment that git and proxies are decided by (`git.caller`)."""

    def __repr__(self) -> str:
        return "Login(…)" if self.environment else f"Login(stored={self.stored})"

    def __rich_repr__(self) -> list[tuple[str, bool]]:
        # The inherited one would put the secrets into a formatted traceback.
        return [("stored", self.stored)]


class StartTask(Call[Task], frozen=True):
    """Call that makes a task and puts it into the queue. Returns at once, in state `queued`.

    `task` is the wanted id; empty lets the driver choose one after the worktree's name.
    """

    method: ClassVar[str] = "start"
    returns: ClassVar[type] = Task
    task: str
    repository: str
    worktree: str
    metadata: str | None
    branch: str | None
    base: str | None
    prompt: str
    options: TaskOptions = TaskOptions()
    trust: bool = False
    """Trust the repository's own Claude settings in this task's runs."""
    detached: bool = True
    login: Login = Login()
    config: Config | None = None
    """The caller's settings for the runs that this call starts; None takes the driver's own."""
    directory: str = ""
    """The folder in the worktree that the task starts in, relative to it; "" is its root."""
    engine: str = ""
    """`Endpoint.identity` of the engine that the caller means; "" takes the driver's."""
    staged: str = ""
    """Name of the folder of files that the prompt comes with (`tasks.attachments`); "" is none."""


class SendMessage(Call[Task], frozen=True):
    """A follow-up. A task that sleeps or ended is started again with it.

    `id` is a UUID that the caller chose, so that a call that is repeated is one message.
    """

    method: ClassVar[str] = "send"
    returns: ClassVar[type] = Task
    task: str
    id: str
    text: str
    login: Login = Login()
    config: Config | None = None
    unattended: bool = False
    """For the turn that this message begins, whatever the task's options say."""
    timeout: int | None = None
    """Seconds of work for that turn; None takes the task's."""
    staged: str = ""
    """Name of the folder of files that it comes with, as in `StartTask`."""


class AnswerAsk(Call[Ask], frozen=True):
    """Call that answers an ask. Raises Conflict if somebody else was first or it is gone."""

    method: ClassVar[str] = "answer"
    returns: ClassVar[type] = Ask
    ask: int
    answer: Answer


class InterruptTask(Call[Task], frozen=True):
    """Call that ends the turn; the conversation stays open."""

    method: ClassVar[str] = "interrupt"
    returns: ClassVar[type] = Task
    task: str


class StopTask(Call[Task], frozen=True):
    """Call that stops the sandbox and returns when its last work was imported.

    A task whose turn is over is `completed` if `completed` says so, else `stopped`.
    """

    method: ClassVar[str] = "stop"
    returns: ClassVar[type] = Task
    task: str
    completed: bool = False


class ResumeTask(Call[Task], frozen=True):
    """Call that starts a new run of the same conversation, without a new message."""

    method: ClassVar[str] = "resume"
    returns: ClassVar[type] = Task
    task: str
    login: Login = Login()
    config: Config | None = None


class RemoveTask(Call[None], frozen=True):
    """Call that stops a task and takes it off the list, with `purge` its journal and home too."""

    method: ClassVar[str] = "remove"
    returns: ClassVar[type] = type(None)
    task: str
    purge: bool = False
    force: bool = False
    """Purge also a task whose commits could not be brought home."""


class PutBackTask(Call[Task], frozen=True):
    """Call that puts a task on the list again that was taken off it, ended as it is."""

    method: ClassVar[str] = "put-back"
    returns: ClassVar[type] = Task
    task: str


class MarkRead(Call[Task], frozen=True):
    """Call that says that the person has read what a task did and told until a time."""

    method: ClassVar[str] = "mark-read"
    returns: ClassVar[type] = Task
    task: str
    at: int
    """Nanoseconds since the epoch, such as `activity.rested`: what came later stays unread."""


class HoldShell(Call[str], frozen=True):
    """Call that says how a person's shell in a task's sandbox is; made again as long as it is open.

    Returns:
        with `open` the sandbox, made without the CLI where there was none; else "".
    """

    method: ClassVar[str] = "hold-shell"
    returns: ClassVar[type] = str
    task: str
    shell: str
    """A UUID that the caller chose."""
    idle: float = 0.0
    """Seconds since somebody typed in it."""
    open: bool = False
    """It needs a sandbox."""
    over: bool = False
    """It has ended."""


class Follow(Call["Followed"], frozen=True):
    """Call that turns this connection into a stream of the task's journal (see `rpc.Frame`)."""

    method: ClassVar[str] = "follow"
    task: str


class Followed(msgspec.Struct, frozen=True):
    """The archive's size when the stream began: what is before it, is read from the disk."""

    offset: int


class Watch(Call[None], frozen=True):
    """Call that turns this connection into `Update`s: first all that is, then every change."""

    method: ClassVar[str] = "watch"
    returns: ClassVar[type] = type(None)
    task: str = ""
    """Only this task; empty means all."""


class Present(msgspec.Struct, frozen=True):
    """All that there is when a stream begins: whatever a watcher knows beyond it is gone."""

    tasks: list[str]
    asks: list[int]
    """Those that may still be open."""


class Update(msgspec.Struct, frozen=True, omit_defaults=True):
    """A task or an ask as it is now."""

    task: Task | None = None
    ask: Ask | None = None
    removed: str = ""
    """The id of a task that was removed."""
    present: Present | None = None
    """The first of a stream of all tasks, also of one that began again."""


class LendNetwork(Call[str], frozen=True):
    """Call that lets a build reach what a repository's tasks do: a folder of the gateway's sockets.

    It is closed after five minutes in which the call was not repeated.
    """

    method: ClassVar[str] = "lend-network"
    returns: ClassVar[type] = str

    name: str
    """Of the build, by which it is repeated."""
    repository: str
    """The main repository's `.git` folder."""


class RulesChanged(Call[None], frozen=True):
    """Call that has the rules of hosts count as they are kept now, also for what waits."""

    method: ClassVar[str] = "rules-changed"
    returns: ClassVar[type] = type(None)


class HandOver(Call[None], frozen=True):
    """Call that ends the driver and leaves all running, for one of another version to take over."""

    method: ClassVar[str] = "hand-over"
    returns: ClassVar[type] = type(None)


Follow.returns = Followed
