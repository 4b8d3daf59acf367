"""The image that tasks run in, named by its ingredients, so that a stale one is noticed."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from ctui.config import ImageConfig
from ctui.errors import Unavailable
from ctui.paths import resource
from ctui.sandbox.docker.certificates import certificates
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.toolchain import File, make_tar, toolchain_context
from ctui.sandbox.proxies import proxy_environment
from ctui.sandbox.spec import LABEL_INSTANCE
from ctui.text import one_line

CLAUDE_CODE_VERSION = "2.1.197"
"""Version of the CLI that the protocol of `ctui.claude` was checked against."""

LABEL = "ctui.image"
_INPUTS = (
    "Dockerfile",
    "relay/__main__.py",
    "relay/home.py",
    "relay/kernel.py",
    "relay/streams.py",
)

Progress = Callable[[str], None]


def image_tag(config: ImageConfig) -> str:
    """Return `ctui:<hash of everything that goes into the image>`.

    Raises:
        Unavailable: `image.dockerfile`, a file beside it or `image.ca_file` cannot be read.
    """
    digest = _layers(config)
    digest.update(config.base.encode())
    if config.dockerfile:
        digest.update(toolchain_context(Path(config.dockerfile).expanduser()))
    return f"ctui:{digest.hexdigest()[:12]}"


def _layers(config: ImageConfig) -> hashlib._Hash:
    """Return the hash of what is laid on top of a base."""
    digest = hashlib.sha256(CLAUDE_CODE_VERSION.encode())
    folder = resource("docker")
    for name in _INPUTS:
        digest.update((folder / name).read_bytes())
    for name, content in certificates(config).items():
        digest.update(name.encode() + content)
    return digest


async def require_image(engine: Engine, config: ImageConfig) -> str:
    """Return the tag of the image that exists for these settings.

    Raises:
        Unavailable: it was not built yet, or what is there was built from other inputs.
    """
    tag = await asyncio.to_thread(image_tag, config)
    if await engine.image_id(tag) is not None:
        return tag
    if await engine.images(LABEL):
        raise Unavailable(
            "ctui's image is older than this ctui or your config", hint="run `ctui image build`"
        )
    raise Unavailable("ctui's image is not there yet", hint="run `ctui image build`")


async def build_image(
    engine: Engine, config: ImageConfig, progress: Progress, instance: str = ""
) -> str:
    """Build the image unless it exists, and return its tag.

    Args:
        engine: that has it afterwards.
        config: what lies underneath.
        progress: told each step, from any thread.
        instance: who builds it, and may remove it when it is old; nobody if it is empty.

    Raises:
        Unavailable, ExternalFailure: with what the build said last.
    """
    tag = await asyncio.to_thread(image_tag, config)
    if await engine.image_id(tag) is not None:
        progress(f"{tag} is up to date")
        return tag
    base = await _base(engine, config, progress, _owner(instance))
    await engine.tag_image(await build_on(engine, config, base, progress, instance), tag)
    return tag


async def build_on(
    engine: Engine, config: ImageConfig, base: str, progress: Progress, instance: str = ""
) -> str:
    """Build the image of a task on top of another unless it exists, and return its tag.

    Args:
        engine: that has the base, and has the image afterwards.
        config: its CA bundle counts; its base and Dockerfile do not.
        base: reference of the image underneath.
        progress: told each step, from any thread.
        instance: as in `build_image`.

    Raises:
        Unavailable, ExternalFailure: with what the build said last.
    """
    below = await engine.image_id(base)
    if below is None:
        raise Unavailable(f"the image {base} is not on the engine", hint=f"docker pull {base}")
    digest = await asyncio.to_thread(_layers, config)
    digest.update(below.encode())
    tag = f"ctui:{digest.hexdigest()[:12]}"
    if await engine.image_id(tag) is not None:
        progress(f"{tag} is up to date")
        return tag
    progress(f"building {tag} on {base}")
    arguments = {
        "BASE_IMAGE": base,
        "CLAUDE_CODE_VERSION": CLAUDE_CODE_VERSION,
        **proxy_environment(engine=engine.endpoint.url),
    }
    labels = {LABEL: tag, **_owner(instance)}
    await engine.build(_context(config), tag, arguments, labels, progress)
    return tag


def _owner(instance: str) -> Mapping[str, str]:
    return {LABEL_INSTANCE: instance} if instance else {}


async def _base(
    engine: Engine, config: ImageConfig, progress: Progress, owner: Mapping[str, str]
) -> str:
    if config.dockerfile:
        path = Path(config.dockerfile).expanduser()
        context = await asyncio.to_thread(toolchain_context, path)
        tag = _toolchain_tag(context)
        progress(f"building your {path.name}")
        proxies = proxy_environment(engine=engine.endpoint.url)
        await engine.build(context, tag, proxies, {LABEL: tag, **owner}, progress)
        return tag
    progress("looking for a base image")
    return await _run_script(resource("docker") / "base.sh", config.base)


def current_tags(config: ImageConfig) -> set[str]:
    """Return the tags that these settings lead to: the image's, and its base's.

    Raises:
        Unavailable: as `image_tag`.
    """
    tags = {image_tag(config)}
    if config.dockerfile:
        context = toolchain_context(Path(config.dockerfile).expanduser())
        tags.add(_toolchain_tag(context))
    return tags


def _toolchain_tag(context: bytes) -> str:
    return f"ctui-toolchain:{hashlib.sha256(context).hexdigest()[:12]}"


async def _run_script(script: Path, base: str) -> str:
    process = await asyncio.create_subprocess_exec(
        "sh",
        str(script),
        base,
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


def _context(config: ImageConfig) -> bytes:
    folder = resource("docker")
    files = {name: (folder / name).read_bytes() for name in _INPUTS}
    files["certificates/README"] = b"Certificates of the host, as *.crt.\n"
    files.update(certificates(config))
    return make_tar({name: File(content) for name, content in files.items()})
