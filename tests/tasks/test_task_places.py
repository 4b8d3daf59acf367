"""What a list of worktrees reads of tasks, beside what the store says of the same ones."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from ctui.tasks.database.task_places import TaskPlace
from ctui.tasks.database.worktree_index import WorktreeIndex
from ctui.tasks.model import Answer, TaskState
from ctui.tasks.store import Store
from tests.tasks.test_store import ask, task


def _places(path: Path) -> list[TaskPlace]:
    with closing(WorktreeIndex(path)) as index:
        return index.places.all()


def test_a_place_says_what_the_store_says_of_its_task(tmp_path: Path) -> None:
    path = tmp_path / "ctui.db"
    with closing(Store(path)) as store:
        for name in ("one", "two"):
            store.tasks.add(task(name))
        two = store.tasks.get("two")
        two.state = TaskState.WAITING
        store.tasks.save(two)
        for request in ("r1", "r2", "r3"):
            added = store.asks.add(ask(request))
        assert added is not None
        store.asks.claim(added.id, Answer("allow"))
    assert _places(path) == [
        TaskPlace("one", "/w/one", TaskState.QUEUED, 2),
        TaskPlace("two", "/w/two", TaskState.WAITING, 0),
    ]


def test_a_task_that_was_taken_off_the_list_has_no_place(tmp_path: Path) -> None:
    path = tmp_path / "ctui.db"
    with closing(Store(path)) as store:
        store.tasks.add(task())
        assert store.places.any_at("/w/one")
        store.tasks.mark_removed("one")
        assert not store.places.any_at("/w/one")
    assert _places(path) == []


def test_a_task_whose_record_is_damaged_keeps_its_place(tmp_path: Path) -> None:
    """Its worktree is still its own: what was imported for it is not taken for nobody's."""
    path = tmp_path / "ctui.db"
    with closing(Store(path)) as store:
        store.tasks.add(task())
        store._database.execute("UPDATE tasks SET record = 'no JSON'")
        assert store.tasks.list() == []
    assert [place.id for place in _places(path)] == ["one"]


def test_a_state_that_nobody_knows_hides_no_other_task(tmp_path: Path) -> None:
    path = tmp_path / "ctui.db"
    with closing(Store(path)) as store:
        for name in ("one", "two"):
            store.tasks.add(task(name))
        store._database.execute("UPDATE tasks SET state = 'lost' WHERE id = 'one'")
        assert [place.id for place in store.places.all()] == ["two"]
        assert [row.key for row in store.damaged()] == ["one"]
