"""What one run asks, from its requests to the receipts of the answers."""

from __future__ import annotations

from collections.abc import Callable

from ctui.tasks.asks import toolbox_details
from ctui.tasks.model import Answer, Ask, AskState, Run
from ctui.tasks.store import Store


class RunAsks:
    """The asks of one run. `changed` is called with each that was added or moved."""

    def __init__(self, store: Store, run: Run, changed: Callable[[Ask], None]) -> None:
        self._store = store
        self._run = run
        self._changed = changed

    @property
    def any_pending(self) -> bool:
        return bool(self._mine(AskState.PENDING))

    def unreceipted(self) -> list[Ask]:
        """Those whose answer was accepted and has no echo yet."""
        return [ask for ask in self._mine(AskState.ANSWERED) if ask.answer is not None]

    def open(self, ask: Ask, known: Answer | None = None) -> Ask | None:
        """Add it, perhaps with an answer that is known; None if its request is known already.

        A log can be read again.
        """
        with self._store.transaction():
            added = self._store.add_ask(ask)
            if added is not None and known is not None:
                self._store.claim_ask(added.id, known)
        if added is None:
            return None
        opened = self._store.ask(added.id)
        self._changed(opened)
        return opened

    def receipt(self, request_id: str) -> None:
        """The CLI's echo of the answer to that request is in the journal."""
        for ask in self._mine(AskState.ANSWERED):
            if ask.request == request_id:
                self._move(ask, AskState.ANSWERED, AskState.DELIVERED)

    def expire(self, ask: Ask) -> bool:
        """Give it up if nobody has answered it."""
        return self._move(ask, AskState.PENDING, AskState.CANCELLED)

    def withdraw(self, request_id: str) -> None:
        """The CLI does not want to know any more."""
        for ask in self._mine(AskState.PENDING, AskState.ANSWERED):
            if ask.request == request_id:
                self._give_up(ask)

    def withdraw_call(self, call: int | str) -> None:
        """The same for the open `ask_user` that is that call of the tool server."""
        for ask in self._mine(AskState.PENDING):
            details = toolbox_details(ask)
            if details is not None and details.call == call:
                self._give_up(ask)

    def close(self) -> None:
        """The run is over: nobody can answer, and what has no echo did not arrive."""
        for ask in self._mine(AskState.PENDING, AskState.ANSWERED):
            self._give_up(ask)

    def _give_up(self, ask: Ask) -> None:
        if not self._move(ask, AskState.PENDING, AskState.CANCELLED):
            self._move(ask, AskState.ANSWERED, AskState.TOO_LATE)

    def _move(self, ask: Ask, before: AskState, after: AskState) -> bool:
        moved = self._store.move_ask(ask.id, before, after)
        if moved:
            self._changed(self._store.ask(ask.id))
        return moved

    def _mine(self, *states: AskState) -> list[Ask]:
        found = self._store.asks(*states, task=self._run.task)
        return [ask for ask in found if ask.run == self._run.number]
