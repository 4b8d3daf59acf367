"""Environments whose bases are others by now, on a real engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctui.client.cleaning.volumes import open_engine
from ctui.client.tasks.outdated import outdated, pull_bases
from ctui.config import Config
from ctui.environments.records import Environment, Records
from ctui.paths import Paths
from ctui.sandbox.docker.image import image_tag

pytestmark = pytest.mark.engine


async def test_what_was_built_on_an_older_base_is_named_with_its_command(
    paths: Paths, tmp_path: Path
) -> None:
    """One of another ctui, one whose base moved on; neither what fits nor what failed."""
    own = image_tag(Config().image)
    records = Records(paths)
    async with open_engine() as engine:
        now = await engine.image_id(own)
        assert now is not None
        bases = {"fits": now, "moved": "sha256:0", "other": now, "failed": "sha256:0"}
        for number, (name, ident) in enumerate(bases.items()):
            one = Environment(
                id=f"{number:016x}",
                repository=str(tmp_path / f"{name} one/.git"),
                source="repository",
                file=".ctui.toml",
                commit="c",
                state="failed" if name == "failed" else "ready",
                made_with="ctui:before" if name == "other" else own,
                bases={own: ident},
                created=number,
            )
            records.save(one)
        assert await outdated(paths, engine) == [
            (
                f"environment {2:016x}: old, of another ctui or [image]: "
                f"ctui env build --repo '{tmp_path}/other one'"
            ),
            (
                f"environment {1:016x}: its base {own} moved on: "
                f"ctui env build --repo '{tmp_path}/moved one'"
            ),
        ]


async def test_a_base_that_no_registry_has_is_used_as_it_is(paths: Paths) -> None:
    """ctui's own image and what is pinned by its digest are not asked for."""
    pinned = "registry.invalid/x@sha256:" + "0" * 64
    one = Environment(
        id="0" * 16,
        repository="/r/.git",
        source="repository",
        file=".ctui.toml",
        commit="c",
        state="ready",
        made_with="ctui:own",
        bases={"ctui:own": "a", pinned: "b", "127.0.0.1:9/none:1": "c"},
    )
    Records(paths).save(one)
    said: list[str] = []
    async with open_engine() as engine:
        await pull_bases(paths, engine, said.append)
    assert said[0] == "pulling 127.0.0.1:9/none:1"
    assert said[-1].startswith("* 127.0.0.1:9/none:1 is used as it is here: ")
    assert len(said) == 2
