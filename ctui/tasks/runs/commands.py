"""Commands of a person to a task. Each is answered when it has its effect."""

from __future__ import annotations

from ctui.errors import Conflict, Unavailable
from ctui.tasks import asks
from ctui.tasks.asks.kinds.permission import grantable
from ctui.tasks.calls import RemoveTask
from ctui.tasks.mailbox.mail import (
    Answer,
    Interrupt,
    PutBack,
    Read,
    Remove,
    Resume,
    Send,
    Start,
    Stop,
)
from ctui.tasks.mailbox.states import Phase
from ctui.tasks.mailbox.step import Reply, Step
from ctui.tasks.model import Ask, AskKind, AskState, Message, TaskState
from ctui.tasks.runs.disks import watching
from ctui.tasks.runs.jobs.look import refresh
from ctui.tasks.runs.phases import consent, queued
from ctui.tasks.runs.phases.follow_up import begin_snapshot
from ctui.tasks.runs.phases.shells import held
from ctui.tasks.session import conversation, turn_record, turns
from ctui.tasks.session.asking import AskBook

CONFIRM_SECONDS = 10.0
_WITHOUT_RUN = {Phase.RESTING, Phase.OPEN}
_WAITED_FOR = {Phase.CLOSING, Phase.OPENING}
"""Phases behind which a run can begin, and not before."""
_UNDER_WAY = {Phase.ADOPTING, Phase.LIVE}


def start(step: Step, mail: Start) -> None:
    """Put a new task on record, and into the queue."""
    step.store.tasks.add(step.task)
    step.store.variables.save(step.task.id, mail.call.options.env)
    step.store.messages.add(mail.prompt)
    step.standing.config = mail.call.config
    queued.begin(step)
    step.reply(mail.reply, step.task)


def send(step: Step, mail: Send) -> None:
    """Add a message, and see to it that a run takes it. The task works from now on."""
    standing, task, call = step.standing, step.task, mail.call
    _refuse_leaving(step)
    message = Message(
        id=call.id,
        task=task.id,
        text=call.text,
        created=step.time,
        unattended=call.unattended,
        timeout=call.timeout,
        attached=mail.attached,
    )
    if not step.store.messages.add(message):
        if step.store.messages.get(task.id, call.id) is None:
            raise Conflict(
                f"another task was sent a message with the id {call.id}",
                hint="nothing was sent; give each message an id of its own",
            )
        step.reply(mail.reply, task)  # a call that is repeated is one message
        return
    task.resume_at = None
    task.read = step.time  # who goes on with it knows what it did
    step.timer("reset", None)
    if standing.phase in _WITHOUT_RUN and not standing.ending:
        standing.config = call.config
        queued.begin(step)
    elif standing.ending or standing.phase in _WAITED_FOR:
        standing.config = call.config
        _go_on_afterwards(step)
    elif standing.phase is Phase.LIVE:
        step.timer("sleep", None)
        _refresh(step)
        if task.state is TaskState.IDLE and not standing.snapshotting:
            begin_snapshot(step, turn_record.to_come(step), at_end=False)
        conversation.say(step, message)
        if task.state is TaskState.IDLE:
            step.move(TaskState.RUNNING)
    elif standing.phase is Phase.ADOPTING and task.state is TaskState.IDLE:
        step.move(TaskState.RUNNING)
    step.reply(mail.reply, task)


def answer(step: Step, mail: Answer) -> None:
    """Accept an answer: the first one wins. Its reply comes with its receipt."""
    call, standing = mail.call, step.standing
    ask = step.store.asks.get(call.ask)
    asks.check(ask, call.answer)
    if not step.store.asks.claim(ask.id, call.answer):
        state = step.store.asks.get(ask.id).state
        raise Conflict(
            f"ask {ask.id} is {state}, not pending",
            hint="nothing was sent; `ctui task show` tells what became of it",
        )
    if call.answer.decision == "always" and (granted := grantable(ask)):
        step.store.grants.add(step.task.repository, granted, step.task.id, step.time)
    if call.answer.decision == "session":
        standing.edits_granted = None  # looked up again, when that matters
    claimed = step.store.asks.get(ask.id)
    if ask.kind is AskKind.ENVIRONMENT:
        consent.answered(step, claimed, call.answer)
        step.reply(mail.reply, step.store.asks.get(ask.id))
        return
    same_run = standing.run is not None and standing.run.number == ask.run
    if same_run and standing.phase is Phase.LIVE:
        AskBook(step).answered(claimed, call.answer)
    elif same_run and standing.phase in _UNDER_WAY:
        step.publish_ask(ask.id)
    else:
        step.store.asks.move(ask.id, AskState.ANSWERED, AskState.TOO_LATE)
        step.publish_ask(ask.id)
    _reply_with_receipt(step, mail.reply, ask)


def interrupt(step: Step, mail: Interrupt) -> None:
    """End the turn."""
    task, standing = step.task, step.standing
    if standing.phase not in _UNDER_WAY or not task.state.live or standing.intent:
        raise Conflict(f"the task {task.id} is {task.state}", hint="there is no turn to end")
    step.interrupt()
    step.reply(mail.reply, task)


def stop(step: Step, mail: Stop) -> None:
    """End the run, and reply when the runner has confirmed that no sandbox is left."""
    standing = step.standing
    if mail.intent == "asleep":
        if _may_sleep(step):
            step.intend("asleep")
        return
    standing.again = False
    step.task.resume_at = None
    step.timer("reset", None)
    if mail.reply is not None:
        standing.stopping = (*standing.stopping, mail.reply)
        step.timer("confirm", CONFIRM_SECONDS)
    step.intend(mail.intent)


def resume(step: Step, mail: Resume) -> None:
    """Begin another run; what was not answered is asked again."""
    standing, task = step.standing, step.task
    _refuse_leaving(step)
    standing.config = mail.call.config
    if standing.phase in _UNDER_WAY and task.paused and not standing.intent:
        watching.resume(step, mail.reply)
        return
    # Nobody follows it: it stays to hear what it is told next.
    task.detached = True
    if standing.phase is Phase.LIVE and standing.look_paused:
        sandbox = step.run.container
        actor = step.actor
        step.start("unpause", lambda: actor.services.runner.unpause(sandbox))
        step.reply(mail.reply, task)
        return
    if standing.phase in _WITHOUT_RUN and not standing.ending:
        turns.say_again(step)
        queued.begin(step)
    elif standing.ending or standing.phase in _WAITED_FOR:
        turns.say_again(step)
        _go_on_afterwards(step)
    elif standing.phase is Phase.LIVE and task.state is TaskState.IDLE and task.unanswered:
        turns.say_again(step)
        _refresh(step)
        conversation.tell_waiting(step)
        step.move(TaskState.RUNNING)
    else:
        raise Conflict(f"the task {task.id} is {task.state} already", hint="send it a message")
    step.reply(mail.reply, task)


def remove(step: Step, mail: Remove) -> None:
    """Take the task off the list once no sandbox of it is left."""
    standing = step.standing
    standing.again = False  # also for the next driver, which does not know that it was to leave
    step.task.resume_at = None
    step.timer("reset", None)
    before = standing.leaving
    standing.leaving = RemoveTask(
        mail.call.task,
        purge=mail.call.purge or (before is not None and before.purge),
        force=mail.call.force or (before is not None and before.force),
    )
    standing.leave_replies = (*standing.leave_replies, mail.reply)
    step.timer("confirm", CONFIRM_SECONDS)
    step.intend("stopped")


def put_back(step: Step, mail: PutBack) -> None:
    """Put a task on the list again that was taken off it."""
    if step.standing.leaving is not None:
        raise Conflict(f"the task {step.task.id} is being removed", hint="try it again then")
    if step.task.removed:
        step.store.tasks.mark_removed(step.task.id, removed=False)
        step.task.removed = None
    step.reply(mail.reply, step.task)


def mark_read(step: Step, mail: Read) -> None:
    """Note that the person has read what the task did; what came since stays unread."""
    known = max(step.time, step.task.activity.rested)
    step.task.read = max(step.task.read, min(mail.call.at, known))
    step.reply(mail.reply, step.task)


def unconfirmed(step: Step) -> None:
    """Tell who waits for a stop that the runner has not confirmed it yet; it goes on trying."""
    standing = step.standing
    error = Unavailable(
        f"the engine has not confirmed that {step.task.id} is stopped",
        hint="it is stopped as soon as the engine answers; `ctui doctor` looks at it",
    )
    for reply in (*standing.stopping, *standing.leave_replies):
        step.refuse(reply, error)
    standing.stopping = standing.leave_replies = ()


def _refresh(step: Step) -> None:
    """Begin to bring what is new in the repository; it is there long before the CLI looks."""
    actor, task = step.actor, step.task
    step.start("refresh", lambda: refresh(actor, task))


def _refuse_leaving(step: Step) -> None:
    if step.standing.leaving is not None or step.task.removed:
        raise Conflict(
            f"the task {step.task.id} is being removed",
            hint="`ctui worktree restore` brings it back",
        )


def _go_on_afterwards(step: Step) -> None:
    """Let another run follow the one that ends; the task works from now on."""
    step.standing.again = True
    step.go_on_after()
    if not step.task.state.live:
        step.move(TaskState.QUEUED)


def _may_sleep(step: Step) -> bool:
    task = step.task
    return (
        step.standing.phase is Phase.LIVE
        and task.state is TaskState.IDLE
        and not task.background
        and not step.store.messages.undelivered(task.id)
        and not held(step)
    )


def _reply_with_receipt(step: Step, reply: Reply, ask: Ask) -> None:
    current = step.store.asks.get(ask.id)
    if current.state is AskState.ANSWERED:
        around = step.actor.around
        step.durable = True
        step.after(lambda: around.await_receipt(ask.id, reply))
    else:
        step.reply(reply, current)
