"""From a piece of mail to what handles it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ctui.errors import NotFound
from ctui.tasks.mailbox.mail import (
    Adopt,
    Anomaly,
    Answer,
    Hold,
    HostAsked,
    HostGone,
    Interrupt,
    JobDone,
    LimitReached,
    Lines,
    LoginRejected,
    Mail,
    PortsChanged,
    PutBack,
    Read,
    Remove,
    Resume,
    Send,
    Slot,
    Space,
    Start,
    Stop,
    Sweep,
    TimeUp,
    Trouble,
)
from ctui.tasks.mailbox.states import Phase
from ctui.tasks.mailbox.step import Step
from ctui.tasks.runs import commands, timers
from ctui.tasks.runs.disks import pausing, watching
from ctui.tasks.runs.phases import adopting, closing, creating, leaving, live, shells
from ctui.tasks.runs.phases.follow_up import follow_up
from ctui.tasks.session import activity, conversation, network

_ANY_PHASE = {"import", "snapshot"}
_ANY_EPOCH = {*_ANY_PHASE, "confirm", "reset", "unpause"}
"""Jobs and timers that mean the same in every phase."""


def is_late(mail: Mail, epoch: int) -> bool:
    """Return True for what an older phase of the task began, and nobody waits for any more."""
    match mail:
        case JobDone() | TimeUp():
            return mail.epoch != epoch and mail.name not in _ANY_EPOCH
        case Lines():
            return mail.epoch != epoch
    return False


def handle(step: Step, mail: Mail) -> None:
    """Do what the mail says, and begin what follows from it."""
    if step.standing.gone:
        _refuse(step, mail)
        return
    _HANDLERS[type(mail)](step, mail)
    pausing.hold(step)
    follow_up(step)
    shells.see_to(step)
    activity.keep(step)


def _refuse(step: Step, mail: Mail) -> None:
    """Tell whoever gives a command to a task that was deleted meanwhile."""
    reply = getattr(mail, "reply", None)
    if reply is not None:
        step.refuse(reply, NotFound(f"there is no task {step.task.id} any more"))


def _lines(step: Step, mail: Lines) -> None:
    conversation.take_lines(step, mail.lines)
    watching.grown(step)


def _job_done(step: Step, mail: JobDone) -> None:
    phase = None if mail.name in _ANY_PHASE else step.standing.phase
    if (handler := _JOBS.get((phase, mail.name))) is not None:
        handler(step, mail.result, mail.error)


def _sweep(step: Step, silent: str) -> None:
    """Take over a sandbox that is open for a shell, or remove what else was left."""
    if silent and step.standing.phase is Phase.RESTING and not step.standing.intent:
        shells.adopt(step, silent)
    else:
        closing.sweep(step)


_JOBS: dict[tuple[Phase | None, str], Callable[[Step, Any, BaseException | None], None]] = {
    (Phase.PREPARING, "prepare"): creating.prepared,
    (Phase.CREATING, "create"): creating.created,
    (Phase.OPENING, "open"): shells.opened,
    (Phase.OPEN, "peek"): shells.peeked,
    (Phase.ADOPTING, "adopt"): adopting.adopted,
    (Phase.LIVE, "follow"): live.followed,
    (Phase.LIVE, "look"): timers.looked,
    (Phase.LIVE, "measure"): watching.measured,
    (Phase.LIVE, "freeze"): pausing.applied,
    (Phase.CLOSING, "close"): closing.closed,
    (Phase.LEAVING, "leave"): leaving.left,
    (None, "import"): timers.imported,
    (None, "snapshot"): timers.snapshot_taken,
}
"""From the phase in which a job's end counts, None for any, and its name to what takes it."""

_HANDLERS: dict[type[Mail], Callable[[Step, Any], None]] = {
    Start: commands.start,
    Send: commands.send,
    Answer: commands.answer,
    Interrupt: commands.interrupt,
    Stop: commands.stop,
    Resume: commands.resume,
    Remove: commands.remove,
    PutBack: commands.put_back,
    Read: commands.mark_read,
    Hold: shells.hold,
    Adopt: lambda step, mail: adopting.adopt(step, mail.run),
    Sweep: lambda step, mail: _sweep(step, mail.silent),
    HostAsked: network.asked,
    HostGone: network.gone,
    PortsChanged: network.ports_changed,
    LoginRejected: network.login_rejected,
    LimitReached: network.limit_reached,
    Anomaly: network.anomaly,
    Slot: lambda step, _: creating.slot(step),
    Lines: _lines,
    JobDone: _job_done,
    TimeUp: lambda step, mail: timers.time_up(step, mail.name),
    Trouble: lambda step, mail: timers.trouble(step, mail.text),
    Space: lambda step, mail: watching.space(step, mail.low),
}
