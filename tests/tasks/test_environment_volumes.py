"""Volumes that an environment gives to each task."""

from __future__ import annotations

import secrets

import msgspec
import pytest

from ctui.config import ImageConfig
from ctui.environments.definition.mounts import read_mount
from ctui.errors import Conflict
from ctui.sandbox.docker.docker_runner import DockerRunner
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.image import image_tag
from ctui.sandbox.docker.volumes import SHARED, shared_folder, shared_kind
from ctui.sandbox.spec import HOME, LABEL_INSTANCE, LABEL_TASK, Mount, SandboxSpec
from ctui.tasks.model import Task, TaskOptions
from ctui.tasks.runs.launch import environment_volumes, home_volume, sandbox_name
from tests.sandbox.containers import plain_spec


def _task(name: str, volumes: dict[str, str]) -> Task:
    return Task(
        id=name,
        repository="/r/.git",
        worktree="/w",
        metadata=None,
        branch=None,
        base=None,
        session="s",
        prompt="go",
        options=TaskOptions(environment="0" * 16, volumes=volumes),
    )


def test_no_two_tasks_have_one() -> None:
    """devcontainer.json's volumes: yes, and each task has its own."""
    names = [
        environment_volumes("0123456789abcdef", _task(name, {"/cache": "cache"}))
        for name in ("one", "two")
    ]
    assert names == [
        (Mount("ctui-01234567-one-cache", "/cache", kind="volume"),),
        (Mount("ctui-01234567-two-cache", "/cache", kind="volume"),),
    ]


def test_a_volume_of_an_environment_is_never_taken_for_the_folder_that_tasks_share() -> None:
    instance = "0123456789abcdef"
    assert shared_kind(shared_folder(instance, "/r/.git")) == "shared"
    for task, name in (("a", "b-shared"), ("a-b", "shared"), ("one", "shared")):
        [own] = environment_volumes(instance, _task(task, {SHARED: name}))
        assert (own.target, shared_kind(own)) == (SHARED, None)


@pytest.mark.parametrize("source", ["source=shared,", ""])
def test_no_task_s_id_makes_it_the_folder_of_another_repository(source: str) -> None:
    """A branch can be called like the digest of another repository, and so be a task's id."""
    instance = "0123456789abcdef"
    theirs = shared_folder(instance, "/theirs/.git")
    _, wanted, _ = read_mount(f"{source}target={SHARED},type=volume")
    assert wanted is not None
    task = _task(theirs.source.split("-")[2], {wanted.target: wanted.name})
    [own] = environment_volumes(instance, task)
    assert own.target == SHARED
    assert own.source != theirs.source
    assert shared_kind(own) is None


@pytest.mark.engine
async def test_a_repository_that_guesses_the_name_of_another_task_s_home_does_not_get_it() -> None:
    """A volume `b-home` of the task a would be the home of the task a-b."""
    engine, instance = await Engine.connect(), secrets.token_hex(8)
    runner, image = DockerRunner(engine, instance), image_tag(ImageConfig())
    home = Mount(home_volume(instance, "a-b"), HOME, kind="volume")
    guessed = environment_volumes(instance, _task("a", {"/theirs": "b-home"}))
    assert [one.source for one in guessed] == [home.source]
    try:
        await runner.create(_spec(instance, "a-b", image, (home,)))
        await runner.create(_spec(instance, "a-b", image, (home,), number=2))
        with pytest.raises(Conflict, match="is somebody else's"):
            await runner.create(_spec(instance, "a", image, guessed))
    finally:
        for found in await engine.find({LABEL_INSTANCE: instance}):
            await engine.remove(found.id)
        await engine.remove_volume(home.source)
        await engine.close()


def _spec(
    instance: str, task: str, image: str, mounts: tuple[Mount, ...], number: int = 1
) -> SandboxSpec:
    labels = {LABEL_INSTANCE: instance, LABEL_TASK: task}
    plain = plain_spec(sandbox_name(instance, task, number), image, "true", labels=labels)
    return msgspec.structs.replace(plain, mounts=mounts)
