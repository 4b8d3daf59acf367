"""A service with a Dockerfile on a real engine: built with the environment, and gone with it."""

from __future__ import annotations

import json
import socket

import pytest

from ctui.config import ImageConfig
from ctui.demo.model.script import fenced
from ctui.environments.records import Records
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.environment_image import service_tag
from ctui.sandbox.docker.image import image_tag
from tests.conftest import ENGINE_WIDE
from tests.environments.test_choice import put
from tests.tasks.conftest import Person

pytestmark = [pytest.mark.engine, pytest.mark.slow, ENGINE_WIDE]

_SECONDS = 100.0
_RUN = "(curl --noproxy '*' -sS -m 5 http://172.17.0.1:{port} && touch /www/reached) ; ls /www"


def _files(port: int, greeting: str) -> dict[str, str]:
    dockerfile = [
        f"FROM {image_tag(ImageConfig())} AS made",
        "USER root",
        "ARG NAME",
        "COPY hello.txt /www/hello.txt",
        "RUN echo $NAME > /www/name.txt",
        f"RUN {_RUN.format(port=port)}",
        "EXPOSE 8099",
        'ENTRYPOINT ["python3", "-u", "-m", "http.server", "8099", "-d", "/www"]',
        "FROM made AS other",
        "RUN false",
    ]
    build = {"context": "web", "target": "made", "args": {"NAME": "ctui"}}
    app = {"image": image_tag(ImageConfig())}
    compose = {"services": {"app": app, "web": {"build": build, "image": "evil/web:latest"}}}
    return {
        ".devcontainer.json": json.dumps({"dockerComposeFile": "c.yml", "service": "app"}),
        "c.yml": json.dumps(compose),
        "web/Dockerfile": "\n".join(dockerfile),
        "web/hello.txt": greeting,
    }


async def _has(engine: Engine, tag: str) -> bool:
    return await engine.image_id(tag) is not None


async def test_it_is_built_as_sealed_as_the_rest_and_a_task_reaches_it(person: Person) -> None:
    """Nothing is built without consent; what was taken away is built again; nothing is left."""
    engine, instance = person.world.engine, person.world.paths.instance
    with socket.create_server(("0.0.0.0", 0)) as listener:  # noqa: S104 - what no build may reach
        listener.settimeout(0)
        put(person.repository, _files(listener.getsockname()[1], "hello from a service\n"))
        code, said = await person.ctui("env", "build")
        assert (code, "needs your consent" in said) == (3, True), said
        code, said = await person.ctui("env", "build", "--yes", seconds=_SECONDS)
        assert code == 0, said
        with pytest.raises(BlockingIOError):
            listener.accept()
    found = said.split()[-1]
    tag = service_tag(instance, found, "web")
    assert await _has(engine, tag)
    assert "COPY hello.txt" in Records(person.world.paths).log(found).read_text()

    await engine.remove_image(tag)
    code, said = await person.ctui("env", "build", seconds=_SECONDS)
    assert (code, said.split()[-1]) == (0, found)
    assert await _has(engine, tag)

    look = "bash curl -sS http://web:8099/hello.txt; curl -sS http://web:8099/name.txt"
    missing = "bash curl -sS -o /dev/null -w '%{http_code}' http://web:8099/reached"
    prompt = "Please.\n" + fenced(look, missing, "say Done.")
    options = ("--name", "one", "--unattended", "--skip-permissions")
    code, said = await person.ctui("run", *options, prompt, seconds=_SECONDS)
    assert code == 0, said
    output = person.tool_output("one")
    assert "hello from a service" in output
    assert "ctui" in output
    assert "404" in output

    for words in (("task", "remove", "--purge", "one"), ("env", "remove", found)):
        code, said = await person.ctui(*words)
        assert code == 0, said
    assert not await _has(engine, tag)
