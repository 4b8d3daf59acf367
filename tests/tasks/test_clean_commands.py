"""`ctui volume`, `ctui clean` and `ctui setup` on a real engine, as they are typed."""

from __future__ import annotations

import json

import pytest

from ctui.client.cleaning.volumes import list_volumes
from ctui.tasks import calls
from tests.conftest import ENGINE_WIDE
from tests.tasks.conftest import Person

pytestmark = [pytest.mark.engine, ENGINE_WIDE]


async def test_volumes_are_shown_and_what_is_needed_is_kept_with_a_reason(person: Person) -> None:
    await person.start("kept", "say Done.")
    await person.idle("kept")
    await person.client.call(calls.StopTask("kept"))
    [home] = await list_volumes(person.world.paths)
    code, said = await person.ctui("volume", "list")
    assert code == 0
    assert [home.name, "home", "kept"] == said.splitlines()[1].split()[:3]
    # Without a name it is no error that something is needed.
    code, said = await person.ctui("volume", "clean")
    assert (code, "can be resumed" in said) == (0, True)
    code, said = await person.ctui("volume", "clean", home.name)
    assert code == 1
    code, said = await person.ctui("volume", "clean", home.name, "--force", "--dry-run")
    assert (code, f"would remove {home.name}" in said) == (0, True)
    code, said = await person.ctui("volume", "clean", home.name, "--force")
    assert (code, f"removed {home.name}" in said) == (0, True)
    assert await list_volumes(person.world.paths) == []


async def test_clean_says_what_it_did_and_does_it_once(person: Person) -> None:
    await person.start("gone", "say Done.")
    await person.idle("gone")
    assert (await person.ctui("task", "remove", "gone", "--keep-worktree"))[0] == 0
    code, said = await person.ctui("clean", "--dry-run")
    assert (code, "would remove volume" in said) == (0, True)
    code, said = await person.ctui("clean", "--json")
    assert {one["what"] for one in json.loads(said)["removed"]} == {"volume"}
    code, said = await person.ctui("clean")
    assert (code, said) == (0, "there is nothing to remove\n")


async def test_setup_sees_to_everything_and_can_be_repeated(person: Person) -> None:
    text = person.world.paths.config_file.read_text()
    person.world.paths.config_file.write_text(
        text.replace("[sandbox]", "[sandbox]\nshared_caches = true")
    )
    code, said = await person.ctui("setup")
    assert code == 0, said
    assert "ANTHROPIC_API_KEY" in said
    assert "is up to date" in said
    assert "each task gets a home of its own" in said
    code, said = await person.ctui("setup", "--json")
    steps = json.loads(said[said.index("[\n") :])
    assert [step["done"] for step in steps] == [False, False, False]
    code, said = await person.ctui("volume", "init")
    assert (code, "nothing to make" in said) == (0, True)
    code, said = await person.ctui("doctor")
    assert "sandbox.shared_caches does nothing" in said
