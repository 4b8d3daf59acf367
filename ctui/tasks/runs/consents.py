"""Consents that a person has given in answers to a task."""

from __future__ import annotations

from ctui.tasks.asks.kinds.environment import digest_of
from ctui.tasks.model import AskKind, AskState
from ctui.tasks.store import Store

NO_RUN = 0
"""Number of the run that such an ask is of: none has begun."""


def agreed(store: Store, task: str) -> set[str]:
    """Return the hashes that the person has consented to in answers to a task."""
    asks = store.asks.list(AskState.DELIVERED, task=task, run=NO_RUN)
    return {
        digest_of(one)
        for one in asks
        if one.kind is AskKind.ENVIRONMENT and one.answer and one.answer.decision == "allow"
    }
