"""Everything that can be put into a task's mailbox."""

from __future__ import annotations

from asyncio import Event
from collections.abc import Sequence
from dataclasses import dataclass, field

from ctui.sandbox.runner import LogLine
from ctui.tasks.calls import AnswerAsk, RemoveTask, ResumeTask, SendMessage, StartTask
from ctui.tasks.mailbox.states import Intent
from ctui.tasks.mailbox.step import Reply
from ctui.tasks.model import Message, Run, Task


@dataclass(slots=True, eq=False)
class Mail:
    """Base of all mail."""

    arrived: float = field(default=0.0, init=False)
    """Time at which it was put into the mailbox, on the loop's clock."""


# -- commands of a person, each with who waits for its effect


@dataclass(slots=True, eq=False)
class Start(Mail):
    """Command to begin a new task."""

    task: Task
    call: StartTask
    prompt: Message
    reply: Reply


@dataclass(slots=True, eq=False)
class Send(Mail):
    """Command to tell the task something; it wakes if it sleeps or ended."""

    call: SendMessage
    reply: Reply


@dataclass(slots=True, eq=False)
class Answer(Mail):
    """Command to answer an ask."""

    call: AnswerAsk
    reply: Reply


@dataclass(slots=True, eq=False)
class Interrupt(Mail):
    """Command to end the turn."""

    reply: Reply


@dataclass(slots=True, eq=False)
class Stop(Mail):
    """Command to end the run, settled when the runner confirms that no sandbox is left."""

    intent: Intent
    reply: Reply | None = None


@dataclass(slots=True, eq=False)
class Resume(Mail):
    """Command to begin another run of the conversation."""

    call: ResumeTask
    reply: Reply


@dataclass(slots=True, eq=False)
class Remove(Mail):
    """Command to take the task off the list, or to delete it."""

    call: RemoveTask
    reply: Reply


@dataclass(slots=True, eq=False)
class PutBack(Mail):
    """Command to put the task on the list again."""

    reply: Reply


# -- what happens by itself


@dataclass(slots=True, eq=False)
class Adopt(Mail):
    """News of a run that an earlier driver left, or of its task in the queue."""

    run: Run | None


@dataclass(slots=True, eq=False)
class Sweep(Mail):
    """News of a sandbox of the task that was left behind."""


@dataclass(slots=True, eq=False)
class Slot(Mail):
    """News that there is room for a run."""


@dataclass(slots=True, eq=False)
class Lines(Mail):
    """Whole lines of the run's journal, in order, behind what was taken before."""

    epoch: int
    lines: Sequence[LogLine]
    unarchived: Sequence[LogLine]
    """Those of them that the archive does not hold yet; emptied by whoever puts them there."""
    taken: Event = field(default_factory=Event)
    """Set when their effect is stored."""


@dataclass(slots=True, eq=False)
class JobDone(Mail):
    """End of a job: with a result, an error, or cancelled."""

    name: str
    epoch: int
    result: object = None
    error: BaseException | None = None


@dataclass(slots=True, eq=False)
class Trouble(Mail):
    """News that the runner does not answer, or answers again."""

    text: str
    """Trouble in one line; "" if it is over."""


@dataclass(slots=True, eq=False)
class Space(Mail):
    """News that a disk has too little left, or enough again."""

    low: str
    """Shortage of a disk, in one line; "" if there is none."""


@dataclass(slots=True, eq=False)
class TimeUp(Mail):
    """End of a timer."""

    name: str
    epoch: int
