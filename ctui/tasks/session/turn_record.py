"""Record of each turn: what was said in it, what it cost, and the snapshots around it."""

from __future__ import annotations

import msgspec

from ctui.tasks.mailbox.step import Step
from ctui.tasks.model import Message, Notice
from ctui.tasks.turn import Turn, TurnFiles

_PROMPT_LIMIT = 100_000
_MOST = 10_000
"""Turns after which only those with a message are put on record: a task can forge the others."""


def began(step: Step, *, asked_for: bool = False) -> None:
    """Put a turn on record, unless one is under way."""
    last = step.store.turns.last(step.task.id)
    if last is None or (last.ended is not None and (asked_for or last.turn < _MOST)):
        step.store.turns.save(_new(step, last))


def read(step: Step, message: Message) -> None:
    """Add a message that the CLI has read to the turn's prompt."""
    began(step, asked_for=True)
    turn = step.store.turns.last(step.task.id)
    if turn is not None:
        said = f"{turn.prompt}\n\n{message.text}" if turn.prompt else message.text
        turn.prompt = said[:_PROMPT_LIMIT]
        step.store.turns.save(turn)


def ended(step: Step) -> None:
    """Close the turn that is under way. A snapshot is due of the last one's end, if it has none.

    Whoever saw that one end may be gone, and so its snapshot.
    """
    turn = step.store.turns.last(step.task.id)
    if turn is None:
        return
    if turn.ended is None:
        turn.ended = max(step.time, turn.started)
        turn.cost_usd = max(0.0, step.task.cost - turn.cost_before)
        step.store.turns.save(turn)
    step.standing.snapshot_due = not turn.snapshot


def not_kept(step: Step) -> int | None:
    """Return the number of the last turn if there is no snapshot of its end, or None."""
    turn = step.store.turns.last(step.task.id)
    return turn.turn if turn is not None and not turn.snapshot else None


def to_come(step: Step) -> int:
    """Return the number of the turn that begins next."""
    return next_number(step.store.turns.last(step.task.id))


def next_number(last: Turn | None) -> int:
    """Return the number of the turn behind this one."""
    return last.turn + 1 if last is not None else 1


def taken(step: Step, files: TurnFiles | None) -> None:
    """Put a snapshot on record, or say why there is none; None is that none was due."""
    if files is None:
        return
    if files.problem:
        step.note(Notice(kind="problem", text=f"turn {files.turn}: {files.problem}"))
    turn = step.store.turns.get(step.task.id, files.turn)
    if not files.at_end or turn is None or not files.snapshot:
        return  # that of the moment before is found by its name
    step.store.turns.save(
        msgspec.structs.replace(
            turn,
            snapshot=files.snapshot,
            files=files.files,
            added=files.added,
            removed=files.removed,
            head=files.head,
        )
    )


def _new(step: Step, last: Turn | None) -> Turn:
    return Turn(
        task=step.task.id,
        turn=next_number(last),
        run=step.standing.run.number if step.standing.run else 0,
        started=step.time,
        cost_before=step.task.cost,
    )
