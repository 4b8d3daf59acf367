"""The asks of a run, from the CLI's requests to the receipts of the answers."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ctui.gateway.egress.policy import Policy
from ctui.tasks.asks import ToolboxDetails, expired_reply, kind_of, reply
from ctui.tasks.asks.hosts import kept_rule
from ctui.tasks.asks.kinds.permission import grantable
from ctui.tasks.mailbox.step import Step
from ctui.tasks.model import Answer, Ask, AskKind, AskState, TaskState

GRANTED = Answer("allow", by="grant")
UNATTENDED = "unattended"
_NOBODY = "Nobody is there to decide this. Go on without it."
_HOST_HOLD = int((Policy().hold + 5.0) * 1e9)
_OPEN = (AskState.PENDING, AskState.ANSWERED)


class AskBook:
    """Asks of a step's run; every change of an ask goes through here."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self._asks = step.store.asks

    def full(self, limit: int) -> bool:
        """Return True where the run asks as much as it may."""
        return self._asks.count(self._step.task.id, self._step.run.number, *_OPEN) >= limit

    def open(self, ask: Ask) -> None:
        """Add an ask, answered at once where a grant or the task's options say how.

        One whose request is known already is left as it is: a request can be told again.
        """
        added = self._asks.add(ask)
        if added is None:
            self._decide_again(ask)
            return
        known = self._known_answer(ask)
        if known is not None:
            self._asks.claim(added.id, known)
            self._deliver(added, known)
        self._changed(added.id)
        self._watch_expiry(added)
        self.refresh_waiting()

    def answered(self, ask: Ask, answer: Answer) -> None:
        """Send an answer that was accepted."""
        self._deliver(ask, answer)
        self._forget_expiry(ask)
        self._changed(ask.id)
        self.refresh_waiting()

    def send_unreceipted(self) -> None:
        """Send again every answer that was accepted and has no receipt."""
        for ask in self._mine(AskState.ANSWERED):
            if ask.answer is not None:
                self._deliver(ask, ask.answer)
        for ask in self._mine(AskState.PENDING):
            self._watch_expiry(ask)

    def say_expired_again(self, requests: Iterable[str]) -> None:
        """Say of these requests, which have no answer yet, that nobody answered them in time."""
        for request in requests:
            ask = self._of(request)
            if ask is not None and ask.state is AskState.CANCELLED and ask.tool == "ask_user":
                self._step.send(expired_reply(ask), key=request)

    def receipt(self, request_id: str) -> None:
        """Note the CLI's echo of the answer to a request."""
        if (ask := self._of(request_id)) is not None:
            self._move(ask, AskState.ANSWERED, AskState.DELIVERED)

    def expire(self, ask_id: int) -> None:
        """Give up on what nobody answered in time."""
        ask = self._asks.get(ask_id)
        expired = self._move(ask, AskState.PENDING, AskState.CANCELLED)
        if expired and kind_of(ask).goes_to_cli:
            self._step.send(expired_reply(ask), key=ask.request)

    def withdraw(self, request_id: str) -> None:
        """Note that the CLI does not want to know any more."""
        if (ask := self._of(request_id)) is not None:
            self._give_up(ask)

    def withdraw_call(self, call: int | str) -> None:
        """Note the same for the open `ask_user` that is that call of the tool server."""
        for ask in self._mine(AskState.PENDING, tool="ask_user"):
            if _call_of(ask) == call:
                self._give_up(ask)

    def close(self) -> None:
        """End all that is open: the run is over, and what has no receipt did not arrive."""
        for ask in self._mine(*_OPEN):
            self._give_up(ask)

    def refresh_waiting(self) -> None:
        """Let the task's state say whether somebody has to answer."""
        step = self._step
        if step.standing.intent or step.standing.ending:
            return
        if self._asks.count(step.task.id, step.run.number, AskState.PENDING):
            step.move(TaskState.WAITING)
        elif step.task.state is TaskState.WAITING and not step.view.login_rejected:
            step.move(TaskState.RUNNING)

    def _deliver(self, ask: Ask, answer: Answer) -> None:
        """Carry an answer to whoever waits for it."""
        step = self._step
        if kind_of(ask).goes_to_cli:
            step.send(reply(ask, answer), key=ask.request)
            return
        if (rule := kept_rule(ask, answer)) is not None:
            task = step.task.id if rule.for_task else ""
            step.store.host_rules.set(rule.host, rule.effect, step.time, step.task.repository, task)
            step.after(step.services.network.rules_changed)
        self._decide(ask.request, answer)
        self._move(ask, AskState.ANSWERED, AskState.DELIVERED)

    def _decide_again(self, ask: Ask) -> None:
        """Carry an answer that is on record to a gateway that still asks.

        The driver that stored it was killed before it could.
        """
        known = None if kind_of(ask).goes_to_cli else self._of(ask.request)
        if known is not None and known.answer is not None:
            self._decide(known.request, known.answer)

    def _decide(self, request: str, answer: Answer) -> None:
        network, allow = self._step.services.network, answer.decision != "deny"
        self._step.after(lambda: network.decide(request, allow=allow))

    def _known_answer(self, ask: Ask) -> Answer | None:
        step = self._step
        wanted = grantable(ask)
        if wanted is not None and step.store.grants.is_granted(step.task.repository, wanted):
            return GRANTED
        if step.task.options.unattended or step.task.turn_unattended:
            decision = kind_of(ask).unattended
            return Answer(decision, message=_NOBODY if decision == "deny" else "", by=UNATTENDED)
        return None

    def _watch_expiry(self, ask: Ask) -> None:
        if (expires := _expires(ask)) is not None:
            self._step.timer(f"ask {ask.id}", (expires - self._step.time) / 1e9)

    def _forget_expiry(self, ask: Ask) -> None:
        if _expires(ask) is not None:
            self._step.timer(f"ask {ask.id}", None)

    def _give_up(self, ask: Ask) -> None:
        if not self._move(ask, AskState.PENDING, AskState.CANCELLED):
            self._move(ask, AskState.ANSWERED, AskState.TOO_LATE)
            if ask.answer is not None and ask.answer.decision == "session":
                self._step.standing.edits_granted = None

    def _move(self, ask: Ask, before: AskState, after: AskState) -> bool:
        moved = self._asks.move(ask.id, before, after)
        if moved:
            self._step.seen(ask.request)
            self._forget_expiry(ask)
            self._changed(ask.id)
            self.refresh_waiting()
        return moved

    def _changed(self, ask_id: int) -> None:
        self._step.publish_ask(ask_id)

    def _of(self, request_id: str) -> Ask | None:
        return self._asks.of_request(self._step.task.id, self._step.run.number, request_id)

    def _mine(self, *states: AskState, tool: str | None = None) -> list[Ask]:
        step = self._step
        return self._asks.list(*states, task=step.task.id, run=step.run.number, tool=tool)


def _expires(ask: Ask) -> int | None:
    """Return the time, in ns, from which nobody waits for its answer; None if somebody does."""
    if ask.kind is AskKind.HOST:
        # The gateway says that it has gone; one that was killed says nothing.
        return ask.created + _HOST_HOLD
    if ask.tool != "ask_user":
        return None
    return msgspec.json.decode(ask.details, type=ToolboxDetails).expires


def _call_of(ask: Ask) -> int | str:
    return msgspec.json.decode(ask.details, type=ToolboxDetails).call
