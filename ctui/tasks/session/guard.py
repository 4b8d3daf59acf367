"""Lines that a task may not say: whatever the driver did not cause is an alarm.

A line is evidence of something only where the CLI alone could have written it; even then the CLI
runs beside what a task started. So each claim is held against what this side knows: which mode was
chosen or granted, which tool calls were shown, which servers were given, which session began.
"""

from __future__ import annotations

from ctui.claude.protocol import control
from ctui.claude.protocol.events import Elicitation, Init, PermissionRequest, RelayLine
from ctui.tasks.asks import AskEvent, elicitation_is_expected, kind_of
from ctui.tasks.mailbox.step import Step
from ctui.tasks.model import Ask, AskState
from ctui.tasks.naming import is_uuid
from ctui.tasks.session.asking import AskBook
from ctui.tasks.session.messages import begins_session
from ctui.text import one_line

TOO_MANY = "this task asks more than the person can answer; wait for an answer first"
_WIDE_MODES = {"acceptEdits", "bypassPermissions", "dontAsk", "auto"}
"""Modes in which something happens unasked. The others only ask more."""


def check_mode(step: Step, mode: str, evidence: bytes) -> None:
    """Stop the turn if the CLI works in a wider mode than it was given."""
    if mode not in _WIDE_MODES or mode in _chosen_modes(step):
        return
    if mode == "acceptEdits" and _edits_granted(step):
        return
    name = one_line(mode, 40)
    text = f"Claude Code is in mode {name}, which nobody chose"
    if step.alarm("mode", text, evidence, stop=True):
        step.standing.mode = f"mode-{step.time}"
        restore_mode(step)


def restore_mode(step: Step) -> None:
    """Tell the CLI to work in the mode that was chosen."""
    options = step.task.options
    restored = "default" if options.skip_permissions else options.permission_mode
    step.control(control.set_permission_mode(step.standing.mode, restored))


def check_session(step: Step, init: Init, evidence: bytes) -> None:
    """Take the session's id: the run's first, or a new one where the person began another."""
    session, task = init.session, step.task
    if session == task.session or not is_uuid(session):
        return
    last = step.store.messages.last(task.id)
    if last is not None and begins_session(last.text):
        task.session = session
    else:
        step.alarm("session", "a line names another session than the task's", evidence, stop=False)


def check_request(step: Step, request: AskEvent, evidence: bytes | None) -> str:
    """Return why a request is refused, or "" where it may become an ask.

    One with a subtype of its own has nothing here that it could be held against.
    """
    if isinstance(request, Elicitation):
        if not elicitation_is_expected(request.server, step.task):
            server = one_line(request.server, 80)
            if evidence is not None:
                text = f"a form in the name of {server}, which the task was not given"
                step.alarm("elicitation", text, evidence, stop=True)
            return "ctui gave this task no such server"
    elif isinstance(request, PermissionRequest) and not step.view.may_ask(request):
        tool = one_line(request.tool, 80)
        if evidence is not None:
            text = f"a request for {tool} without a call that is open"
            step.alarm("ask", text, evidence, stop=True)
        return "there is no open call of this tool"
    if asks_too_much(step):
        return TOO_MANY
    return ""


def asks_too_much(step: Step) -> bool:
    """Return True where the run has as many open asks as it may."""
    limit = (step.standing.config or step.services.config()).tasks.open_asks
    return AskBook(step).full(limit)


def home_changed(step: Step, line: RelayLine) -> None:
    """Tell what lay in the home that Claude Code would have read, and was set aside."""
    paths = ", ".join(one_line(path, 80) for path in line.paths[:10])
    step.alarm("home", f"set aside, because Claude Code would read it: {paths}", paths, stop=False)


def exposed(step: Step, evidence: bytes) -> None:
    """Tell once for each task that the kernel does not hide the CLI from what it starts."""
    if any(alarm.kind == "exposed" for alarm in step.task.alarms):
        return
    text = (
        "the engine's kernel hides nothing of Claude Code, the login neither, from the commands"
        " that it runs: set fs.suid_dumpable to 0 there, then stop and resume it"
    )
    step.alarm("exposed", text, evidence, stop=False)


def _chosen_modes(step: Step) -> set[str]:
    options = step.task.options
    chosen: set[str] = {options.permission_mode}
    return chosen | {"bypassPermissions"} if options.skip_permissions else chosen


def _edits_granted(step: Step) -> bool:
    """Return True where an answer lets the run make all edits.

    A task can ask much and name modes as often: its asks are looked through once, and again after
    an answer of the person that may change the result.
    """
    standing = step.standing
    if standing.edits_granted is None:
        answered = step.store.asks.list(
            AskState.ANSWERED, AskState.DELIVERED, task=step.task.id, run=step.run.number
        )
        standing.edits_granted = any(_accepts_edits(ask) for ask in answered)
    return standing.edits_granted


def _accepts_edits(ask: Ask) -> bool:
    if ask.answer is None or ask.answer.decision != "session":
        return False
    return kind_of(ask).accepts_edits(ask)
