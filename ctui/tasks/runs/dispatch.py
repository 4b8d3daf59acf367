"""From a piece of mail to what handles it."""

from __future__ import annotations

from typing import assert_never

from ctui.tasks.mailbox.mail import (
    Adopt,
    AnyMail,
    Answer,
    Interrupt,
    JobDone,
    Lines,
    PutBack,
    Remove,
    Resume,
    Send,
    Slot,
    Start,
    Stop,
    Sweep,
    TimeUp,
    Trouble,
)
from ctui.tasks.mailbox.states import Phase
from ctui.tasks.mailbox.step import Step
from ctui.tasks.runs import commands, lifecycle, timers
from ctui.tasks.session import conversation

_ANY_EPOCH = {"import", "confirm", "reset", "unpause"}
"""Jobs and timers that mean the same in every phase."""


def is_late(mail: AnyMail, epoch: int) -> bool:
    """Return True for what an older phase of the task began, and nobody waits for any more."""
    match mail:
        case JobDone() | TimeUp():
            return mail.epoch != epoch and mail.name not in _ANY_EPOCH
        case Lines():
            return mail.epoch != epoch
    return False


def handle(step: Step, mail: AnyMail) -> None:
    """Do what the mail says, and begin what follows from it."""
    match mail:
        case Start():
            commands.start(step, mail)
        case Send():
            commands.send(step, mail)
        case Answer():
            commands.answer(step, mail)
        case Interrupt():
            commands.interrupt(step, mail)
        case Stop():
            commands.stop(step, mail)
        case Resume():
            commands.resume(step, mail)
        case Remove():
            commands.remove(step, mail)
        case PutBack():
            commands.put_back(step, mail)
        case Adopt():
            lifecycle.adopt(step, mail.run)
        case Sweep():
            lifecycle.sweep(step)
        case Slot():
            lifecycle.slot(step)
        case Lines():
            conversation.take_lines(step, mail.lines)
        case JobDone():
            _job_done(step, mail)
        case TimeUp():
            timers.time_up(step, mail.name)
        case Trouble():
            timers.trouble(step, mail.text)
        case _:
            assert_never(mail)
    lifecycle.follow_up(step)


def _job_done(step: Step, mail: JobDone) -> None:
    match step.standing.phase, mail.name:
        case Phase.PREPARING, "prepare":
            lifecycle.prepared(step, mail.result, mail.error)
        case Phase.CREATING, "create":
            lifecycle.created(step, mail.result, mail.error)
        case Phase.ADOPTING, "adopt":
            lifecycle.adopted(step, mail.result, mail.error)
        case Phase.LIVE, "follow":
            lifecycle.followed(step, mail.result, mail.error)
        case Phase.CLOSING, "close":
            lifecycle.closed(step, mail.result, mail.error)
        case Phase.LEAVING, "leave":
            lifecycle.left(step, mail.result, mail.error)
        case _, "import":
            timers.imported(step, mail.result, mail.error)
        case Phase.LIVE, "look":
            timers.looked(step, mail.result, mail.error)
