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
    """The task is new."""

    task: Task
    call: StartTask
    prompt: Message
    reply: Reply


@dataclass(slots=True, eq=False)
class Send(Mail):
    """Tell the task something; wake it if it sleeps or ended."""

    call: SendMessage
    reply: Reply


@dataclass(slots=True, eq=False)
class Answer(Mail):
    """Answer an ask."""

    call: AnswerAsk
    reply: Reply


@dataclass(slots=True, eq=False)
class Interrupt(Mail):
    """End the turn."""

    reply: Reply


@dataclass(slots=True, eq=False)
class Stop(Mail):
    """End the run. Settled when the runner confirms that no sandbox of the task is left."""

    intent: Intent
    reply: Reply | None = None


@dataclass(slots=True, eq=False)
class Resume(Mail):
    """Begin another run of the conversation."""

    call: ResumeTask
    reply: Reply


@dataclass(slots=True, eq=False)
class Remove(Mail):
    """Take the task off the list, or delete it."""

    call: RemoveTask
    reply: Reply


@dataclass(slots=True, eq=False)
class PutBack(Mail):
    """Put the task on the list again."""

    reply: Reply


# -- what happens by itself


@dataclass(slots=True, eq=False)
class Adopt(Mail):
    """An earlier driver left this run, or the task in the queue."""

    run: Run | None


@dataclass(slots=True, eq=False)
class Sweep(Mail):
    """A sandbox of the task was left behind."""


@dataclass(slots=True, eq=False)
class Slot(Mail):
    """There is room for a run now."""


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
    """A job is over: with a result, an error, or cancelled."""

    name: str
    epoch: int
    result: object = None
    error: BaseException | None = None


@dataclass(slots=True, eq=False)
class Trouble(Mail):
    """The runner does not answer, or answers again."""

    text: str
    """Trouble in one line; "" if it is over."""


@dataclass(slots=True, eq=False)
class Space(Mail):
    """A disk has too little left, or enough again."""

    low: str
    """Shortage of a disk, in one line; "" if there is none."""


@dataclass(slots=True, eq=False)
class TimeUp(Mail):
    """A timer is over."""

    name: str
    epoch: int
