"""What a task is told that wants to install packages of the system, and who is told nothing."""

from __future__ import annotations

import secrets

import msgspec
import pytest

from ctui.config import ImageConfig
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.image import image_tag
from ctui.sandbox.docker.image_parts import SHIMS
from ctui.sandbox.spec import LABEL_INSTANCE, LABEL_TASK
from tests.sandbox.containers import all_said, plain_spec

pytestmark = pytest.mark.engine

COMMANDS = {
    "apt-get install -y -t bookworm libpq-dev gcc=4:12": "ctui env add libpq-dev gcc=4:12",
    "sudo apt-get -y install vim": "ctui env add vim",
    "apt install 'x;y' --fix-missing": "ctui env add PACKAGE",
    "apk add curl": "ctui env add curl",
    "dnf install -y $(seq -f p%g 30)": "ctui env add p1 p2",
    "sudo make install": "a task has no root",
    "apt-get update": "ctui env add PACKAGE",
}


async def said(script: str, *, writable_root: bool) -> list[tuple[str, str]]:
    """Return the lines of a script of nobody's in the image of a task, with their streams."""
    engine = await Engine.connect()
    name = f"ctui-test-{secrets.token_hex(4)}"
    labels = {LABEL_INSTANCE: "test", LABEL_TASK: ""}
    image = image_tag(ImageConfig())
    spec = plain_spec(name, image, "/bin/sh", "-c", script, labels=labels)
    container = await engine.create(msgspec.structs.replace(spec, writable_root=writable_root))
    try:
        await engine.start(container)
        lines = await all_said(engine.endpoint, container)
    finally:
        await engine.remove(container)
        await engine.close()
    return [(line.stream, line.data.decode().rstrip()) for line in lines]


async def test_a_task_is_told_in_one_line_who_can_install_packages() -> None:
    """Part 2: `apt-get install` or sudo in a task prints one line, and fails.

    What changes nothing is the base's own, and so is a program that is called by its full path.
    """
    script = "\n".join(f"{command}; echo $?" for command in COMMANDS)
    lines = await said(script, writable_root=False)
    told = [text for stream, text in lines if stream == "err"]
    assert len(told) == len(COMMANDS)
    for text, words in zip(told, COMMANDS.values(), strict=True):
        assert words in text
        assert len(text) < 250
    assert [text for stream, text in lines if stream == "out"] == ["1"] * len(COMMANDS)
    lines = await said(
        "apt-get --version; /usr/bin/apt-get update; dnf search x", writable_root=False
    )
    assert any(text.startswith("apt 2") for _, text in lines)
    assert any("Read-only file system" in text for _, text in lines)
    assert lines[-1] == ("err", "dnf: command not found")
    assert not any("ctui env add" in text for _, text in lines)


async def test_a_set_up_has_the_bases_own_programs() -> None:
    """There the root can be written; a shim would only hide what the base says."""
    script = "\n".join(f"{name} install x; echo $?" for name in SHIMS)
    lines = await said(script, writable_root=True)
    assert not any("ctui env add" in text for _, text in lines)
    assert any("are you root?" in text for _, text in lines)
    assert "sudo: command not found" in [text for _, text in lines]
