"""Following a turn that is not a task's first."""

from __future__ import annotations

from ctui.cli.task.follow import turn_from_here
from ctui.client.journal.plain import PlainJournal
from ctui.paths import Paths
from ctui.tasks.journal.archive import Entry
from ctui.tasks.model import Run, Task, TaskOptions
from ctui.tasks.store import Store
from tests.claude import lines


def test_a_turn_of_a_later_run_goes_on_from_what_the_task_had_cost(paths: Paths) -> None:
    """T23: what is printed at its end is the task's total, as `ctui task show` has it."""
    store = Store(":memory:")
    store.tasks.add(
        Task(
            id="one",
            repository="/r/.git",
            worktree="/w",
            metadata=None,
            branch=None,
            base="b",
            session="s",
            prompt="p",
            options=TaskOptions(),
            cost=0.0194,
        )
    )
    store.runs.add(Run(task="one", number=1, container="c"))
    turn = turn_from_here(store, paths, "one")
    end = Entry(1, 2, "out", lines.result(0.0122).decode())
    assert PlainJournal(turn.echoed, turn.costs_before).lines(end) == [
        "✓ done (1.2 s, $0.0316 so far)"
    ]
