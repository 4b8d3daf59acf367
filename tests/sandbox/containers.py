"""The plainest container that the tests of streams and engines need."""

from __future__ import annotations

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
