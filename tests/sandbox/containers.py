"""The plainest container that the tests of streams and engines need, and what it says."""

from __future__ import annotations

from ctui.sandbox.docker.endpoint import Endpoint
from ctui.sandbox.docker.stream import follow_log
from ctui.sandbox.runner import LogLine
from ctui.sandbox.spec import SandboxSpec

_NOBODY = 65534


def plain_spec(name: str, image: str, *entrypoint: str, labels: dict[str, str]) -> SandboxSpec:
    """A program in the relay's place, without network, mounts or rights."""
    return SandboxSpec(
        name=name,
        image=image,
        entrypoint=entrypoint,
        command=(),
        uid=_NOBODY,
        gid=_NOBODY,
        env={},
        mounts=(),
        network="none",
        labels=labels,
    )


async def follow(endpoint: Endpoint, container: str) -> list[LogLine]:
    return [line async for batch in follow_log(endpoint, container) for line in batch]


async def all_said(endpoint: Endpoint, container: str) -> list[LogLine]:
    """Everything that it says until it ends; a busy engine ends a stream before the last lines."""
    await follow(endpoint, container)
    log = follow_log(endpoint, container, follow=False)
    return [line async for batch in log for line in batch]
