"""Bases of a task's image: Debian, or an image of somebody else that is pulled."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ctui.errors import CtuiError, Unavailable
from ctui.humanize import size_text
from ctui.paths import resource
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.proxies import proxy_environment
from ctui.text import one_line

Progress = Callable[[str], None]

_OF_LAYERS = ("Pull complete", "Already exists", "Download complete")
_STEP = 32 << 20
"""Bytes of a download that are worth another line."""


async def debian(progress: Progress, updated: str = "") -> str:
    """Return the name of a Debian image, which is pulled, or made from Debian's packages.

    Args:
        progress: told that it is looked for.
        updated: a time, if it is to be none that was there before.

    Raises:
        Unavailable: neither can be done here.
    """
    progress("looking for a base image")
    return await _run_script(resource("docker") / "base.sh", re.sub(r"[^0-9T-]", "", updated))


async def pulled(engine: Engine, name: str, setting: str, progress: Progress) -> str:
    """Return an image's name, after it was pulled unless the engine has it.

    Args:
        engine: that has it afterwards.
        name: with or without a registry, a tag or a digest.
        setting: that names it, for a message.
        progress: told how far it is.

    Raises:
        Unavailable: it is in no registry that the engine reaches.
    """
    if await engine.image_id(name) is not None:
        return name
    progress(f"pulling {one_line(name)}")
    try:
        await engine.pull(name, PullProgress(progress))
    except CtuiError as error:
        raise Unavailable(
            f"the image {one_line(name)} cannot be pulled: {one_line(error.message, 200)}",
            hint=f"check {setting} in the config, or load the image with `docker load`",
        ) from error
    return name


async def require_fitting(engine: Engine, base: str) -> str:
    """Return the id of an image that a task's can be built on.

    Raises:
        Unavailable: it is not there, or of another system or processor.
    """
    found = await engine.image_platform(base)
    if found is None:
        raise Unavailable(f"the image {base} is not on the engine", hint=f"docker pull {base}")
    image, platform = found
    ours = await engine.platform()
    if platform != ours:
        raise Unavailable(
            f"the image {base} is for {platform}, and the engine runs {ours}",
            hint=f"docker pull --platform {ours} {base}",
        )
    return image


class PullProgress:
    """Lines for a person out of what an engine says of a pull: few, and none twice."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._done: dict[str, int] = {}
        self._told = 0

    def __call__(self, said: dict[str, Any]) -> None:
        """Take one part of the engine's stream."""
        layer, status = str(said.get("id", "")), one_line(str(said.get("status", "")), 200)
        detail = said.get("progressDetail")
        if status == "Downloading" and isinstance(detail, dict):
            self._done[layer] = int(detail.get("current") or 0)
            total = sum(self._done.values())
            if total - self._told >= _STEP:
                self._told = total
                self._progress(f"downloaded {size_text(total)}")
        elif status in _OF_LAYERS or (status and not layer):
            self._progress(f"{one_line(layer, 40)}: {status}" if layer else status)


async def _run_script(script: Path, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        "sh",
        str(script),
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **proxy_environment()},
    )
    stdout, stderr = await process.communicate()
    if process.returncode:
        said = [line for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
        raise Unavailable(one_line(said[-1] if said else "the base image cannot be made", 300))
    return stdout.decode().strip().splitlines()[-1]
