"""T18: tasks of one instance do not see those of another."""

from __future__ import annotations

import uuid

import msgspec
import pytest

from ctui.client.cleaning.prune import prune_everything
from ctui.config import ImageConfig, SandboxConfig
from ctui.paths import Paths
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.image import require_image
from ctui.sandbox.docker.stream import follow_log
from ctui.sandbox.spec import LABEL_INSTANCE
from ctui.tasks.runs.launch import network_name
from tests.sandbox.containers import all_said, plain_spec

LISTEN = "import socket; s = socket.create_server(('', 8080)); print('up', flush=True); s.accept()"
LOOK = """
import socket, sys
name, address = sys.argv[1:]
for target in (name, address):
    try:
        socket.create_connection((target, 8080), 2)
        print("reached", target)
    except OSError as error:
        print("not", type(error).__name__)
"""


def test_each_instance_has_a_network_of_its_own(paths: Paths) -> None:
    assert network_name(paths.instance, SandboxConfig()) == f"ctui-{paths.instance[:8]}"
    assert network_name(paths.instance, SandboxConfig(network="mine")) == "mine"


@pytest.mark.engine
async def test_neither_names_nor_addresses_of_another_instance_can_be_reached() -> None:
    engine = await Engine.connect()
    image = await require_image(engine, ImageConfig())
    mark = uuid.uuid4().hex[:16]
    labels = {LABEL_INSTANCE: mark}
    networks = [f"ctui-{mark[:6]}-a", f"ctui-{mark[:6]}-b"]
    try:
        for network in networks:
            await engine.ensure_network(network, labels)
        server = plain_spec(f"{mark}-server", image, "python3", "-c", LISTEN, labels=labels)
        listening = await engine.create(msgspec.structs.replace(server, network=networks[0]))
        await engine.start(listening)
        async for batch in follow_log(engine.endpoint, listening):
            assert batch[0].data == b"up"
            break
        found = await engine.ask(lambda client: client.inspect_container(listening))
        address = found["NetworkSettings"]["Networks"][networks[0]]["IPAddress"]
        program = ("python3", "-c", LOOK, server.name, address)
        seer = plain_spec(f"{mark}-seer", image, *program, labels=labels)
        looking = await engine.create(msgspec.structs.replace(seer, network=networks[1]))
        await engine.start(looking)
        said = [line.data for line in await all_said(engine.endpoint, looking)]
        assert said == [b"not gaierror", b"not TimeoutError"]
    finally:
        for container in await engine.find(labels):
            await engine.remove(container.id)
        for network in networks:
            await engine.remove_network(network)
        await engine.close()


@pytest.mark.engine
async def test_clean_removes_the_network_of_this_instance_only(paths: Paths) -> None:
    """T18: others are not ours to remove, and ours is made again."""
    other = uuid.uuid4().hex[:16]
    engine = await Engine.connect()
    try:
        await engine.ensure_network(f"ctui-{paths.instance[:8]}", {LABEL_INSTANCE: paths.instance})
        await engine.ensure_network(f"ctui-{other[:8]}", {LABEL_INSTANCE: other})
        cleaned = await prune_everything(paths, force=True)
        assert [one.name for one in cleaned.removed if one.what == "network"] == [
            f"ctui-{paths.instance[:8]}"
        ]
        assert await engine.networks({LABEL_INSTANCE: paths.instance}) == []
        assert await engine.networks({LABEL_INSTANCE: other}) == [f"ctui-{other[:8]}"]
    finally:
        await engine.remove_network(f"ctui-{other[:8]}")
        await engine.remove_network(f"ctui-{paths.instance[:8]}")
        await engine.close()
