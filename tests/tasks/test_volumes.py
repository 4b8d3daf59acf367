"""Volumes: only ours are seen, and none that is still needed goes by accident."""

from __future__ import annotations

import secrets

import pytest

from ctui.client.cleaning.volumes import clean_volumes, list_volumes
from ctui.sandbox.spec import LABEL_INSTANCE, LABEL_VOLUME
from ctui.tasks import calls
from tests.conftest import ENGINE_WIDE
from tests.tasks.conftest import Person

pytestmark = [pytest.mark.engine, ENGINE_WIDE]


async def test_only_volumes_of_this_instance_are_seen_or_removed(person: Person) -> None:
    engine, paths = person.world.engine, person.world.paths
    foreign = f"ctui-test-{secrets.token_hex(4)}"
    ours = f"ctui-test-{secrets.token_hex(4)}"
    others = {LABEL_INSTANCE: f"other-{foreign}"}
    await engine.ensure_volume(foreign, others)
    await engine.ensure_volume(ours, {LABEL_INSTANCE: paths.instance})
    try:
        assert [(one.name, one.kind, one.task) for one in await list_volumes(paths)] == [
            (ours, "other", None)
        ]
        cleaned = await clean_volumes(paths, [foreign, "no-such"], force=True)
        assert [one.name for one in cleaned.refused] == [foreign, "no-such"]
        assert (await clean_volumes(paths, dry_run=True)).removed == await list_volumes(paths)
        assert [one.name for one in (await clean_volumes(paths)).removed] == [ours]
        assert await list_volumes(paths) == []
        assert await engine.volumes(others) == [foreign]
    finally:
        await engine.remove_volume(foreign)


async def test_the_home_of_a_task_goes_when_the_task_cannot_come_back(person: Person) -> None:
    paths = person.world.paths
    await person.start("kept", "say Done.")
    await person.idle("kept")
    [home] = await list_volumes(paths)
    assert (home.kind, home.task, home.in_use) == ("home", "kept", True)
    assert home.size is not None
    assert home.created > 0
    [kept] = (await clean_volumes(paths)).refused
    assert "a sandbox uses it" in kept.reason
    await person.client.call(calls.StopTask("kept"))
    [kept] = (await clean_volumes(paths)).refused
    assert "can be resumed" in kept.reason
    code, _ = await person.ctui("task", "remove", "kept", "--force")
    assert code == 0
    [kept] = (await clean_volumes(paths)).refused
    assert "in the trash" in kept.reason
    await person.start("gone", "say Done.")
    await person.idle("gone")
    assert (await person.ctui("task", "remove", "gone", "--keep-worktree"))[0] == 0
    cleaned = await clean_volumes(paths)
    assert [one.task for one in cleaned.removed] == ["gone"]
    assert [one.name for one in cleaned.refused] == [home.name]


async def test_force_stops_the_task_first(person: Person) -> None:
    paths = person.world.paths
    await person.start("busy", "wait gate", "say Never.")
    await person.until("busy", lambda now: now.state == "running")
    cleaned = await clean_volumes(paths, force=True, dry_run=True)
    assert [one.task for one in cleaned.removed] == ["busy"]
    assert person.store.tasks.get("busy").state == "running"
    assert [one.task for one in (await clean_volumes(paths, force=True)).removed] == ["busy"]
    assert person.store.tasks.get("busy").state == "ended"
    assert await list_volumes(paths) == []


async def test_caches_that_an_older_version_shared_are_listed_and_cleaned_away(
    person: Person,
) -> None:
    paths, engine = person.world.paths, person.world.engine
    labels = {LABEL_INSTANCE: paths.instance, LABEL_VOLUME: "npm-cache"}
    name = f"ctui-{paths.instance[:8]}-npm-cache"
    await engine.ensure_volume(name, labels)
    code, said = await person.ctui("volume", "list")
    assert code == 0
    assert "(shared)" in said
    assert "are of an older ctui" in said
    code, said = await person.ctui("clean")
    assert f"removed volume {name}" in said
    assert await list_volumes(paths) == []
