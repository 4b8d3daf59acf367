"""Consent to a task's environment: asked before its first run, by an ask of no run.

The task waits at rest, as for a login. An answer is stored with the ask, and binds to the hash that
it shows; the next attempt to begin looks at what the environment is by then, and asks again where
that is something else.
"""

from __future__ import annotations

import uuid

from ctui.tasks.asks.kind import Origin
from ctui.tasks.asks.kinds.environment import digest_of, environment_ask
from ctui.tasks.mailbox.ports import ConsentMissing
from ctui.tasks.mailbox.states import Phase
from ctui.tasks.mailbox.step import Step
from ctui.tasks.model import Answer, Ask, AskKind, AskState, EndReason, TaskState
from ctui.tasks.runs.consents import NO_RUN, agreed
from ctui.tasks.runs.phases import queued


def ask(step: Step, missing: ConsentMissing) -> None:
    """Ask the person; what is asked already stays, and what it was before is withdrawn."""
    question, task = missing.question, step.task
    if question.digest in agreed(step.store, task.id):
        queued.begin_by_itself(step)  # it was answered while the run was prepared
        return
    last = step.store.messages.last(task.id)
    if task.options.unattended or (last is not None and last.unattended):
        withdraw(step)
        _end(step, missing.one_line(), needs_input=True)
        return
    asked = False
    for one in _open(step):
        if digest_of(one) == question.digest:
            asked = True
        else:
            _move(step, one, AskState.PENDING, AskState.CANCELLED)
    if asked:
        return
    added = step.store.asks.add(
        environment_ask(
            str(uuid.uuid4()),
            Origin(task.id, NO_RUN, step.time),
            name=question.repository,
            file=question.file,
            text=question.text,
            digest=question.digest,
        )
    )
    if added is not None:
        step.publish_ask(added.id)


def answered(step: Step, claimed: Ask, answer: Answer) -> None:
    """Begin with the person's consent, or end without."""
    _move(step, claimed, AskState.ANSWERED, AskState.DELIVERED)
    if step.standing.phase is not Phase.RESTING or step.task.state is not TaskState.WAITING:
        return  # it is under way again, and looks for itself
    if answer.decision == "allow":
        queued.begin_by_itself(step)
    else:
        again = f"`ctui task resume {step.task.id}` asks again"
        _end(step, f"without your consent to its environment it does not start: {again}")


def withdraw(step: Step) -> None:
    """Take back what is asked: the task ends, or has what it needs."""
    for one in _open(step):
        _move(step, one, AskState.PENDING, AskState.CANCELLED)


def _open(step: Step) -> list[Ask]:
    asks = step.store.asks.list(AskState.PENDING, task=step.task.id, run=NO_RUN)
    return [one for one in asks if one.kind is AskKind.ENVIRONMENT]


def _move(step: Step, one: Ask, before: AskState, after: AskState) -> None:
    if step.store.asks.move(one.id, before, after):
        step.publish_ask(one.id)


def _end(step: Step, problem: str, *, needs_input: bool = False) -> None:
    step.move(TaskState.ENDED)
    step.task.reason = EndReason.FAILED
    step.trouble(problem, "needs-input" if needs_input else "other")
