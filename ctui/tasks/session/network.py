"""News of the gateway: hosts that a run wants and nobody has named, its ports, and its login."""

from __future__ import annotations

from ctui.tasks.asks import Origin
from ctui.tasks.asks.kinds.host import host_ask, host_of
from ctui.tasks.mailbox.mail import (
    Anomaly,
    HostAsked,
    HostGone,
    LimitReached,
    LoginRejected,
    PortsChanged,
)
from ctui.tasks.mailbox.states import Phase
from ctui.tasks.mailbox.step import Step
from ctui.tasks.model import Notice
from ctui.tasks.session import turns
from ctui.tasks.session.asking import AskBook

_AT_WORK = {Phase.LIVE, Phase.ADOPTING}
_MOST_TOLD = 50


def asked(step: Step, mail: HostAsked) -> None:
    """Ask the person, where there is one; refuse at once where nobody will answer."""
    standing, task = step.standing, step.task
    run = standing.run
    book_is_open = standing.phase in _AT_WORK and not standing.intent and run is not None
    if run is None or run.number != mail.run or not book_is_open:
        _refuse(step, mail.request)
        return
    ask = host_ask(
        mail.request, Origin(task.id, run.number, step.time), mail.host, mail.port, mail.program
    )
    book = AskBook(step)
    if task.options.unattended or task.turn_unattended:
        _say_refused(step, host_of(ask))
        _refuse(step, mail.request)
    elif book.full(step.services.config().tasks.open_asks):
        _refuse(step, mail.request)
    else:
        book.open(ask)


def gone(step: Step, mail: HostGone) -> None:
    """Take an ask back that nothing waits for any more."""
    if step.standing.run is not None:
        AskBook(step).withdraw(mail.request)


def ports_changed(step: Step, mail: PortsChanged) -> None:
    """Note what the run listens on."""
    if step.standing.run is not None and not step.standing.ending:
        step.task.ports = mail.ports


def login_rejected(step: Step, mail: LoginRejected) -> None:
    """Go on with a newer login, or end the run until the person has logged in."""
    standing = step.standing
    if standing.phase is not Phase.LIVE or standing.intent:
        return
    if mail.renewed:
        text = "Claude rejected the login; a newer one was found and is tried"
        step.note(Notice(kind="problem", text=text))
    else:
        turns.login_refused(step)


def limit_reached(step: Step, mail: LimitReached) -> None:
    """Note when the limit is reset, for the end of the turn that has met it."""
    step.view.limit_reset = mail.resets_at


def anomaly(step: Step, mail: Anomaly) -> None:
    """Record what a well-behaved run does not do; the gateway has refused it."""
    if step.standing.run is not None:
        step.alarm("network", mail.text, mail.kind, stop=False)


def _say_refused(step: Step, host: str) -> None:
    """Say what allows a host, once in a turn: a program tries again, and may try all there are."""
    told = step.standing.hosts_refused
    if host in told or len(told) >= _MOST_TOLD:
        return
    step.standing.hosts_refused = (*told, host)
    hint = f"`ctui network allow {host}` lets tasks reach it"
    step.note(Notice(kind="problem", text=f"{host} was refused, for nobody is there: {hint}"))


def _refuse(step: Step, request: str) -> None:
    network = step.services.network
    step.after(lambda: network.decide(request, allow=False))
