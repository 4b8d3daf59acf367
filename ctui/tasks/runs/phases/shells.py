"""OPENING and OPEN: a sandbox without the CLI, in which a person has a shell.

Whoever has the terminal talks to the runner himself. The driver only hears now and then that the
shell is still open, and how long ago somebody typed in it. A message begins a run in the sandbox
that is open: the shell goes on, and no second sandbox is on the worktree.
"""

from __future__ import annotations

import asyncio
from typing import cast

from ctui.errors import Conflict, CtuiError, RunnerUnavailable
from ctui.sandbox.runner import SandboxState
from ctui.tasks.mailbox.mail import Hold
from ctui.tasks.mailbox.open_shells import (
    IDLE_SECONDS,
    LINGER_SECONDS,
    SILENT_SECONDS,
    Opened,
    Shell,
)
from ctui.tasks.mailbox.states import Phase
from ctui.tasks.mailbox.step import Reply, Step
from ctui.tasks.runs.failures import as_error
from ctui.tasks.runs.jobs.adopt import open_network
from ctui.tasks.runs.jobs.look import look
from ctui.tasks.runs.jobs.open_sandbox import open_sandbox
from ctui.tasks.runs.jobs.patience import insist
from ctui.tasks.runs.phases import closing, queued

TIMER = "shells"


def hold(step: Step, mail: Hold) -> None:
    """Take note of a shell; one that needs a sandbox is answered once there is one."""
    standing, call = step.standing, mail.call
    standing.shells = tuple(shell for shell in standing.shells if shell.id != call.shell)
    awake = LINGER_SECONDS if call.over else min(SILENT_SECONDS, IDLE_SECONDS - call.idle)
    if awake > 0:
        shell = Shell(call.shell, asyncio.get_running_loop().time() + awake)
        standing.shells = (*standing.shells, shell)
    if call.open:
        if standing.leaving is not None or step.task.removed:
            raise Conflict(f"the task {step.task.id} is being removed", hint="it takes no shell")
        if step.task.options.environment_due:
            raise Conflict(
                f"the environment of {step.task.id} is not built yet",
                hint=f"`ctui task show {step.task.id}` says what it waits for",
            )
        standing.openers = (*standing.openers, mail.reply)
    else:
        _settle(step, (mail.reply,), "")
    if standing.phase is Phase.OPEN:
        step.timer(TIMER, held(step))


def held(step: Step) -> float:
    """Return the seconds for which shells still keep the sandbox awake."""
    now = asyncio.get_running_loop().time()
    step.standing.shells = tuple(shell for shell in step.standing.shells if shell.until > now)
    return max((shell.until - now for shell in step.standing.shells), default=0.0)


def see_to(step: Step) -> None:
    """Answer those who wait for a sandbox, or have one made; a consequence of any mail.

    The sandbox that is open is looked at before: nobody follows it.
    """
    standing, actor = step.standing, step.actor
    if not standing.openers:
        return
    if standing.intent not in {"", "asleep"} or standing.leaving is not None:
        refuse(step, Conflict(f"{step.task.id} is being stopped", hint="try it again then"))
    elif standing.phase is Phase.LIVE and not standing.ending:
        _answer(step, step.run.container)
    elif standing.phase is Phase.OPEN and standing.opened is not None:
        if not standing.peeking:
            standing.peeking, sandbox = True, standing.opened.sandbox
            step.start("peek", lambda: look(actor, sandbox))
    elif standing.phase is Phase.RESTING and (other := actor.around.occupied(step.task)):
        refuse(
            step,
            Conflict(
                f"the task {other} works on this worktree",
                hint=f"`ctui task shell {other}`, or `ctui task stop {other}` first",
            ),
        )
    elif standing.phase is Phase.RESTING:
        step.enter(Phase.OPENING)
        step.start("open", lambda: open_sandbox(actor, standing))


def opened(step: Step, result: object, error: BaseException | None) -> None:
    """Tell who waits where the sandbox is; begin the run that was wanted meanwhile."""
    standing = step.standing
    if error is not None:
        refuse(step, as_error(error))
        closing.close(step)  # whatever there is of it
        return
    found = standing.opened = cast("Opened", result)
    enter(step)
    if standing.intent:
        closing.close(step)
        return
    _answer(step, found.sandbox)
    if standing.again:
        queued.begin_by_itself(step)


def peeked(step: Step, result: object, error: BaseException | None) -> None:
    """Tell who waits where the sandbox is; one that has ended is replaced."""
    standing, state = step.standing, cast("SandboxState | None", result)
    standing.peeking = False
    if error is not None:
        refuse(step, as_error(error))
    elif state is None or not state.running:
        closing.close(step)
    elif standing.opened is not None:
        _answer(step, standing.opened.sandbox)


def enter(step: Step) -> None:
    """Let the sandbox be open for as long as there are shells."""
    step.enter(Phase.OPEN)
    step.standing.peeking = False
    # Whoever wanted it has had to wait, perhaps for longer than a shell may be silent.
    step.timer(TIMER, held(step) or SILENT_SECONDS)


def adopt(step: Step, sandbox: str) -> None:
    """Take over a sandbox without the CLI from an earlier driver; its shells say that they live.

    No run is on record for it, so nobody else has the gateway serve it again.
    """
    actor, last = step.actor, step.store.runs.last(step.task.id)
    number = last.number + 1 if last else 1
    step.standing.opened = Opened(sandbox, None)
    step.enter(Phase.OPEN)
    step.timer(TIMER, SILENT_SECONDS)
    again_on = (RunnerUnavailable,)
    step.start("network", lambda: insist(actor, lambda: open_network(actor, number), on=again_on))


def time_up(step: Step) -> None:
    """Close the sandbox if no shell keeps it awake."""
    if step.standing.phase is not Phase.OPEN:
        return
    left = held(step)
    if left > 0:
        step.timer(TIMER, left)
    else:
        closing.close(step)


def refuse(step: Step, error: CtuiError) -> None:
    """Tell those who wait for a sandbox that there will be none."""
    for reply in step.standing.openers:
        step.refuse(reply, error)
    step.standing.openers = ()


def _answer(step: Step, sandbox: str) -> None:
    _settle(step, step.standing.openers, sandbox)
    step.standing.openers = ()


def _settle(step: Step, replies: tuple[Reply, ...], value: str) -> None:
    """Answer without a look at the disk: nothing of this is stored."""
    for reply in replies:
        step.after(lambda reply=reply: None if reply.done() else reply.set_result(value))  # type: ignore[misc]
