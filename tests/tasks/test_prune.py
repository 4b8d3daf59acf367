"""`prune_everything` on real things: what is needed stays, what is not goes."""

from __future__ import annotations

import json
import secrets
import time
from pathlib import Path

import pytest

from ctui.client.cleaning.prune import Cleaning, prune_everything
from ctui.config import ImageConfig
from ctui.git.repository.repository import open_repository
from ctui.sandbox.docker.environment_image import LABEL_ENVIRONMENT, LABEL_SHELL
from ctui.sandbox.docker.image import LABEL, require_image
from ctui.sandbox.docker.old_images import built_images
from ctui.sandbox.docker.toolchain import File, make_tar
from ctui.sandbox.spec import LABEL_INSTANCE, LABEL_RUN, LABEL_SERVICE, LABEL_TASK
from ctui.tasks import calls
from ctui.worktrees.trash.entries import trash_folder
from tests.conftest import ENGINE_WIDE
from tests.sandbox.containers import plain_spec
from tests.tasks.conftest import Person

pytestmark = [pytest.mark.engine, ENGINE_WIDE]


def removed(cleaning: Cleaning) -> set[tuple[str, str]]:
    return {(one.what, one.name.split(" ")[0]) for one in cleaning.removed}


async def test_what_is_needed_stays_and_the_rest_goes(person: Person) -> None:
    paths, engine = person.world.paths, person.world.engine
    await person.start("lives", "say Done.")
    await person.idle("lives")
    await person.start("gone", "say Done.")
    await person.idle("gone")
    assert (await person.ctui("task", "remove", "gone", "--force"))[0] == 0
    image = await require_image(engine, ImageConfig())
    over = await engine.create(
        plain_spec(
            f"ctui-test-{secrets.token_hex(4)}",
            image,
            labels={LABEL_INSTANCE: paths.instance, LABEL_TASK: "gone", LABEL_RUN: "1"},
        )
    )
    # Nobody knows its run: its log may be the only trace of a task.
    unknown = await engine.create(
        plain_spec(
            f"ctui-test-{secrets.token_hex(4)}",
            image,
            labels={LABEL_INSTANCE: paths.instance, LABEL_TASK: "who", LABEL_RUN: "1"},
        )
    )
    # A service without its sandbox is nobody's, and its log no trace of anything.
    service = await engine.create(
        plain_spec(
            f"ctui-test-{secrets.token_hex(4)}",
            image,
            labels={
                LABEL_INSTANCE: paths.instance,
                LABEL_TASK: "who",
                LABEL_RUN: "2",
                LABEL_SERVICE: "db",
            },
        )
    )
    (paths.cache / "scratch-left").mkdir(parents=True, mode=0o700)

    young = await prune_everything(paths)
    assert {one.what for one in young.removed} == {"sandbox", "cache"}
    assert ("cache", "scratch-left") in removed(young)
    assert any(kept.what == "volume" and "in the trash" in kept.reason for kept in young.kept)
    assert any(kept.what == "sandbox" and kept.hint == "--force" for kept in young.kept)
    left = {container.id for container in await engine.find({LABEL_INSTANCE: paths.instance})}
    assert over not in left
    assert service not in left
    assert unknown in left

    make_old(person.repository)
    would = await prune_everything(paths, dry_run=True, force=True)
    done = await prune_everything(paths, force=True)
    assert removed(would) - removed(done) == set()
    assert {what for what, _ in removed(done)} == {"sandbox", "trash", "volume"}
    assert ("trash", "gone") in removed(done)
    assert list(trash_folder(open_repository(person.repository)).glob("*.json")) == []
    # The task that can go on has everything still, and so does the journal of the other.
    await person.say("lives", "say Again.")
    assert (await person.idle("lives", turns=2)).result == "Again."
    assert (paths.task("gone") / "journal.jsonl").is_file()
    assert (await prune_everything(paths, force=True)).removed == []


async def test_a_shell_in_an_environment_keeps_its_network(person: Person) -> None:
    """A network that nobody is in any more goes, as what was left of a build does."""
    paths, engine = person.world.paths, person.world.engine
    image = await require_image(engine, ImageConfig())
    ids = []
    for environment, shell in (("a1", True), ("a1-77", False), ("b2-78", False)):
        labels = {LABEL_INSTANCE: paths.instance, LABEL_ENVIRONMENT: environment, LABEL_TASK: ""}
        labels |= {LABEL_SHELL: ""} if shell else {}
        name = f"ctui-test-{secrets.token_hex(4)}"
        ids.append(await engine.create(plain_spec(name, image, labels=labels)))
        await engine.start(ids[-1])
    await prune_everything(paths)
    found = await engine.find({LABEL_INSTANCE: paths.instance, LABEL_ENVIRONMENT: ""})
    left = {container.id for container in found}
    assert left == set(ids[:2])
    for one in left:
        await engine.remove(one)


async def test_a_run_whose_end_nobody_has_seen_keeps_its_container(person: Person) -> None:
    await person.start("crashed", "wait gate", "say Never.")
    await person.until("crashed", lambda now: now.state == "running")
    await person.kill_driver()
    ours = {LABEL_INSTANCE: person.world.paths.instance, LABEL_TASK: "crashed"}
    [container] = await person.world.engine.find(ours)
    await person.world.engine.stop(container.id, grace=1)
    cleaning = await prune_everything(person.world.paths, force=True)
    assert [one for one in cleaning.removed if one.what == "sandbox"] == []
    await person.until("crashed", lambda now: now.state == "ended")
    await person.client.call(calls.RemoveTask("crashed", purge=True))


async def test_only_old_images_of_this_ctui_go(person: Person) -> None:
    paths, engine = person.world.paths, person.world.engine
    base = await require_image(engine, ImageConfig())
    tags = {who: f"ctui:test-{secrets.token_hex(4)}" for who in (paths.instance, "another")}
    context = make_tar({"Dockerfile": File(f"FROM {base}\n".encode())})
    try:
        for who, tag in tags.items():
            labels = {LABEL: tag, LABEL_INSTANCE: who}
            await engine.build(context, tag, {}, labels, lambda _line: None)
        before = {one.name for one in await built_images(engine, ImageConfig(), paths.instance)}
        assert set(tags.values()) <= before
        done = await prune_everything(paths, force=True)
        images = [one.name for one in done.removed if one.what == "image"]
        assert images == [tags[paths.instance]]
        after = {one.name for one in await built_images(engine, ImageConfig(), paths.instance)}
        assert before - after == {tags[paths.instance]}
        assert base in after
    finally:
        for tag in tags.values():
            await engine.remove_image(tag)


def make_old(repository: Path) -> None:
    """As if everything in the trash had been removed two months ago."""
    for file in trash_folder(open_repository(repository)).glob("*.json"):
        record = json.loads(file.read_bytes())
        record["entry"]["removed"] = time.time_ns() - 60 * 86_400 * 10**9
        file.write_text(json.dumps(record))
