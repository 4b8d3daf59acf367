"""End of a run in whose mail this program makes a mistake."""

from __future__ import annotations

from ctui.errors import CtuiError
from ctui.tasks.mailbox.mail import JobDone, Lines, Mail
from ctui.tasks.mailbox.states import Phase
from ctui.tasks.mailbox.step import Step
from ctui.tasks.runs.failures import mistake
from ctui.tasks.runs.phases import closing, leaving
from ctui.tasks.runs.phases.follow_up import follow_up


def handle_crash(step: Step, mail: Mail, error: Exception) -> None:
    """Refuse the command, or end the run: its sandbox is stopped, and the task has failed."""
    ours = mistake(error)
    reply = getattr(mail, "reply", None)
    if reply is not None:
        step.refuse(reply, error if isinstance(error, CtuiError) else ours)
        return
    step.trouble(f"{ours.one_line()}; the task was stopped", "other")
    if isinstance(mail, Lines):
        for line in mail.lines:
            step.view.count(line)
    if isinstance(mail, JobDone) and mail.name == "snapshot":
        step.standing.snapshotting = False  # else what is said to the next run waits for ever
    if isinstance(mail, JobDone) and mail.name == "leave":
        leaving.left(step, None, ours)
    elif isinstance(mail, JobDone) and mail.name == "close":
        closing.abandon(step, ours)
    elif isinstance(mail, JobDone) and step.standing.phase not in {Phase.RESTING, Phase.CLOSING}:
        closing.give_up(step, ours)
    elif step.standing.phase is not Phase.RESTING:
        step.intend("failed")
        follow_up(step)
