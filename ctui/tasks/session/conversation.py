"""Changes that a run's lines make to its task: its state, its asks, its messages' receipts.

Lines are hostile: a process in the sandbox may have written any of them. What the driver did not
cause is never believed; it is refused, counted, and shown as an alarm (`guard`). A line has its
effect once: lines of a journal that is read again only make the view of the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ctui.claude.protocol import control
from ctui.claude.protocol.decode import decode
from ctui.claude.protocol.events import (
    ApiRetry,
    BackgroundTask,
    Event,
    Init,
    RelayLine,
    RequestCancelled,
    Response,
    Result,
    SessionState,
    Status,
    UserMessage,
    is_partial,
)
from ctui.sandbox.runner import LogLine
from ctui.tasks.mailbox.run_view import is_request
from ctui.tasks.mailbox.states import Phase
from ctui.tasks.mailbox.step import Step
from ctui.tasks.model import Message, TaskState
from ctui.tasks.session import guard, messages, requests, results, turns
from ctui.tasks.session.asking import AskBook
from ctui.tasks.session.greeting import RELAY_GREETED, initialize, initialize_id

LOGIN_ATTEMPTS = 3
"""With an API key the CLI would try ten times, for three minutes."""


def take_lines(step: Step, lines: Iterable[LogLine]) -> None:
    """Take lines of the run, in order; those whose effect is stored only make the view."""
    stored = step.standing.stored
    redact = step.services.journals.of(step.task.id).redaction.redact
    for raw in lines:
        number = getattr(step.view.seen, raw.stream)
        fresh = stored is not None and number >= getattr(stored, raw.stream)
        step.view.count(raw)
        if raw.stream == "out" and is_partial(raw.data):
            continue
        # What is asked, and how a turn ended, is stored and shown as the journal is.
        line = raw._replace(data=redact(raw.data))
        event = decode(line.data, line.stream)
        step.view.take(event, line.time, len(line.data))
        if fresh:
            _effect(step, event, line)


def caught_up(step: Step) -> None:
    """Answer what is open in a run that was adopted, and send again what has no receipt."""
    if not step.view.initialised:
        step.send(initialize(step.run), key=initialize_id(step.run))
    turns.adopt_time(step)
    if step.standing.mode:
        guard.restore_mode(step)
    open_requests = dict(step.view.requests)
    for request in open_requests.values():
        requests.answer(step, request, step.time)
    AskBook(step).say_expired_again(open_requests)
    for request_id in open_requests:
        step.view.forget_request(request_id)
    AskBook(step).send_unreceipted()
    waiting = tell_waiting(step)
    if step.view.state == "idle" and not step.store.messages.undelivered(step.task.id):
        # Whoever saw the turn's end is gone, and what he meant to do then.
        _rest(step)
        return
    if step.standing.interrupt:
        line = control.interrupt(step.standing.interrupt)
        # Behind the message whose turn it may be meant for.
        step.send(line) if waiting else step.control(line)
    if step.view.login_rejected:
        turns.login_refused(step)


def tell_waiting(step: Step) -> bool:
    """Send everything that the person said and the CLI has not taken yet; False for nothing."""
    waiting = step.store.messages.undelivered(step.task.id)
    for message in waiting:
        say(step, message)
    return bool(waiting)


def say(step: Step, message: Message) -> None:
    """Send a message.

    It waits while the files are kept that its turn begins with, and one that may be a command of
    the CLI until its commands are known.
    """
    if step.standing.snapshotting or (message.text.startswith("/") and not step.view.initialised):
        return
    text = control.as_cli_text(message.text, step.view.commands)
    step.store.messages.note_said(message, step.view.seen.out)
    media = step.services.workspace.media(step.task, message) if message.attached else ()
    step.send(control.user_message(text, message.id, media), key=message.id)


def _effect(step: Step, event: Event, line: LogLine) -> None:
    if is_request(event):
        requests.take(step, event, line)
    elif (effect := _EFFECTS.get(type(event))) is not None:
        effect(step, event, line)


def _session_state(step: Step, event: SessionState, _line: LogLine) -> None:
    if event.state == "idle":
        step.standing.interrupt, step.standing.alarmed = "", False
    if event.state == "running":
        turns.began(step)
    elif event.state == "idle" and not step.store.messages.undelivered(step.task.id):
        _rest(step)


def _rest(step: Step) -> None:
    """Let the turn be over; or say a message anew whose id the CLI passes over."""
    if step.view.passed_over and not step.standing.intent:
        step.view.passed_over = False
        turns.say_again(step)
        tell_waiting(step)
    if not step.store.messages.undelivered(step.task.id):
        turns.ended(step)


def _user(step: Step, event: UserMessage, _line: LogLine) -> None:
    if event.is_replay:
        step.seen(event.uuid)
        if step.store.messages.mark_delivered(step.task.id, event.uuid):
            step.task.unanswered = True
            if (message := step.store.messages.get(step.task.id, event.uuid)) is not None:
                step.store.messages.note_read(message, step.view.seen.out)
                turns.read(step, message)
    else:
        step.standing.import_wanted = True


def _result(step: Step, event: Result, line: LogLine) -> None:
    _settle_commands(step)
    rejected = turns.login_problem(step) if step.view.login_rejected else ""
    given_up = (step.task.problem, step.task.cause) if step.standing.intent == "failed" else None
    if wrong := results.apply(event, step.task, step.run, rejected=rejected):
        step.alarm("figures", wrong, line.data, stop=False)
    if given_up is not None:
        step.trouble(*given_up)  # what the run is ended for, and not what its last turn says
    turns.judged(step, event)
    step.standing.import_wanted = True


def _settle_commands(step: Step) -> None:
    """Mark a command of the CLI's own (`/compact`) as delivered by the end of its turn.

    It has no echo, and a turn and a result of its own. A turn that began before it was said, or in
    which something was read that was said before it, is not its turn. Only the order of the lines
    tells: no two clocks agree.
    """
    began = step.view.last_turn_line
    # A turn that follows another at once has no beginning of its own.
    line = step.view.seen.out if began is None else began
    for message in step.store.messages.said_before(step.task.id, line):
        if messages.is_command(message.text, step.view.commands):
            step.seen(message.id)
            step.store.messages.mark_delivered(message.task, message.id)
            step.store.messages.note_read(message, step.view.seen.out)
            return


def _response(step: Step, event: Response, _line: LogLine) -> None:
    standing = step.standing
    step.seen(event.request_id)
    if event.request_id in standing.told:
        standing.told = tuple(told for told in standing.told if told != event.request_id)
    if event.request_id == standing.interrupt:
        standing.interrupt = ""
    elif event.request_id == standing.mode:
        standing.mode = ""
    elif event.request_id == initialize_id(step.run):
        _initialised(step)
    else:
        AskBook(step).receipt(event.request_id)


def _initialised(step: Step) -> None:
    """Say the commands that wait, now that the CLI answers; end the start if no message waits."""
    waiting = step.store.messages.undelivered(step.task.id)
    for message in waiting:
        if message.text.startswith("/"):
            say(step, message)
    if step.task.state is TaskState.STARTING and not waiting:
        turns.ended(step)


def _withdrawn(step: Step, event: RequestCancelled, _line: LogLine) -> None:
    AskBook(step).withdraw(event.request_id)


def _mode(step: Step, event: Init | Status, line: LogLine) -> None:
    if isinstance(event, Init):
        guard.check_session(step, event, line.data)
    guard.check_mode(step, event.permission_mode, line.data)


def _api_retry(step: Step, event: ApiRetry, _line: LogLine) -> None:
    if event.error == "authentication_failed" and event.attempt >= LOGIN_ATTEMPTS:
        turns.login_refused(step)


def _background(step: Step, _event: BackgroundTask, _line: LogLine) -> None:
    if step.task.state is TaskState.IDLE and step.standing.phase is Phase.LIVE:
        turns.background_changed(step)


def _relay(step: Step, event: RelayLine, line: LogLine) -> None:
    if event.what == "started":
        step.seen(RELAY_GREETED)
    elif event.what == "dropped":
        step.after(step.actor.say_unseen_again)
    elif event.what == "set_aside":
        guard.home_changed(step, event)
    elif event.what == "exposed":
        guard.exposed(step, line.data)


_EFFECTS: dict[type[Event], Callable[[Step, Any, LogLine], None]] = {
    SessionState: _session_state,
    UserMessage: _user,
    Result: _result,
    Response: _response,
    RequestCancelled: _withdrawn,
    Init: _mode,
    Status: _mode,
    ApiRetry: _api_retry,
    BackgroundTask: _background,
    RelayLine: _relay,
}
