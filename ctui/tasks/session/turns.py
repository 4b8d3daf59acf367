"""The beginning and the end of a turn, and what follows: the import, sleep, the end of the run."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from ctui.claude.protocol.api_failure import rejected_login
from ctui.claude.protocol.events import Result
from ctui.tasks.mailbox.step import Step
from ctui.tasks.model import AskState, Message, Notice, TaskState, WorkState
from ctui.tasks.session import activity, turn_record
from ctui.tasks.session.asking import UNATTENDED, AskBook
from ctui.tasks.session.limits import reset_time
from ctui.tasks.session.messages import new_message

_TURN_FOLLOWS_SECONDS = 15.0
_LOOK_AT_CLOCK_SECONDS = 60.0
NEEDS_INPUT = 'nobody was there for what it asked: answer it with `ctui task send {task} "..."`'


def began(step: Step) -> None:
    """Note that the CLI works."""
    if step.standing.intent:
        return
    watch_time(step)
    activity.began(step)
    turn_record.began(step)
    for timer in ("sleep", "background"):
        step.timer(timer, None)
    if step.task.state is not TaskState.WAITING:
        step.move(TaskState.RUNNING)
    AskBook(step).refresh_waiting()


def read(step: Step, message: Message) -> None:
    """Let a message that the CLI has taken say how its turn is to be."""
    task = step.task
    task.turn_unattended = task.turn_unattended or message.unattended
    task.turn_timeout = message.timeout or task.turn_timeout
    turn_record.read(step, message)
    watch_time(step)


def watch_time(step: Step) -> None:
    """Interrupt the turn when its time is over, on a clock that nobody sets."""
    seconds = step.task.turn_timeout or step.task.options.timeout
    began = step.view.turn_began
    if seconds is None or not began:
        step.timer("timeout", None)
        return
    now = asyncio.get_running_loop().time()
    if step.standing.turn_watched[0] != began:
        step.standing.turn_watched = (began, now)
    step.timer("timeout", seconds - (now - step.standing.turn_watched[1]))


def adopt_time(step: Step) -> None:
    """Go on with the time of a turn that an earlier driver saw begin: the journal has that only."""
    began = step.view.turn_began
    passed = max(0.0, (step.time - began) / 1e9)
    step.standing.turn_watched = (began, asyncio.get_running_loop().time() - passed)
    watch_time(step)


def wait_for_reset(step: Step) -> None:
    """Look at the clock until a usage limit is over: a machine that slept did not count on."""
    if (time := step.task.resume_at) is not None:
        step.timer("reset", min((time - step.time) / 1e9, _LOOK_AT_CLOCK_SECONDS))


def judged(step: Step, event: Result) -> None:
    """Add to a turn's result what only this side knows."""
    task = step.task
    if not event.is_error:
        step.standing.taken_up = 0
    if _denied_unattended(step):
        step.trouble(NEEDS_INPUT.format(task=task.id), "needs-input")
    if event.is_error and (time := _limit_over(step, event)) is not None:
        task.cause = "limit"
        if step.services.config().tasks.resume_at_reset:
            task.resume_at = time


def _denied_unattended(step: Step) -> bool:
    """Return True where this turn asked something that nobody was there for."""
    task = step.task
    if not (task.options.unattended or task.turn_unattended):
        return False
    asks = step.store.asks.list(
        AskState.ANSWERED,
        AskState.DELIVERED,
        task=task.id,
        run=step.run.number,
        since=step.view.turn_began,
    )
    return any(ask.answer is not None and ask.answer.by == UNATTENDED for ask in asks)


def _limit_over(step: Step, event: Result) -> int | None:
    stamp = step.view.limit_reset if event.api_status == HTTPStatus.TOO_MANY_REQUESTS else 0
    return reset_time(event.text, step.time, stamp=stamp)


def ended(step: Step) -> None:
    """Let the task rest: the CLI is idle, and nothing waits to be read."""
    standing, task = step.standing, step.task
    step.timer("timeout", None)
    turn_record.ended(step)
    standing.interrupt, standing.alarmed, standing.hosts_refused = "", False, ()
    task.turn_unattended, task.turn_timeout = False, None
    if standing.intent:
        return
    if step.view.login_rejected:
        login_refused(step)
        return
    step.move(TaskState.IDLE)
    task.background = tuple(step.view.background.values())
    if task.background:
        return  # what still runs begins a turn of its own when it ends
    wait_for_reset(step)
    if not task.detached:
        step.intend("completed")
    else:
        minutes = (standing.config or step.services.config()).tasks.idle_minutes
        step.timer("sleep", minutes * 60)
        step.after(step.actor.around.make_room)


def background_changed(step: Step) -> None:
    """Show what still runs behind a turn that is over."""
    if still := tuple(step.view.background.values()):
        step.task.background = still
    elif step.task.background:
        # The CLI begins a turn about it now, unless the command was killed.
        step.timer("background", _TURN_FOLLOWS_SECONDS)


def login_refused(step: Step) -> None:
    """End the run: the next one begins with another login, or waits for the person."""
    step.view.login_rejected = True
    step.trouble(login_problem(step), "login")
    step.intend("asleep")


def _nothing_new(work: WorkState, before: WorkState | None) -> bool:
    """Return True for an import that found what an earlier driver had brought home."""
    if before is None or work.branch != "unchanged" or before.problem:
        return False
    return work.refs == before.refs and not work.problem


def login_problem(step: Step) -> str:
    """Return what to say of the login, which is rejected, and of where it comes from."""
    return rejected_login(step.task.id, step.services.logins.variable(step.task.id))


def work_found(step: Step, work: WorkState | None, trouble: str = "") -> None:
    """Take the result of an import, and tell it once."""
    task = step.task
    if trouble:
        step.trouble(trouble)
    if work is None or work == task.work or _nothing_new(work, task.work):
        return
    task.work = work
    if work.branch in {"advanced", "diverged"}:
        activity.committed(step)
    if work.problem:
        step.note(Notice(kind="problem", text=work.problem))
    if work.refs:
        diverged = work.branch == "diverged"
        text = work.reason or "its commits came home"
        if diverged or len(work.refs) > 1:
            text += ": " + ", ".join(f"{ref.name} {ref.commit[:9]}" for ref in work.refs)
        step.note(Notice(kind="diverged" if diverged else "imported", text=text))


def say_again(step: Step) -> None:
    """Repeat the last message if it was read and not answered: its id would not run again."""
    last = step.store.messages.last(step.task.id)
    if step.task.unanswered and last is not None and last.delivered is not None:
        step.store.messages.add(new_message(step.task.id, last.text, step.time, last.attached))
