"""Services beside tasks on a real engine: reached by name, apart, and gone with the task."""

from __future__ import annotations

import asyncio
import json

import pytest

from ctui.config import ImageConfig
from ctui.environments.build.service_images import require_images
from ctui.errors import ExternalFailure
from ctui.sandbox.docker.docker_runner import DockerRunner
from ctui.sandbox.docker.image import image_tag
from ctui.sandbox.services import Service, WorktreeMount
from ctui.sandbox.spec import LABEL_INSTANCE, LABEL_SERVICE, LABEL_TASK
from ctui.tasks import calls
from ctui.tasks.model import TaskState
from ctui.tasks.runs.launch import sandbox_name
from tests.tasks.conftest import Person

pytestmark = [pytest.mark.engine, pytest.mark.slow]

IMAGE = image_tag(ImageConfig())
WEB = Service(
    name="web",
    image=IMAGE,
    entrypoint=("python3", "-u", "-m", "http.server", "8099", "-d", "/data"),
    user="65534:65534",
    port=8099,
    files=(WorktreeMount("hello.txt", "/data/hello.txt"),),
)
_SAYS = """getent hosts web && id -u && touch /mine
for file in /etc/hosts /etc/resolv.conf; do sh -c "echo x >>$file" 2>&1; done
exec sleep 1000
"""
LATE = Service(
    name="late",
    image=IMAGE,
    entrypoint=("sh", "-c", _SAYS),
    health=("test", "-e", "/mine"),
    after=("web",),
)


async def beside(person: Person, task: str) -> dict[str, str]:
    """Return the states of what stands beside a task, by name."""
    ours = {LABEL_INSTANCE: person.world.paths.instance, LABEL_TASK: task}
    found = await person.world.engine.find({**ours, LABEL_SERVICE: ""})
    states = [await person.world.engine.state(one.id) for one in found]
    named = zip((one.labels[LABEL_SERVICE] for one in found), states, strict=True)
    return {name: state.status for name, state in named if name}


async def test_they_are_reached_by_name_and_go_with_the_task(person: Person) -> None:
    """Part 4: up before the first turn, beside the task alone, their logs, nothing left behind.

    The task shows its credential to one of them, whose log is kept without it.
    """
    look = "bash curl -sS http://web:8099/hello.txt; curl -sS localhost:8099/$ANTHROPIC_API_KEY; :"
    # Two have the same name and port, and nothing that they share.
    for name, services in (("one", (WEB, LATE)), ("two", (WEB,))):
        # Only an unsealed task has a credential that it could show.
        network = "unsealed" if name == "one" else "allow"
        options = {"services": services, "network": network, "skip_permissions": True}
        await person.start(name, look, "say Done.", **options)
        await person.idle(name)
        assert "hello" in person.tool_output(name)
    all_up = {"(holder)": "running", "web": "running", "late": "running"}
    assert await beside(person, "one") == all_up
    code, out = await person.ctui("top", "--json")
    assert code == 0, out
    taken = {row["task"]: row["services"] for row in json.loads(out)["tasks"]}
    assert [one["service"] for one in taken["one"]] == ["web", "late"]
    assert all(one["memory"] > 0 and one["processes"] for one in taken["one"])

    # A driver's death is none of theirs, and its next one leaves them.
    await person.kill_driver()
    code, out = await person.ctui("task", "shell", "one", "--", "getent", "hosts", "web")
    assert (code, out.split()) == (0, ["127.0.0.1", "web"])
    await person.say("one", "bash curl -sS http://web:8099/hello.txt", "say Done.")
    await person.idle("one", turns=2)
    code, out = await person.ctui("task", "show", "one")
    assert f"late: {IMAGE}, Up" in out
    code, out = await person.ctui("task", "logs", "one", "--service", "late")
    assert code == 0, out
    assert out.splitlines()[:2] == ["127.0.0.1       web", "0"]
    # Its root cannot send elsewhere what the task sends to names that it trusts.
    assert out.count("Read-only file system") == 2

    # What freezes the sandbox freezes them.
    engine, instance = person.world.engine, person.world.paths.instance
    runner = DockerRunner(engine, instance)
    await runner.pause(sandbox_name(instance, "one", 1))
    assert (await beside(person, "one"))["web"] == "paused"
    await runner.unpause(sandbox_name(instance, "one", 1))
    assert await beside(person, "one") == all_up

    following = asyncio.create_task(
        person.ctui("task", "logs", "one", "--service", "web", "--follow")
    )
    code, out = await person.ctui("task", "stop", "one")
    assert code == 0, out
    code, out = await following  # it ends with the service
    assert (code, "GET /hello.txt" in out) == (0, True)
    assert await beside(person, "one") == {}
    assert await beside(person, "two") == {"(holder)": "running", "web": "running"}
    code, out = await person.ctui("task", "logs", "one", "--service", "web")
    assert code == 0, out
    assert "GET /hello.txt" in out
    assert "GET /[redacted]" in out
    assert person.world.credential not in out


async def test_one_that_is_not_ready_ends_the_start_in_one_line(person: Person) -> None:
    """Bad input: never healthy; ends at once; two on one port; an image that is not there."""
    sleep = ("sh", "-c", "echo I wait; exec sleep 1000")
    never = Service(name="db", image=IMAGE, entrypoint=sleep, health=("false",), wait=2)
    dies = Service(name="db", image=IMAGE, entrypoint=("sh", "-c", "echo no config >&2; exit 3"))
    gone = Service(name="db", image="no-such-image:1")
    twice = (WEB, Service(name="more", image=IMAGE, port=8099))
    link = Service(name="db", image=IMAGE, files=(WorktreeMount("missing.sql", "/x"),))
    wanted = {
        "never": ((never,), "the service db was not ready within 2 seconds", "I wait"),
        "dies": ((dies,), "the service db ended with exit code 3 before it was", "no config"),
        "gone": ((gone,), "the image no-such-image:1 of the service db is not there", ""),
        "twice": (twice, "the services web and more both listen on 8099", ""),
        "link": ((link,), "the service db reads missing.sql, which the worktree does not", ""),
    }
    said: list[str] = []
    with pytest.raises(ExternalFailure, match="service db is not there, and cannot be pulled"):
        await require_images(person.world.engine, (gone,), said.append)
    assert said[0] == "pulling no-such-image:1"
    for name, (services, _, _) in wanted.items():
        await person.start(name, "say Done.", services=services)
    for name, (services, problem, log) in wanted.items():
        task = await person.until(name, lambda now: now.state is TaskState.ENDED, seconds=120)
        assert task.problem.startswith(problem)
        assert "\n" not in task.problem
        await person.client.call(calls.StopTask(name))  # returns when nothing is left
        assert await beside(person, name) == {}
        code, out = await person.ctui("task", "logs", name, "--service", services[0].name)
        assert log in out
        assert code == (0 if log else 1)
