"""Turns of a real task: what they changed, and their files as they were."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from ctui.git.repository.repository import open_repository
from ctui.tasks import calls
from ctui.tasks.snapshots import begin_of, end_of_turn, snapshots_of
from tests.tasks.conftest import Person

pytestmark = pytest.mark.engine


async def _kept(person: Person, turn: int) -> None:
    """Wait for the snapshot of a turn's end."""
    for _ in range(300):
        if (found := person.store.turns.get("turns", turn)) is not None and found.snapshot:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"turn {turn} was not kept")


async def test_each_turn_has_its_files_and_the_person_s_own_edits_are_not_its(
    person: Person,
) -> None:
    task = await person.start(
        "turns", "write made.txt one", "say First.", permission_mode="acceptEdits"
    )
    await person.idle("turns")
    await _kept(person, 1)
    (Path(task.worktree) / "mine.txt").write_text("by the person\n")
    await person.say("turns", "write made.txt two", "say Second.")
    await person.idle("turns", turns=2)
    await person.client.call(calls.StopTask("turns"))

    code, said = await person.ctui("task", "turns", "turns", "--json")
    assert code == 0
    first, second = json.loads(said)
    assert [first["turn"], second["turn"]] == [1, 2]
    assert (first["files"], second["files"]) == (1, 1)
    assert first["ended"] <= second["started"] < second["ended"]
    snapshots = snapshots_of(
        person.world.paths, open_repository(Path(task.repository)), person.store.tasks.get("turns")
    )
    begin = await begin_of(snapshots, 2)
    assert begin is not None
    listed = await snapshots.git("ls-tree", "-r", "--name-only", begin.tree)
    assert "mine.txt" in listed.stdout.decode().split()
    end = await snapshots.snapshot(end_of_turn(2))
    assert end.id == second["snapshot"]
    text = await snapshots.git("show", f"{end.tree}:made.txt")
    assert text.stdout.decode().split() == ["two"]
    assert "+1 -1" in (await person.ctui("task", "turns", "turns"))[1]
    assert (await person.ctui("task", "snapshot", "turns"))[0] == 0
