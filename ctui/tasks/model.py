"""Records of tasks: plain data, the same in the driver, the store, the socket and `--json`.

Times are nanoseconds since the epoch, as in the journal.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

import msgspec

from ctui.claude.login.platform import Platform
from ctui.claude.mcp.mcp_server import McpServer
from ctui.config import PermissionMode
from ctui.sandbox.named_ports import NamedPort, port_text, shown_ports
from ctui.sandbox.services import Service
from ctui.tasks.activity import Activity, Note
from ctui.tasks.task_state import TaskState

__all__ = [
    "Alarm",
    "Answer",
    "Ask",
    "AskKind",
    "AskState",
    "BackgroundCommand",
    "Cause",
    "EndReason",
    "ImportedRef",
    "Message",
    "Notice",
    "Paused",
    "Run",
    "SandboxFacts",
    "Task",
    "TaskOptions",
    "TaskState",
    "WorkState",
]


class EndReason(StrEnum):
    """Reason for which a task ended."""

    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"


TaskReach = Literal["open", "allow", "closed", "unsealed"]
"""Reach of a task through the gateway, or that it is on a network of the engine's."""


class TaskOptions(msgspec.Struct, frozen=True, omit_defaults=True):
    """Options chosen when the task was made; fixed for its life."""

    model: str = ""
    permission_mode: PermissionMode = "default"
    skip_permissions: bool = False
    budget: float | None = None
    """US dollars over all runs of the task."""
    mcp_servers: dict[str, McpServer] = {}
    """Beside ctui's own. References, never secrets: these are filled in when a run starts."""
    program_servers: tuple[str, ...] = ()
    """Names of those that a program gave: no private address is reached by their names."""
    approval_tool: str = ""
    """`mcp__server__tool`: this tool decides on what the CLI asks, and not the person."""
    unattended: bool = False
    """Nobody will answer: what is asked is denied, and the task ends as `needs-input`."""
    timeout: int | None = None
    """Seconds of work in a turn; a longer one is interrupted, and the task ends as `timeout`."""
    trusted: bool = False
    """Use the repository's own Claude settings in this task's runs."""
    isolated: bool = False
    """Of the repository's objects only those that its first commit reaches are in its sandbox."""
    filters: tuple[str, ...] = ()
    """Clean filters of the person that run in its sandbox (`git.filters`)."""
    env: dict[str, str] = {}
    """Variables of its sandbox. On record they have no values: the store keeps these apart."""
    secrets: tuple[str, ...] = ()
    """Names of the secrets that it gets as variables; each run reads them anew."""
    files: tuple[str, ...] = ()
    """Ignored files of the checkout that were copied into its worktree; the first hundred."""
    environment: str = ""
    """The id of the environment that it runs in; "" is ctui's default image."""
    login: str = ""
    """Name of the login that all of its runs have; "" is the one that counts where a command is
    given."""
    volumes: dict[str, str] = {}
    """Mount point -> name of a volume that its environment gives to each task."""
    network: TaskReach | Literal[""] = ""
    """Its reach; "" in a task of before there was a gateway, which is unsealed."""
    allow_hosts: tuple[str, ...] = ()
    """Hosts that it reaches beside those of its mode, as `rule_of` reads them."""
    platform: Platform | None = None
    """Platform that answers its calls; None is Claude's own API, or `claude.base_url`."""
    services: tuple[Service, ...] = ()
    """Started beside each of its sandboxes, as its environment says."""
    start_commands: tuple[str, ...] = ()
    """Run at each of its starts beside the CLI, as its environment says."""
    named_ports: tuple[NamedPort, ...] = ()
    """Words of its environment on the ports that it may listen on."""
    environment_due: Literal["", "worktree", "new-worktree"] = ""
    """Set while its environment is to be agreed to and built before its first run; a new worktree
    gets the folders that it carries."""


Cause = Literal[
    "",
    "login",
    "consent",
    "budget",
    "timeout",
    "needs-input",
    "limit",
    "interrupted",
    "engine",
    "alarm",
    "store",
    "other",
]
"""The kind of a task's problem, for exit codes and for what a front end offers."""


Paused = Literal["", "journal", "home", "worktree", "files", "space"]
"""The limit because of which a task's sandbox is frozen; "" where it is not."""


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """Something on a task's channel that its driver did not cause."""

    at: int
    kind: str
    """`mode`, `ask`, `elicitation`, `session`, `figures`, `home`, `line`, `exposed`, `network`."""
    text: str
    """One sanitised sentence for a person."""
    evidence: str = ""
    """The beginning of the line, sanitised."""
    stopped: bool = False
    """The turn was stopped because of it."""


class BackgroundCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A command or subagent that the CLI left running behind its turn."""

    id: str
    command: str
    since: int


class SandboxFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The settings that a task's newest run was started with."""

    image: str = ""
    memory: str = ""
    cpus: float = 0.0
    pids: int = 0
    tmp: str = ""
    network: str = ""
    debugger: bool = False
    """Its processes may trace each other."""
    permission_mode: str = ""
    trusted: bool = False
    isolated: bool = False
    """It sees nothing of the repository but what it started from."""
    shared: bool = False
    """It has the folder that the tasks of its repository share."""
    skipped: tuple[str, ...] = ()
    """A line for each MCP server, and each thing of the person's own, that it does without."""
    personal: tuple[str, ...] = ()
    """Memory, skills, agents, … of the person's own that it has, a line for each kind."""


class Task(msgspec.Struct, kw_only=True):
    """One conversation with Claude Code on one worktree."""

    id: str
    repository: str
    """The main repository's `.git` folder."""
    worktree: str
    """The folder that the task sees as /workspace."""
    directory: str = ""
    """The folder in it that the CLI starts in, relative to it; "" is its root."""
    metadata: str | None
    """The worktree's folder below `.git/worktrees`; None for the person's own checkout."""
    branch: str | None
    base: str | None
    """The commit it started from, as a full object id."""
    session: str
    """The CLI's session id, a UUID."""
    prompt: str
    options: TaskOptions = TaskOptions()
    state: TaskState = TaskState.QUEUED
    reason: EndReason | None = None
    problem: str = ""
    """One sentence that says what is wrong and what to do; empty when nothing is."""
    cause: Cause = ""
    """The kind of the problem; "" when there is none."""
    paused: Paused = ""
    """The limit that it has exceeded: its sandbox is frozen until the task is resumed. For want of
    `space` it goes on by itself."""
    resume_at: int | None = None
    """Time at which it goes on by itself, after a usage limit with a reset time."""
    alarms: tuple[Alarm, ...] = ()
    """The first of them; `alarm_count` counts all."""
    alarm_count: int = 0
    unanswered: bool = False
    """True if the last message was read, and its turn has not come to a good end."""
    turn_unattended: bool = False
    """True if nobody will answer in the turn that the last message begins."""
    turn_timeout: int | None = None
    """Seconds of work for that turn; None takes the options'."""
    background: tuple[BackgroundCommand, ...] = ()
    """Commands that still run although the turn is over."""
    ports: tuple[int, ...] = ()
    """Ports that its run listens on, as far as the gateway knows them."""
    network: TaskReach = "unsealed"
    """Its reach through the gateway; "unsealed" is a network of the engine's, with its login
    inside."""
    sandbox: SandboxFacts | None = None
    created: int = 0
    updated: int = 0
    turns: int = 0
    cost: float = 0.0
    """US dollars, as the CLI counts them, over all runs."""
    input_tokens: int = 0
    output_tokens: int = 0
    result: str = ""
    """The last turn's closing text, as the CLI gave it."""
    denials: int = 0
    """Tool calls that were denied in the last turn."""
    work: WorkState | None = None
    """Result of the last import of its work."""
    comments_answered: int = 0
    """Number of its answers to comments on its changes."""
    detached: bool = True
    """False if the sandbox is stopped at the end of the turn, as `ctui run` does."""
    removed: int | None = None
    """Time of its removal from the list; its journal and home are there until it is purged."""
    activity: Activity = Activity()
    """Summary of its work: the call that runs, its to-do list, its last turn."""
    read: int = 0
    """The person has read what it did and told until then."""

    @property
    def shown_ports(self) -> list[int]:
        """Return the ports that lists show; the others can be opened all the same."""
        return shown_ports(self.ports, self.options.named_ports)

    def port_text(self, port: int) -> str:
        """Return a port with its name, such as `3000 (app)`."""
        return port_text(port, self.options.named_ports)

    @property
    def works(self) -> bool:
        """Return True while something of it runs, also behind a turn that is over."""
        return self.state.live or bool(self.background)

    @property
    def failed(self) -> bool:
        """Return True if the last turn or run failed, and nothing was said to it since."""
        return bool(self.problem) and self.cause not in {"", "interrupted", "login", "consent"}

    @property
    def doing(self) -> str:
        """Return what it does now in one line; "" while it rests, or the model thinks."""
        return self.activity.doing if self.state.live else ""

    @property
    def unread(self) -> bool:
        """Return True if it came to rest and nobody has looked at it since."""
        return not self.works and self.activity.rested > self.read

    @property
    def unread_notes(self) -> tuple[Note, ...]:
        """Return what it told the person since they looked at it, oldest first."""
        return tuple(note for note in self.activity.notes if note.at > self.read)


class ImportedRef(msgspec.Struct, frozen=True):
    """A ref of a task's own git directory, brought to `refs/ctui/<task>/…`."""

    name: str
    commit: str


class WorkState(msgspec.Struct, frozen=True):
    """Result of the last import of a task's commits."""

    branch: Literal["unchanged", "advanced", "diverged", "untouched"] = "unchanged"
    reason: str = ""
    refs: tuple[ImportedRef, ...] = ()
    gitlinks: tuple[str, ...] = ()
    problem: str = ""


class Run(msgspec.Struct, kw_only=True):
    """One life of the CLI process: one container from create to exit."""

    task: str
    number: int
    container: str
    """Its name until it was created, then the engine's id."""
    created: int = 0
    ended: int | None = None
    exit_code: int | None = None
    cost_before: float = 0.0
    """The task's cost when the run began: the CLI counts anew in each process."""
    intent: str = ""
    """Reason for which the driver began to end it; the next driver goes on with that."""


class AskKind(StrEnum):
    """Kind of an ask."""

    PERMISSION = "permission"
    QUESTION = "question"
    PLAN = "plan"
    ELICITATION = "elicitation"
    HOST = "host"
    ENVIRONMENT = "environment"


class AskState(StrEnum):
    """State of an ask, which is pending until its one answer or until nobody can give one."""

    PENDING = "pending"
    ANSWERED = "answered"
    """Accepted, and on its way to the CLI."""
    DELIVERED = "delivered"
    """The CLI's echo of the answer is in the journal."""
    CANCELLED = "cancelled"
    """The CLI withdrew it, or its run ended, before anybody answered."""
    TOO_LATE = "too-late"
    """It was answered, but the CLI was gone before the answer reached it."""


class Ask(msgspec.Struct, kw_only=True):
    """One thing that a task asks."""

    id: int
    task: str
    run: int
    request: str
    """The CLI's request id: an answer must carry it."""
    kind: AskKind
    tool: str
    """The tool's name, `ask_user` for the ctui tool of that name."""
    title: str
    """One sanitised line that says what is asked."""
    input: msgspec.Raw
    """The tool's input exactly as it is shown; an allowed call runs with this and nothing else."""
    details: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b"{}"))
    """Suggestions, reasons, an elicitation's schema: whatever the kind needs."""
    state: AskState = AskState.PENDING
    created: int = 0
    answer: Answer | None = None


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The person's answer. Which fields count depends on the ask's kind.

    A permission takes allow, session and deny, and always where a grant can say it (see
    `tasks/grants`); a plan takes allow, session (accept its edits) and deny; a question takes allow
    with `answers` or `text`, or deny; an elicitation takes allow with `answers` or `content`, deny
    and cancel.
    """

    decision: Literal["allow", "session", "always", "deny", "cancel"]
    message: str = ""
    """Reason of a denial; the model reads it."""
    answers: dict[str, str] = {}
    """A question's text, or the name of a form's field -> the chosen label or a free text."""
    text: str = ""
    """A free text for an ask with a single question."""
    content: dict[str, Any] = {}
    """A form as a program fills it in; a person's is made from `answers`."""
    by: str = ""
    """Front end that answered."""


class Message(msgspec.Struct, kw_only=True, frozen=True):
    """Something the person told the task."""

    id: str
    """A UUID; the CLI echoes it, and runs a repeated one only once."""
    task: str
    text: str
    created: int
    delivered: int | None = None
    unattended: bool = False
    """Nobody will answer in the turn that it begins."""
    timeout: int | None = None
    """Seconds of work for that turn; None takes the task's."""
    attached: str = ""
    """Names of the files that came with it, one a line (`tasks.attachments`)."""


class Notice(msgspec.Struct, frozen=True):
    """A line that the driver itself adds to a journal (stream `ctui`)."""

    kind: Literal["started", "ended", "imported", "diverged", "notified", "problem", "environment"]
    text: str
    urgent: bool = False
