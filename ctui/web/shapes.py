"""Bodies of requests and responses: one struct for each.

The OpenAPI document is made from these, so what is written here is what clients read. Times are
seconds since the epoch. A request with a field that its struct has not is refused.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ctui.claude.protocol.todos import Todo
from ctui.config import PermissionMode
from ctui.config.task_sections import NetworkMode
from ctui.tasks.asks.kind import Decision
from ctui.tasks.asks.shape import AskShape
from ctui.tasks.model import EndReason, TaskReach, TaskState

Status = Literal["running", "completed", "error", "killed"]

_NOT_BLANK = r"[^\s\x00-\x20\x7f-\xa0]"
"""Has a character that is visible for Python's and for ECMAScript's idea of white space alike."""

Prompt = Annotated[str, Meta(pattern=_NOT_BLANK, description="What the task should do; not blank.")]


# -- requests


class AttachedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that comes with a message: read-only in the task; an image or PDF is shown as well."""

    name: Annotated[str, Meta(min_length=1, max_length=100, description="Without a folder.")]
    data: Annotated[bytes, Meta(description="Its content in base64.")]
    media_type: Annotated[
        str,
        Meta(
            max_length=100,
            description="Such as image/png. What a file is shows its content; one that is not the "
            "image or PDF that this says is refused.",
        ),
    ] = ""


Attached = Annotated[
    list[AttachedFile],
    Meta(max_length=50, description="Images, PDFs and other files that come with the prompt."),
]


class NewTask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A task to start: what it should do, and where."""

    prompt: Prompt
    workdir: Annotated[
        Annotated[str, Meta(pattern="^/")] | None,
        Meta(
            description="A folder in a git repository of yours, as an absolute path. The task "
            "works in a new worktree of that repository, and starts in the same folder of it; the "
            "default is the root of the repository that `ctui serve` was started for."
        ),
    ] = None
    name: Annotated[
        Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,79}$")] | None,
        Meta(description="Of the new worktree; the default is made from the prompt."),
    ] = None
    base: Annotated[
        str | None, Meta(description="Branch, tag or commit to begin at; the default is HEAD.")
    ] = None
    model: str | None = None
    permission_mode: Annotated[
        PermissionMode | None, Meta(description="The default is what the configuration says.")
    ] = None
    skip_permissions: Annotated[
        bool, Meta(description="Ask for no permission; the sandbox is the only limit.")
    ] = False
    budget: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(description="US dollars over the whole life of the task."),
    ] = None
    isolated: Annotated[
        bool,
        Meta(description="Give it no other commits than those its worktree begins with."),
    ] = False
    network: Annotated[
        NetworkMode | None,
        Meta(
            description="What it reaches: any public host, those that are allowed, or the model's "
            "API only; no wider than what the configuration says, which is the default."
        ),
    ] = None
    allow_hosts: Annotated[
        list[str],
        Meta(
            max_length=64,
            description="HOST, *.DOMAIN or HOST:PORT that it reaches unasked, of those that the "
            "configuration offers (`network.offer`); other hosts are asked for.",
        ),
    ] = []
    env: Annotated[
        dict[str, str],
        Meta(description="Variables of the task; kept with it, and shown by name only."),
    ] = {}
    secrets: Annotated[
        list[str], Meta(description="Names of secrets that the task gets as variables.")
    ] = []
    attach: Attached = []


class FollowUp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something more that a task should do."""

    prompt: Prompt
    attach: Attached = []


class AskAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An answer to one ask. Which fields count depends on the ask's kind."""

    ask_id: Annotated[int, Meta(ge=1, le=2**63 - 1)]
    decision: Annotated[
        Decision,
        Meta(
            description="allow: once, or with an answer to a question; session: from now on in "
            "this task; always: in every task of the repository; deny; cancel: gives a form no "
            "answer at all. `decisions` of the ask has those that it takes."
        ),
    ]
    message: Annotated[str, Meta(description="Why it is denied; the model reads it.")] = ""
    text: Annotated[str, Meta(description="The answer to a single question.")] = ""
    answers: Annotated[
        dict[str, str], Meta(description="A question's text, or a form's field -> its answer.")
    ] = {}
    content: Annotated[dict[str, Any], Meta(description="A form's content as data.")] = {}


# -- responses


class Failure(msgspec.Struct, frozen=True):
    """An error: what went wrong, and what to do about it."""

    error: str
    hint: str = ""


class AskView(AskShape, frozen=True, kw_only=True):
    """One thing that a task asks; at most one answer counts."""

    ask_id: int
    task_id: str
    input: Annotated[Any, Meta(description="The tool's input; what is allowed runs with this.")]
    created_at: float


class AskList(msgspec.Struct, frozen=True):
    """All asks that wait for an answer, oldest first."""

    asks: list[AskView]


Doing = Annotated[
    str, Meta(description="The step of its to-do list that it is at, else the call that runs.")
]
Unread = Annotated[
    bool, Meta(description="It came to rest, and the person has not looked at it since.")
]


class TaskSummary(msgspec.Struct, frozen=True):
    """One line of the list."""

    task_id: str
    prompt: Annotated[str, Meta(description="At most 120 characters of it.")]
    status: Status
    created_at: float
    state: TaskState
    doing: Doing = ""
    unread: Unread = False


class TaskList(msgspec.Struct, frozen=True):
    """All tasks, newest first."""

    tasks: list[TaskSummary]


class Port(msgspec.Struct, frozen=True):
    """A port that a task listens on."""

    port: int
    label: Annotated[str, Meta(description="Its name in the repository's devcontainer.json.")]
    protocol: Literal["http", "https"]
    hidden: Annotated[bool, Meta(description="The repository wants no list to show it.")]


class TaskRecord(msgspec.Struct, kw_only=True, frozen=True):
    """One task."""

    task_id: str
    session_id: str
    prompt: str
    workdir: Annotated[str, Meta(description="The main checkout of the task's repository.")]
    worktree: Annotated[str, Meta(description="The folder that the task works in.")]
    directory: Annotated[
        str, Meta(description="The folder of it that the task starts in; empty for its root.")
    ]
    branch: str | None
    status: Annotated[
        Status,
        Meta(
            description="running: until its turn is over, also while it waits for an answer; "
            "completed: the turn is over; error: it failed; killed: it was stopped."
        ),
    ]
    state: Annotated[TaskState, Meta(description="The same in ctui's own words.")]
    reason: EndReason | None
    problem: Annotated[str, Meta(description="What is wrong, and what to do; mostly empty.")]
    created_at: float
    finished_at: float | UnsetType = UNSET
    killed_at: float | UnsetType = UNSET
    tmux_session: Annotated[
        str, Meta(description="A name, for clients that want one; there is no such session.")
    ]
    turns: int
    cost_usd: float
    result: Annotated[str, Meta(description="What the last turn said at its end.")]
    pending_asks: list[AskView]
    variables: Annotated[list[str], Meta(description="Names of the variables it was given.")] = []
    secrets: Annotated[list[str], Meta(description="Names of the secrets it was given.")] = []
    files: Annotated[list[str], Meta(description="Ignored files that were copied for it.")] = []
    network: Annotated[
        TaskReach, Meta(description="What it reaches; unsealed: what the engine's network does.")
    ] = "unsealed"
    allow_hosts: Annotated[
        list[str], Meta(description="Hosts that it was allowed when it was started.")
    ] = []
    doing: Doing = ""
    unread: Unread = False
    todos: Annotated[list[Todo], Meta(description="Its own to-do list.")] = []
    ports: Annotated[list[Port], Meta(description="What it listens on now.")] = []


class TaskDetail(TaskRecord, kw_only=True, frozen=True):
    """One task with the end of its output."""

    recent_output: Annotated[
        str, Meta(description="The last 50 lines of the output, or as many as make 1 MB.")
    ]


class SentFollowUp(msgspec.Struct, frozen=True):
    """A follow-up that was sent."""

    prompt: str
    sent_at: float


class TaskTold(msgspec.Struct, frozen=True):
    """A task that was told something."""

    task_id: str
    session_id: str
    status: Status
    followups: list[SentFollowUp]


class TaskKilled(msgspec.Struct, frozen=True):
    """A task that was stopped."""

    task_id: str
    status: Status
    killed_at: float


class TaskUpdate(msgspec.Struct, frozen=True):
    """A task's state, as the event `task` tells it."""

    task_id: str
    status: Status
    state: TaskState
    reason: EndReason | None
    problem: str
    turns: int
    cost_usd: float
    updated_at: float
    pending_asks: list[int]
    doing: Doing = ""
    unread: Unread = False
    todos: list[Todo] = []


class Event(msgspec.Struct, frozen=True):
    """One event of a stream; `data` is JSON, its shape depends on `event`."""

    id: Annotated[str, Meta(description="What `Last-Event-ID` names it by.")]
    event: Annotated[
        Literal["line", "task", "ask", "removed"],
        Meta(description="line: of the journal; task: a TaskUpdate; ask: an AskView."),
    ]
    data: str
