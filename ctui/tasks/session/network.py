"""News of the gateway: hosts that a run wants and nobody has named, its ports, and its login."""

from __future__ import annotations

from typing import Literal

from ctui.tasks.asks import Origin
from ctui.tasks.asks.hosts import host_of, signed_host
from ctui.tasks.asks.kinds.host import host_ask
from ctui.tasks.asks.kinds.ssh_key import key_ask
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
from ctui.tasks.model import Ask, Notice
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
    origin = Origin(task.id, run.number, step.time)
    if mail.key:
        ask = key_ask(mail.request, origin, mail.host, mail.port, mail.key)
    else:
        ask = host_ask(mail.request, origin, mail.host, mail.port, mail.program)
    book = AskBook(step)
    if mail.key and _is_agreed(step, ask):
        _decide(step, mail.request, allow=True)
    elif task.options.unattended or task.turn_unattended:
        _say_refused(step, ask, "sign" if mail.key else "allow")
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


def _is_agreed(step: Step, ask: Ask) -> bool:
    """Return True where somebody has agreed to the use of a key before."""
    rules = step.store.host_rules.of(step.task.repository, step.task.id)
    return any(rule.effect == "sign" and rule.host == signed_host(ask) for rule in rules)


def _say_refused(step: Step, ask: Ask, effect: Literal["allow", "sign"]) -> None:
    """Say what allows a host, once in a turn: a program tries again, and may try all there are."""
    host = host_of(ask) if effect == "allow" else signed_host(ask)
    told = step.standing.hosts_refused
    if host in told or len(told) >= _MOST_TOLD:
        return
    step.standing.hosts_refused = (*told, host)
    what = "reach it" if effect == "allow" else "sign in there"
    hint = f"`ctui network {effect} {host}` lets tasks {what}"
    step.note(Notice(kind="problem", text=f"{host} was refused, for nobody is there: {hint}"))


def _refuse(step: Step, request: str) -> None:
    _decide(step, request, allow=False)


def _decide(step: Step, request: str, *, allow: bool) -> None:
    network = step.services.network
    step.after(lambda: network.decide(request, allow=allow))
