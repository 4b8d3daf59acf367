"""Everything that can be put into a task's mailbox."""

from __future__ import annotations

from asyncio import Event
from collections.abc import Sequence

import msgspec

from ctui.sandbox.runner import LogLine
from ctui.tasks.calls import (
    AnswerAsk,
    HoldShell,
    MarkRead,
    RemoveTask,
    ResumeTask,
    SendMessage,
    StartTask,
)
from ctui.tasks.mailbox.states import Intent
from ctui.tasks.mailbox.step import Reply
from ctui.tasks.model import Message, Run, Task


class Mail(msgspec.Struct, eq=False, kw_only=True):
    """Base of all mail."""

    arrived: float = 0.0
    """Time at which it was put into the mailbox, on the loop's clock."""


# -- commands of a person, each with who waits for its effect


class Start(Mail):
    """Command to begin a new task."""

    task: Task
    call: StartTask
    prompt: Message
    reply: Reply


class Send(Mail):
    """Command to tell the task something; it wakes if it sleeps or ended."""

    call: SendMessage
    reply: Reply
    attached: str = ""


class Answer(Mail):
    """Command to answer an ask."""

    call: AnswerAsk
    reply: Reply


class Interrupt(Mail):
    """Command to end the turn."""

    reply: Reply


class Stop(Mail):
    """Command to end the run, settled when the runner confirms that no sandbox is left."""

    intent: Intent
    reply: Reply | None = None


class Resume(Mail):
    """Command to begin another run of the conversation."""

    call: ResumeTask
    reply: Reply


class Remove(Mail):
    """Command to take the task off the list, or to delete it."""

    call: RemoveTask
    reply: Reply


class PutBack(Mail):
    """Command to put the task on the list again."""

    reply: Reply


class Read(Mail):
    """News that the person has read what the task did."""

    call: MarkRead
    reply: Reply


class Hold(Mail):
    """News of a shell in the task's sandbox, or of somebody who wants one."""

    call: HoldShell
    reply: Reply


# -- what happens by itself


class Adopt(Mail):
    """News of a run that an earlier driver left, or of its task in the queue."""

    run: Run | None


class Sweep(Mail):
    """News of a sandbox of the task that was left behind."""

    silent: str = ""
    """The sandbox, where its relay still waits for the first line of the task's next run."""


class HostAsked(Mail):
    """News that the run wants to reach a host that nobody has named."""

    run: int
    request: str
    """The gateway's id of what waits."""
    host: str
    port: int
    program: str
    key: str = ""
    """Name of a key by which it wants to sign in there; "" wants to reach it."""


class HostGone(Mail):
    """News that nothing waits for that host any more."""

    request: str


class PortsChanged(Mail):
    """News of the ports that the run listens on."""

    ports: tuple[int, ...]


class LoginRejected(Mail):
    """News that the model's API does not take the run's login."""

    renewed: bool
    """True if there is another one by now, with which the gateway tries again."""


class LimitReached(Mail):
    """News of a usage limit that the run's calls have met."""

    resets_at: int
    """Seconds since the epoch."""


class Anomaly(Mail):
    """News of something that a well-behaved run does not do to the gateway."""

    kind: str
    text: str


GatewayMail = HostAsked | HostGone | PortsChanged | LoginRejected | LimitReached | Anomaly
"""Mail that the gateway causes."""


class Slot(Mail):
    """News that there is room for a run."""


class Lines(Mail):
    """Whole lines of the run's journal, in order, behind what was taken before."""

    epoch: int
    lines: Sequence[LogLine]
    unarchived: Sequence[LogLine]
    """Those of them that the archive does not hold yet; emptied by whoever puts them there."""
    taken: Event = msgspec.field(default_factory=Event)
    """Set when their effect is stored."""


class JobDone(Mail):
    """End of a job: with a result, an error, or cancelled."""

    name: str
    epoch: int
    result: object = None
    error: BaseException | None = None


class Trouble(Mail):
    """News that the runner does not answer, or answers again."""

    text: str
    """Trouble in one line; "" if it is over."""


class Space(Mail):
    """News that a disk has too little left, or enough again."""

    low: str
    """Shortage of a disk, in one line; "" if there is none."""


class TimeUp(Mail):
    """End of a timer."""

    name: str
    epoch: int
