"""A newer image of tasks: what is published, what an image has, and what an update has changed."""

from __future__ import annotations

import asyncio
import json
import os
import re
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import suppress
from http.client import HTTPException

from ctui.errors import CtuiError, NotFound, Unavailable
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.stream import follow_log
from ctui.sandbox.proxies import proxy_environment
from ctui.sandbox.spec import LABEL_INSTANCE, SandboxSpec
from ctui.text import one_line

VERSION = re.compile(r"\d{1,6}\.\d{1,6}\.\d{1,6}(-[0-9A-Za-z.-]{1,40})?")
CLI = "Claude Code"

_REGISTRY = "https://registry.npmjs.org"
_PACKAGE = "@anthropic-ai/claude-code"
_SECONDS = 20.0
_ANSWER = 1 << 20
_LOG = 4 << 20
_LIST = (
    f'echo "{CLI}=$(claude --version | cut -d" " -f1)"; '
    "dpkg-query -W -f '${Package}=${Version}\\n' 2>/dev/null || apk info -v 2>/dev/null; :"
)
"""Command that prints what an image has, as `name=version`."""


async def published(version: str) -> str:
    """Return a version of Claude Code that npm's registry has; `latest` is the newest one.

    Raises:
        NotFound: there is no such version.
        Unavailable: the registry does not answer.
    """
    return await asyncio.to_thread(_published, version)


def _published(version: str) -> str:
    registry = (os.environ.get("NPM_CONFIG_REGISTRY") or _REGISTRY).rstrip("/")
    address = f"{registry}/{_PACKAGE}/{version}"
    if not address.startswith(("https://", "http://")):
        raise Unavailable(f"{one_line(registry, 100)} is no registry", hint="NPM_CONFIG_REGISTRY")
    handler = urllib.request.ProxyHandler(_proxies())
    try:
        opener = urllib.request.build_opener(handler)
        with opener.open(address, timeout=_SECONDS) as answer:
            found = json.loads(answer.read(_ANSWER))
    except urllib.request.HTTPError as error:
        if error.code in {404, 405}:
            raise NotFound(
                f"npm's registry has no Claude Code {one_line(version, 60)}",
                hint="--cli latest takes the newest one",
            ) from error
        raise _silent(registry, f"it answers {error.code}") from error
    except (OSError, ValueError, HTTPException) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise _silent(registry, str(reason)) from error
    name = str(found.get("version", "")) if isinstance(found, dict) else ""
    if not VERSION.fullmatch(name):
        raise _silent(registry, "its answer is none")
    return name


def _proxies() -> dict[str, str]:
    found = proxy_environment()
    return {
        name.lower().removesuffix("_proxy"): value
        for name, value in found.items()
        if name.lower() in {"http_proxy", "https_proxy"}
    }


def _silent(registry: str, why: str) -> Unavailable:
    return Unavailable(
        f"npm's registry {one_line(registry, 100)} cannot be asked: {one_line(why, 200)}",
        hint="try it again where there is a network; nothing was changed",
    )


async def versions_in(engine: Engine, image: str, instance: str) -> dict[str, str]:
    """Return the packages of an image with their versions, Claude Code first; none without one."""
    if await engine.image_id(image) is None:
        return {}
    spec = SandboxSpec(
        name="",
        image=image,
        command=("-c", _LIST),
        entrypoint=("/bin/sh",),
        uid=65534,
        gid=65534,
        env={},
        mounts=(),
        network="none",
        labels={LABEL_INSTANCE: instance} if instance else {},
    )
    container = await engine.create(spec)
    try:
        await engine.start(container)
        text = await _said(engine, container)
    finally:
        with suppress(CtuiError):
            await engine.remove(container)
    pairs = (line.partition("=") for line in text.splitlines())
    return {one_line(name, 60): one_line(version, 60) for name, sign, version in pairs if sign}


async def _said(engine: Engine, container: str) -> str:
    said = b""
    async for batch in follow_log(engine.endpoint, container, follow=True):
        said += b"".join(line.data + b"\n" for line in batch if line.stream == "out")
        if len(said) > _LOG:
            break
    return said.decode("utf-8", "replace")


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each package that is another one now, Claude Code first."""
    for name in dict.fromkeys((*after, *before)):
        old, new = before.get(name), after.get(name)
        if old != new:
            yield f"{name} {old or '(not there)'} -> {new or '(gone)'}"
