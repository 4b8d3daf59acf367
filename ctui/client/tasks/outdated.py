"""Environments whose bases are others by now: pulled anew, and named with what builds them."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Callable
from pathlib import Path

from ctui.config import load_config
from ctui.environments.freshness import note
from ctui.environments.records import Environment, Records
from ctui.errors import CtuiError
from ctui.paths import Paths
from ctui.sandbox.docker.base_image import PullProgress
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.image import image_tag
from ctui.text import one_line


async def pull_bases(paths: Paths, engine: Engine, say: Callable[[str], None]) -> None:
    """Pull what environments are built on; what no registry has is used as it is here.

    No task has another base before its environment is built again.
    """
    names = {name for one in _built(paths) for name in one.bases if name != one.made_with}
    for name in sorted(name for name in names if "@" not in name):
        say(f"pulling {one_line(name, 200)}")
        try:
            await engine.pull(name, PullProgress(say))
        except CtuiError as error:
            say(f"* {one_line(name, 200)} is used as it is here: {error.message}")


async def outdated(paths: Paths, engine: Engine) -> list[str]:
    """Return a line for each environment on an image that is another one by now."""
    made_with = await asyncio.to_thread(image_tag, load_config(paths).image)
    found = _built(paths)
    now = {name: await engine.image_id(name) for one in found for name in one.bases}
    lines = []
    for one in found:
        if why := note(one, made_with, now, of_head=True):
            folder = Path(one.repository)
            place = one_line(str(folder.parent if folder.name == ".git" else folder), 4096)
            lines.append(f"environment {one.id}: {why} --repo {shlex.quote(place)}")
    return lines


def _built(paths: Paths) -> list[Environment]:
    return [one for one in Records(paths).all() if one.state == "ready"]
