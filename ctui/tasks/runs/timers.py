"""Mail that nobody sends: timers, imports, looks, and troubles of the runner."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from ctui.claude.protocol import control
from ctui.sandbox.runner import SandboxState
from ctui.tasks.mailbox.states import Phase
from ctui.tasks.mailbox.step import Step
from ctui.tasks.model import TaskState, WorkState
from ctui.tasks.runs import commands
from ctui.tasks.runs.disks import pausing, watching
from ctui.tasks.runs.jobs.look import look
from ctui.tasks.runs.phases import closing, live, queued, shells
from ctui.tasks.runs.phases.live import LOOK_SECONDS
from ctui.tasks.session import activity, conversation, turn_record, turns
from ctui.tasks.session.asking import AskBook
from ctui.tasks.turn import TurnFiles


def time_up(step: Step, name: str) -> None:
    """Do what a timer was set for."""
    kind, _, number = name.partition(" ")
    if kind != "ask":
        _TIMERS[kind](step)
    elif step.standing.phase is Phase.LIVE:
        AskBook(step).expire(int(number))


def trouble(step: Step, text: str) -> None:
    """Say that the runner does not answer, or take that back."""
    rests = step.standing.phase is Phase.RESTING and text
    if rests or step.task.state is TaskState.ENDED:
        return
    if text and step.task.cause in {"", "engine"}:
        step.trouble(text, "engine")
    elif not text and step.task.cause == "engine":
        step.trouble("", "")


def imported(step: Step, result: object, error: BaseException | None) -> None:
    """Take what an import found."""
    step.standing.importing = False
    if error is None and isinstance(result, tuple):
        work, wrong = cast("tuple[WorkState | None, str]", result)
        turns.work_found(step, work, wrong)


def snapshot_taken(step: Step, result: object, error: BaseException | None) -> None:
    """Note that the files were kept, and say what has waited for that."""
    standing = step.standing
    standing.snapshotting = False
    if error is None:
        turn_record.taken(step, cast("TurnFiles", result))
    if standing.phase is Phase.LIVE and not standing.ending:
        waiting = conversation.tell_waiting(step)
        if waiting and standing.interrupt:
            step.send(control.interrupt(standing.interrupt))  # behind what it is to end


def looked(step: Step, result: object, error: BaseException | None) -> None:
    """Take how a silent sandbox is."""
    if error is not None:
        return
    state = cast("SandboxState | None", result)
    if state is None or not state.running:
        _looks_ended(step)
        return
    step.standing.look_ended = False
    if step.standing.ending:
        return
    paused = state.paused
    if step.task.paused:
        if not paused:
            pausing.enforce(step)
        return
    if paused and not step.standing.look_paused:
        step.trouble(f"its sandbox is paused: `ctui task resume {step.task.id}` goes on with it")
    elif step.standing.look_paused and not paused:
        step.trouble("", "")
    step.standing.look_paused = paused


def _looks_ended(step: Step) -> None:
    """Follow the run anew if its end is not noticed by the next look either.

    A connection to an engine elsewhere can be dead without anybody being told.
    """
    if step.standing.look_ended:
        live.follow_anew(step)
    step.standing.look_ended = True


def _sleep(step: Step) -> None:
    if step.task.state is not TaskState.IDLE or step.task.background:
        return
    if (left := shells.held(step)) > 0:
        step.timer("sleep", left)
    else:
        step.intend("asleep")


def _close(step: Step) -> None:
    if step.standing.phase is Phase.CLOSING:
        closing.try_to_close(step)


def _no_turn_followed(step: Step) -> None:
    if step.standing.phase is Phase.LIVE and step.task.state is TaskState.IDLE:
        turns.ended(step)


def _timed_out(step: Step) -> None:
    task = step.task
    if not task.state.live:
        return
    seconds = task.turn_timeout or task.options.timeout
    step.trouble(f"the turn took longer than {seconds} seconds", "timeout")
    step.interrupt()
    if not task.detached:
        step.intend("completed")


def _look(step: Step) -> None:
    """Look at a sandbox that has said nothing since the last time, and at the way into it.

    A runner can go away and come back before the journal is followed, and lose the lines that it
    took meanwhile: then only the connection tells.
    """
    standing, actor = step.standing, step.actor
    step.timer("look", LOOK_SECONDS)
    step.after(actor.mend_channel)
    if standing.looked_at == standing.view.seen:
        sandbox = step.run.container
        step.start("look", lambda: look(actor, sandbox))
    standing.looked_at = standing.view.seen


def _reset(step: Step) -> None:
    """Go on: a usage limit is over."""
    task, standing = step.task, step.standing
    if task.resume_at is None:
        return
    if task.resume_at > step.time:
        turns.wait_for_reset(step)
        return
    task.resume_at = None
    if standing.phase is Phase.LIVE and not standing.ending:
        turns.say_again(step)
        step.trouble("", "")
        conversation.tell_waiting(step)
        step.move(TaskState.RUNNING)
    elif standing.phase is Phase.CLOSING:
        turns.say_again(step)
        standing.again = True
    elif standing.phase is Phase.RESTING:
        turns.say_again(step)
        queued.begin_by_itself(step)


_TIMERS: dict[str, Callable[[Step], None]] = {
    "sleep": _sleep,
    "background": _no_turn_followed,
    "timeout": _timed_out,
    "look": _look,
    "reset": _reset,
    "close": _close,
    shells.TIMER: shells.time_up,
    activity.TIMER: activity.keep,
    "confirm": commands.unconfirmed,
    "budget": watching.look,
    "resumed": pausing.not_resumed_yet,
}
