"""The faults that the simulation was made for: put back, each breaks a schedule."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence

import pytest

from ctui.errors import CtuiError
from ctui.tasks.engine import TaskEngine
from ctui.tasks.mailbox.mail import Lines, Mail, Remove, Send, Stop
from ctui.tasks.mailbox.states import Phase
from ctui.tasks.mailbox.step import Step
from ctui.tasks.model import EndReason, TaskState
from ctui.tasks.runs import commands, dispatch
from ctui.tasks.runs.actor import TaskActor
from ctui.tasks.runs.phases import closing
from ctui.tasks.store.unfinished import UnfinishedTable
from tests.simulation.schedule import run_schedule
from tests.simulation.world import Broken

Patch = Callable[[pytest.MonkeyPatch], None]

_SEEDS = 10_000
"""The schedules of each test run, which break no invariant without the fault."""


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def _handler(patch: pytest.MonkeyPatch, kind: type[Mail], handler: Callable[..., None]) -> None:
    patch.setitem(dispatch._HANDLERS, kind, handler)


def s1(patch: pytest.MonkeyPatch) -> None:
    """S1: what is being adopted counts as what does not run."""

    def stop(step: Step, mail: Stop) -> None:
        if step.standing.phase is Phase.ADOPTING and mail.reply is not None:
            step.move(TaskState.ENDED)
            step.reply(mail.reply, step.task)
        else:
            commands.stop(step, mail)

    _handler(patch, Stop, stop)


def s2(patch: pytest.MonkeyPatch) -> None:
    """S2: what is being adopted is removed at once, and the next driver trips over its run."""
    adopt = TaskEngine.adopt

    def remove(step: Step, mail: Remove) -> None:
        if step.standing.phase is Phase.ADOPTING and mail.reply is not None:
            step.store.tasks.mark_removed(step.task.id)
            step.task.removed = step.time
            step.reply(mail.reply, step.task)
        else:
            commands.remove(step, mail)

    def trusting(self: TaskEngine) -> None:
        for run in self.store.runs.open():
            self.store.tasks.get(run.task)
        adopt(self)

    _handler(patch, Remove, remove)
    patch.setattr(TaskEngine, "adopt", trusting)


def s9(patch: pytest.MonkeyPatch) -> None:
    """S9: a message to what is being adopted leaves the task idle."""

    def send(step: Step, mail: Send) -> None:
        before = step.task.state
        commands.send(step, mail)
        if step.standing.phase is Phase.ADOPTING:
            step.task.state = before

    _handler(patch, Send, send)


def s11(patch: pytest.MonkeyPatch) -> None:
    """S11: a line counts as seen although the store could not take its effect."""
    attempt = TaskActor._attempt

    def forget(self: TaskActor, mail: Mail) -> Sequence[Callable[[], None]]:
        try:
            return attempt(self, mail)
        except CtuiError:
            if not isinstance(mail, Lines):
                raise
            for line in mail.lines:
                self.standing.view.seen = self.standing.view.seen.plus(line)
            return ()

    patch.setattr(TaskActor, "_attempt", forget)


def s12(patch: pytest.MonkeyPatch) -> None:
    """S12: a message that comes while a run is ended wakes nothing."""

    def send(step: Step, mail: Send) -> None:
        ending, state = step.standing.ending, step.task.state
        intent = step.standing.intent
        commands.send(step, mail)
        if ending:
            step.standing.again, step.standing.intent = False, intent
            step.task.state = state

    def no_news(_step: Step) -> bool:
        return False

    _handler(patch, Send, send)
    patch.setattr(closing, "_has_news", no_news)


def thrown_away(patch: pytest.MonkeyPatch) -> None:
    """A message to a task that was stopped is accepted, and nobody keeps it."""

    def send(step: Step, mail: Send) -> None:
        resting = step.standing.phase is Phase.RESTING and not step.task.removed
        if resting and step.task.reason is EndReason.STOPPED:
            step.reply(mail.reply, step.task)
        else:
            commands.send(step, mail)

    _handler(patch, Send, send)


def forgotten(patch: pytest.MonkeyPatch) -> None:
    """What is under way is known to one driver, and not to the next."""
    patch.setattr(UnfinishedTable, "save", lambda *_: None)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("fault", [s1, s2, s9, s11, s12, thrown_away, forgotten])
def test_a_fault_that_is_put_back_is_found(monkeypatch: pytest.MonkeyPatch, fault: Patch) -> None:
    """No seed is named: a schedule means something else after any change of a step."""
    fault(monkeypatch)
    with pytest.raises(Broken):
        _run_schedules()


def _run_schedules() -> None:
    for seed in range(_SEEDS):
        run_schedule(seed)
