"""Finding out whether somebody looks at the screen, and what they must be told if not. Pure."""

from __future__ import annotations

from collections.abc import Container
from enum import Enum
from typing import NamedTuple

from ctui.sandbox.named_ports import named_port
from ctui.tasks.calls import Update
from ctui.tasks.model import Ask, AskState, Task
from ctui.text import one_line

AWAY_SECONDS = 60.0
"""Time without a key or the mouse after which nobody looks, where a terminal tells no focus."""

_WIDTH = 200


class Attention:
    """Knowledge of the terminal's focus and of the person's last key."""

    def __init__(self, now: float) -> None:
        self._focused = True
        self._tells_focus = False
        self._touched = now

    def focus(self, *, focused: bool) -> None:
        """Take a word of the terminal: one that tells its focus is believed from then on."""
        self._focused, self._tells_focus = focused, True

    def touch(self, now: float) -> None:
        """Take note of a key or the mouse."""
        self._touched = now

    def looks(self, now: float) -> bool:
        """Return True if somebody looks, as far as anybody can tell."""
        return self._focused if self._tells_focus else now - self._touched < AWAY_SECONDS


class Occasion(Enum):
    """Reason to tell the person something."""

    ASK = "asks"
    FAILED = "failed"
    DONE = "is done"
    NOTE = "says"
    URGENT = "says urgently"
    SERVES = "serves"


class Alert(NamedTuple):
    """Something that the person wants to know at once."""

    task: str
    occasion: Occasion
    about: str

    @property
    def text(self) -> str:
        """Return it as one sanitised line."""
        said = f": {self.about}" if self.about else ""
        return one_line(f"{self.task} {self.occasion.value}{said}", _WIDTH)


def alerts_of(
    update: Update, before: Task | None, known_asks: Container[int], since: int
) -> list[Alert]:
    """Return what an update brings that is new.

    Args:
        update: from the driver.
        before: its task as it was known until now.
        known_asks: ids of the asks that were known until now.
        since: nanoseconds since the epoch; what is older was there when the screen opened.
    """
    found = []
    if update.ask is not None and _is_new(update.ask, known_asks, since):
        found.append(Alert(update.ask.task, Occasion.ASK, update.ask.title))
    if (task := update.task) is None:
        return found
    known = before.activity.notes if before is not None else ()
    for note in task.activity.notes:
        if note.at > since and note not in known:
            occasion = Occasion.URGENT if note.urgent else Occasion.NOTE
            found.append(Alert(task.id, occasion, note.text))
    begun = set(task.ports).difference(before.ports) if before is not None else set()
    told = [port for port in sorted(begun) if named_port(port, task.options.named_ports).told]
    found += [Alert(task.id, Occasion.SERVES, f"port {task.port_text(port)}") for port in told]
    rested = max(since, before.activity.rested if before is not None else 0)
    if task.activity.rested > rested and task.unread:
        occasion = Occasion.FAILED if task.failed else Occasion.DONE
        found.append(Alert(task.id, occasion, task.problem if task.failed else task.result))
    return found


def _is_new(ask: Ask, known: Container[int], since: int) -> bool:
    return ask.state is AskState.PENDING and ask.id not in known and ask.created > since
