"""The set-up on a real engine: how sealed it is, what is kept of it, and how it fails."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from ctui.client.cleaning.environment_removal import remove_environments
from ctui.client.tasks.environments import EnvironmentWish, ensure_environment
from ctui.config import Config
from ctui.environments.records import Environment, Records
from ctui.errors import CtuiError, ExternalFailure
from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.environment_image import (
    LABEL_ENVIRONMENT,
    environment_tag,
    failed_tag,
    inspect_image,
)
from ctui.sandbox.docker.image import require_image
from ctui.sandbox.spec import LABEL_INSTANCE
from tests import warm
from tests.conftest import ENGINE_WIDE
from tests.environments.test_choice import put

pytestmark = [pytest.mark.engine, ENGINE_WIDE]

TABLE = """[environment]
setup_root = [
  "id -u; mkdir /opt/tool; touch /workspace/no || echo sealed-workspace",
  "mount -t tmpfs x /mnt 2>/dev/null || echo no-mount; ls /var/run/docker.sock || echo no-engine",
]
setup = [
  "id -un; test $(id -u) != 0",
  "grep '^CapEff:.0*$' /proc/self/status && touch /usr/no || echo no-root",
  "mkdir node_modules && echo $WORD > node_modules/a && touch left",
  "mkdir -p ~/.ssh ~/kept && touch ~/.netrc ~/.bash_history ~/.ssh/id ~/.bashrc ~/kept/file",
]
env = { WORD = "$HOME \\"quoted\\"" }
"""


@pytest_asyncio.fixture
async def engine(paths: Paths) -> AsyncIterator[Engine]:
    made = await Engine.connect()
    yield made
    ids = [one.id for one in Records(paths).all()]
    await remove_environments(paths, ids)
    for image in await made.ask(
        lambda client: client.images(filters={"label": f"{LABEL_INSTANCE}={paths.instance}"})
    ):
        for tag in image["RepoTags"] or ():
            await made.remove_image(tag)
    await made.close()


async def built(paths: Paths, repository: Path, said: list[str]) -> Environment:
    config = Config()
    config = msgspec.structs.replace(
        config,
        sandbox=msgspec.structs.replace(config.sandbox, network="bridge"),
        network=msgspec.structs.replace(config.network, gateway=False),
    )
    found = open_repository(repository)
    wish = EnvironmentWish(yes=True, progress=said.append)
    made = await ensure_environment(paths, found, "HEAD", config, wish)
    assert made is not None
    return made


async def test_it_is_sealed_and_what_it_made_is_kept(
    paths: Paths, repository: Path, engine: Engine
) -> None:
    """Part 2: image, HOME without credentials and histories, ignored folders; root only below."""
    put(repository, {".ctui.toml": TABLE, ".gitignore": "node_modules/\n"})
    said: list[str] = []
    made = await built(paths, repository, said)
    printed = "\n".join(said)
    for word in ("claude", "sealed-workspace", "no-mount", "no-engine", "no-root"):
        assert f": {word}" in printed
    assert made.carry == ("node_modules",)
    carried = Records(paths).carried(made.id)
    assert (carried / "node_modules/a").read_text() == '$HOME "quoted"\n'
    assert not (Records(paths).place(made.id) / "workspace").exists()
    image = environment_tag(paths.instance, made.id)
    found = await inspect_image(engine, image)
    assert found is not None
    assert 'WORD=$HOME "quoted"' in found["Config"]["Env"]
    assert found["Config"]["Entrypoint"][-1] == "/ctui/bin/relay"
    script = "ls -A /home/claude; ls -d /opt/tool"
    assert await listed(engine, image, script) == {"kept", "/opt/tool"}
    started = time.monotonic()
    assert (await built(paths, repository, [])).id == made.id
    assert time.monotonic() - started < 5  # it is there


async def test_a_local_feature_is_installed_once_below_the_environment(
    paths: Paths, repository: Path, engine: Engine
) -> None:
    """Part 1: `features`; root runs a copy of the folder, and its variables are a task's."""
    folder = ".devcontainer/greeting"
    feature = (
        '{"id": "greeting", "options": {"name": {"default": "you"}}, '
        '"containerEnv": {"PATH": "/opt/greeting:${PATH}"}, "postCreateCommand": "greet > made"}'
    )
    install = (
        "#!/bin/bash\nset -e\nmkdir /opt/greeting\ntouch beside\n"
        'echo "echo $NAME from $(id -u)" > /opt/greeting/greet\nchmod +x /opt/greeting/greet\n'
    )
    image = await require_image(engine, Config().image)
    put(
        repository,
        {
            ".devcontainer/devcontainer.json": (
                f'{{"image": "{image}", "features": {{"./greeting": {{"name": "all of you"}}}}, '
                '"postStartCommand": "", "updateContentCommand": "test ! -w /opt/greeting"}'
            ),
            f"{folder}/devcontainer-feature.json": feature,
            f"{folder}/install.sh": install,
            ".gitignore": "made\n",
        },
    )
    said: list[str] = []
    made = await built(paths, repository, said)
    assert any(line.startswith("1/1 cd /workspace/.devcontainer/greeting") for line in said)
    environment = environment_tag(paths.instance, made.id)
    assert await listed(engine, environment, "greet; ls /opt") >= {"all", "of", "you", "0"}


async def listed(engine: Engine, image: str, script: str) -> set[str]:
    """Return what a command prints in an image."""

    def run() -> bytes:
        import docker

        client = docker.DockerClient(base_url=engine.endpoint.url)
        output: bytes = client.containers.run(
            image, entrypoint=["sh", "-c", script], command=[], network="none", remove=True
        )
        client.close()
        return output

    return set((await asyncio.to_thread(run)).decode().split())


async def test_one_that_fails_says_where_and_leaves_its_log_and_what_a_shell_shows(
    paths: Paths, repository: Path, engine: Engine
) -> None:
    """Bad input: a build that fails. The log is kept, and the state says so.

    A shell begins where it failed, in the image and in the workspace, and is gone with its sandbox.
    """
    text = """[environment]
env = { WORD = "said" }
setup = ["echo made > made; echo home > ~/made", "echo the last words; exit 7", "echo never"]
"""
    put(repository, {".ctui.toml": text})
    with pytest.raises(ExternalFailure, match=r"exit code 7.*the last words") as caught:
        await built(paths, repository, [])
    [record] = Records(paths).all()
    assert (record.state, record.problem) == ("failed", caught.value.one_line())
    log = Records(paths).log(record.id)
    assert str(log) in caught.value.hint
    assert log.read_text().splitlines().count("the last words") == 1
    assert Records(paths).log_end(record.id)[-1] == "the last words"
    assert "never" not in log.read_text().replace("echo never", "")
    labels = {LABEL_INSTANCE: paths.instance, LABEL_ENVIRONMENT: ""}
    assert await engine.find(labels) == []
    assert await engine.image_id(environment_tag(paths.instance, record.id)) is None
    look = "cat made ~/made; echo $WORD $CI; touch /usr/no || echo sealed; exit 9"
    code, out, err = await in_shell(repository, "--failed", "--", "sh", "-c", look)
    assert (code, out.split()) == (9, ["made", "home", "said", "true", "sealed"]), err
    code, _, err = await in_shell(repository, "--", "true")
    assert (code, "env shell --failed" in err) == (125, True)
    assert await engine.find(labels) == []
    await remove_environments(paths, [record.id])
    assert not Records(paths).place(record.id).exists()
    assert await engine.image_id(failed_tag(paths.instance, record.id)) is None


async def in_shell(repository: Path, *arguments: str) -> tuple[int, str, str]:
    """Run `ctui env shell`; its exit code and what it said."""
    environ = {**os.environ, "CTUI_SANDBOX_NETWORK": "bridge"}
    command = ("env", "shell", *arguments)
    code, out, err = await asyncio.to_thread(warm.run, repository, command, environ, b"", 60)
    return code, out.decode(), err.decode()


async def test_a_person_who_gives_up_leaves_no_container(
    paths: Paths, repository: Path, engine: Engine
) -> None:
    """Bad input: a build that hangs."""
    put(repository, {".ctui.toml": '[environment]\nsetup = "echo waiting; sleep 1000"\n'})
    heard = asyncio.Event()
    said: list[str] = []

    class Said(list[str]):
        def append(self, text: str) -> None:
            said.append(text)
            if text.endswith(": waiting"):
                loop.call_soon_threadsafe(heard.set)

    loop = asyncio.get_running_loop()
    building = asyncio.ensure_future(built(paths, repository, Said()))
    async with asyncio.timeout(60):
        await heard.wait()
    building.cancel()
    with pytest.raises((asyncio.CancelledError, CtuiError)):
        await building
    labels = {LABEL_INSTANCE: paths.instance, LABEL_ENVIRONMENT: ""}
    assert await engine.find(labels) == []
    [record] = Records(paths).all()
    assert record.state == "failed"
