"""End of a run in whose mail this program makes a mistake."""

from __future__ import annotations

from ctui.errors import CtuiError
from ctui.tasks.mailbox.mail import JobDone, Lines, Mail
from ctui.tasks.mailbox.states import Phase
from ctui.tasks.mailbox.step import Step
from ctui.tasks.runs import lifecycle


def handle_crash(step: Step, mail: Mail, error: Exception) -> None:
    """Refuse the command, or end the run: its sandbox is stopped, and the task has failed."""
    mistake = CtuiError(f"ctui made a mistake: {error!r}", hint="see driver.log")
    reply = getattr(mail, "reply", None)
    if reply is not None:
        step.refuse(reply, error if isinstance(error, CtuiError) else mistake)
        return
    step.trouble(f"{mistake.one_line()}; the task was stopped", "other")
    if isinstance(mail, Lines):
        for line in mail.lines:
            step.view.seen = step.view.seen.plus(line)
    if isinstance(mail, JobDone) and mail.name == "leave":
        lifecycle.left(step, None, mistake)
    elif isinstance(mail, JobDone) and mail.name == "close":
        lifecycle.abandon(step, mistake)
    elif isinstance(mail, JobDone) and step.standing.phase not in {Phase.RESTING, Phase.CLOSING}:
        lifecycle.give_up(step, mistake)
    elif step.standing.phase is not Phase.RESTING:
        step.intend("failed")
        lifecycle.follow_up(step)
