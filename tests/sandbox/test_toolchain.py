"""A person's own toolchain underneath, built by the real engine."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from ctui.config import ImageConfig
from ctui.errors import ExternalFailure, Unavailable
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.image import build_image, current_tags, require_image
from ctui.sandbox.docker.image_parts import tree_tag
from tests.conftest import ENGINE_WIDE
from tests.sandbox.containers import all_said, plain_spec

pytestmark = [pytest.mark.engine, ENGINE_WIDE]


async def test_a_dockerfile_s_tools_are_in_the_image_with_the_cli(tmp_path: Path) -> None:
    engine = await Engine.connect()
    below = await require_image(engine, ImageConfig())
    # Images are named by their content: this one is nobody else's.
    greeting = f"from the toolchain {secrets.token_hex(6)}"
    (tmp_path / "greet").write_text(f"#!/bin/sh\necho {greeting}\n")
    (tmp_path / "greet").chmod(0o755)
    (tmp_path / "Dockerfile").write_text(f"FROM {below}\nCOPY greet /usr/local/bin/\n")
    config = ImageConfig(dockerfile=str(tmp_path / "Dockerfile"))
    with pytest.raises(Unavailable, match="older than"):
        await require_image(engine, config)

    said: list[str] = []
    try:
        tag = await build_image(engine, config, said.append)
        assert tag == await require_image(engine, config)
        assert any(line.startswith("Successfully built") for line in said)
        labels = {"ctui.test": "toolchain"}
        command = ("sh", "-c", "greet; claude --version")
        name = f"ctui-test-{secrets.token_hex(6)}"
        spec = plain_spec(name, tag, *command, labels=labels)
        made = await engine.create(spec)
        await engine.start(made)
        lines = [line.data for line in await all_said(engine.endpoint, made)]
        await engine.remove(made)
        assert lines[0] == greeting.encode()
        assert b"Claude Code" in lines[1]
    finally:
        # `ctui:…` first: its base goes only when nothing is built on it any more.
        built = {line.split()[1] for line in said if line.startswith("building ctui:")}
        others = {tree_tag(config)}  # all images have it
        for tag in sorted((current_tags(config) - others) | built, reverse=True):
            await engine.remove_image(tag)
        await engine.close()


async def test_what_a_dockerfile_s_build_said_last_is_told(tmp_path: Path) -> None:
    engine = await Engine.connect()
    below = await require_image(engine, ImageConfig())
    (tmp_path / "Dockerfile").write_text(f"FROM {below}\nRUN exit 7\n")
    with pytest.raises(ExternalFailure, match="returned a non-zero code: 7"):
        await build_image(
            engine, ImageConfig(dockerfile=str(tmp_path / "Dockerfile")), lambda _: None
        )
    await engine.close()
