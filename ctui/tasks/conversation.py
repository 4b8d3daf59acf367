"""What the driver makes of a run's lines: the task's state, its asks, its messages' receipts.

Everything that a line can cause is idempotent, because after a crash the next driver reads the
whole log of the run again. Lines are hostile: a process in the sandbox can write any of them. So
nothing here is believed about our own side; an echo can only end the re-sending of a line.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol

from ctui.claude import control
from ctui.claude.decode import control_request
from ctui.claude.events import Elicitation, PermissionRequest, is_partial
from ctui.claude.fields import json_object
from ctui.sandbox.stream import LogLine
from ctui.tasks import asks, results, toolbox
from ctui.tasks.channel import Channel
from ctui.tasks.model import Answer, Ask, AskState, Message, Notice, Run, Task, TaskState
from ctui.tasks.run_asks import RunAsks
from ctui.tasks.store import Store, now
from ctui.text import one_line, sanitise

_ERROR_LINES = 20
_LOGIN_ATTEMPTS = 3


class Outward(Protocol):
    """Who needs to know."""

    def task_changed(self, task: Task) -> None: ...

    def ask_changed(self, ask: Ask) -> None: ...

    def note(self, notice: Notice) -> None: ...

    def work_may_have_changed(self) -> None: ...

    def turn_ended(self) -> None: ...


_GRANTED = Answer("allow", by="grant")


class Conversation:
    """One run's dialogue with the CLI."""

    def __init__(
        self, task: Task, run: Run, store: Store, channel: Channel, outward: Outward
    ) -> None:
        self.task = task
        self.run = run
        self.relay_started = False
        self.stderr: list[str] = []
        """The last lines of the CLI's stderr, sanitised."""
        self.login_rejected = False
        self.asks = RunAsks(store, run, self._ask_changed)
        self._store = store
        self._channel = channel
        self._outward = outward
        self._unanswered: dict[str, Mapping[str, Any]] = {}
        self._replaying = False

    def use(self, channel: Channel) -> None:
        """Send through this channel from now on."""
        self._channel = channel

    def trouble(self, problem: str) -> None:
        """Show what keeps the task from going on; the next good result clears it."""
        self.task.problem = problem
        self._save()

    def replay(self, lines: list[LogLine]) -> None:
        """Take lines that were written before this driver came: learn from them, answer nothing."""
        self._replaying = True
        try:
            self.take(lines)
        finally:
            self._replaying = False

    def caught_up(self) -> None:
        """The replay is over: answer what is open, send again what has no echo."""
        unanswered, self._unanswered = self._unanswered, {}
        for request_id, request in unanswered.items():
            self._request(request_id, request, now())
        self.flush()
        if self.task.state is TaskState.IDLE or self.login_rejected:
            # Whoever saw the turn's end is gone, and what he meant to do then.
            self._outward.turn_ended()

    def take(self, lines: list[LogLine]) -> None:
        """Take lines of the run, in order."""
        for line in lines:
            if line.stream == "err":
                self._stderr_line(line)
            elif not is_partial(line.data):
                self._stdout_line(line)

    def flush(self) -> None:
        """Send everything of the store that has no receipt yet."""
        for ask in self.asks.unreceipted():
            if ask.answer is not None:
                self._channel.send(asks.reply(ask, ask.answer), key=ask.request)
        for message in self._store.undelivered(self.task.id):
            self.say(message)

    def say(self, message: Message) -> None:
        self._channel.send(control.user_message(message.text, message.id), key=message.id)
        if self.task.state is TaskState.IDLE:
            self._move(TaskState.RUNNING)

    def answer(self, ask: Ask, answer: Answer) -> None:
        """Send an answer that the store has accepted."""
        self._channel.send(asks.reply(ask, answer), key=ask.request)
        self._refresh_waiting()

    def expire(self, ask: Ask) -> None:
        """Nobody answered an `ask_user` in time."""
        if self.asks.expire(ask):
            self._channel.send(asks.expired_reply(ask), key=ask.request)

    def interrupt(self) -> None:
        self._channel.send(control.interrupt(str(uuid.uuid4())))

    # -- lines

    def _stderr_line(self, line: LogLine) -> None:
        relay = (json_object(line.data) or {}) if line.data.startswith(b'{"ctui_relay"') else {}
        match relay.get("ctui_relay"):
            case "started":
                self.relay_started = True
            case "dropped":
                if not self._replaying:
                    self._channel.send_unseen_again()
            case "exited":
                pass
            case "failed":
                self.stderr = [*self.stderr, one_line(str(relay.get("reason")), 400)]
            case _:
                text = one_line(line.data.decode("utf-8", "replace"), 400)
                self.stderr = [*self.stderr[-_ERROR_LINES:], text]

    def _stdout_line(self, line: LogLine) -> None:
        event = json_object(line.data) or {}
        handler = self._handlers.get(str(event.get("type")))
        if handler is not None:
            handler(self, event, line.time)

    def _system(self, event: Mapping[str, Any], _time: int) -> None:
        subtype = event.get("subtype")
        if subtype == "init":
            session = event.get("session_id")
            if (
                isinstance(session, str)
                and results.is_uuid(session)
                and session != self.task.session
            ):
                # `/clear` begins another session; a resume must continue that one.
                self.task.session = session
                self._save()
        elif subtype == "session_state_changed":
            self._session_state(event.get("state"))
        elif subtype == "api_retry" and event.get("error") == "authentication_failed":
            self._login_refused(results.number(event.get("attempt")))

    def _login_refused(self, attempt: float) -> None:
        """With an API key the CLI would try ten times, for three minutes."""
        if attempt >= _LOGIN_ATTEMPTS and not self.login_rejected:
            self.login_rejected = True
            self.trouble(results.LOGIN_PROBLEM)
            if not self._replaying:
                self._outward.turn_ended()

    def _session_state(self, state: object) -> None:
        if state == "running":
            self._move(TaskState.RUNNING)
        elif state == "idle" and not self._store.undelivered(self.task.id):
            if not self.login_rejected:  # else it waits, or goes on with another login
                self._move(TaskState.IDLE)
            if not self._replaying:
                self._outward.turn_ended()

    def _user(self, event: Mapping[str, Any], _time: int) -> None:
        message_id = event.get("uuid")
        if event.get("isReplay") is True and isinstance(message_id, str):
            self._channel.seen(message_id)
            self._store.mark_delivered(message_id)
        elif not self._replaying:
            self._outward.work_may_have_changed()

    def _assistant(self, event: Mapping[str, Any], _time: int) -> None:
        if event.get("error") == "authentication_failed":
            self.login_rejected = True

    def _result(self, event: Mapping[str, Any], time: int) -> None:
        self._settle_commands(time)
        self.login_rejected = results.apply(
            event, self.task, self.run, self.login_rejected, counted=self._replaying
        )
        self._save()
        if not self._replaying:
            self._outward.work_may_have_changed()

    def _settle_commands(self, time: int) -> None:
        """A command of the CLI's own (`/compact`) has no echo, unlike every other message."""
        for message in self._store.undelivered(self.task.id):
            if message.text.lstrip().startswith("/") and message.created < time:
                self._channel.seen(message.id)
                self._store.mark_delivered(message.id)

    def _control_request(self, event: Mapping[str, Any], time: int) -> None:
        request_id, request = event.get("request_id"), event.get("request")
        if not isinstance(request_id, str) or not isinstance(request, dict):
            return
        if self._replaying and request.get("subtype") not in {"can_use_tool", "elicitation"}:
            self._unanswered[request_id] = request
        else:
            self._request(request_id, request, time)

    def _request(self, request_id: str, request: Mapping[str, Any], time: int) -> None:
        decoded = control_request({"request_id": request_id, "request": request})
        if isinstance(decoded, PermissionRequest | Elicitation):
            self._open(asks.ask_of(decoded, self._origin(time)))
            return
        match request.get("subtype"):
            case "mcp_message":
                self._toolbox(request_id, request, time)
            case "hook_callback":
                self._channel.send(control.no_opinion(request_id))
            case _:
                self._channel.send(control.refuse(request_id, "ctui does not know this request"))

    def _toolbox(self, request_id: str, request: Mapping[str, Any], time: int) -> None:
        message = request.get("message")
        outcome = toolbox.handle(message if isinstance(message, dict) else {})
        match outcome:
            case toolbox.Respond():
                self._channel.send(control.mcp_reply(request_id, outcome.message))
            case toolbox.NotifyPerson():
                urgent = outcome.note.priority == "urgent"
                text = sanitise(outcome.note.message)
                self._outward.note(Notice(kind="notified", text=text, urgent=urgent))
                self._channel.send(control.mcp_reply(request_id, outcome.response))
            case toolbox.AskPerson():
                self._open(asks.toolbox_ask(request_id, outcome, self._origin(time)))
            case toolbox.Withdraw():
                self.asks.withdraw_call(outcome.call)
                self._channel.send(control.mcp_reply(request_id, outcome.response))

    def _control_cancel(self, event: Mapping[str, Any], _time: int) -> None:
        request_id = event.get("request_id")
        if isinstance(request_id, str):
            self.asks.withdraw(request_id)

    def _control_response(self, event: Mapping[str, Any], _time: int) -> None:
        response = event.get("response")
        request_id = response.get("request_id") if isinstance(response, dict) else None
        if not isinstance(request_id, str):
            return
        self._unanswered.pop(request_id, None)
        self._channel.seen(request_id)
        self.asks.receipt(request_id)
        if self.task.state is TaskState.STARTING and not self._told_in_this_run():
            # It answers, and until it is told something it says nothing of its own accord.
            self._session_state("idle")

    def _told_in_this_run(self) -> bool:
        last = self._store.last_message(self.task.id)
        return bool(last and last.delivered and last.delivered >= self.run.created)

    _handlers: ClassVar[dict[str, Callable[[Conversation, Mapping[str, Any], int], None]]] = {
        "system": _system,
        "user": _user,
        "assistant": _assistant,
        "result": _result,
        "control_request": _control_request,
        "control_cancel_request": _control_cancel,
        "control_response": _control_response,
    }

    def _open(self, ask: Ask) -> None:
        granted = self._store.is_granted(self.task.repository, ask)
        opened = self.asks.open(ask, _GRANTED if granted else None)
        if granted and opened is not None and not self._replaying:
            self.answer(opened, _GRANTED)
        self._refresh_waiting()

    def _ask_changed(self, ask: Ask) -> None:
        if ask.state not in {AskState.PENDING, AskState.ANSWERED}:
            self._channel.seen(ask.request)
        self._outward.ask_changed(ask)
        self._refresh_waiting()

    def _origin(self, time: int) -> asks.Origin:
        return asks.Origin(self.task.id, self.run.number, time)

    # -- state

    def _refresh_waiting(self) -> None:
        if self.asks.any_pending:
            self._move(TaskState.WAITING)
        elif self.task.state is TaskState.WAITING:
            self._move(TaskState.RUNNING)

    def _move(self, state: TaskState) -> None:
        if state is TaskState.RUNNING and self.asks.any_pending:
            state = TaskState.WAITING
        if self.task.state is not state:
            self.task.state = state
            self._save()

    def _save(self) -> None:
        self.task.updated = now()
        self._store.save_task(self.task)
        self._outward.task_changed(self.task)
