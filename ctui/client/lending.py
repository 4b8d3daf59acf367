"""The network of builds that a front end begins, lent by the driver."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ctui.client.client import Client
from ctui.tasks.calls import LendNetwork

if TYPE_CHECKING:
    from ctui.environments.build.provision import Lend
    from ctui.paths import Paths


def lender(paths: Paths) -> Lend:
    """Return the way to the driver for what a build reaches."""

    async def lend(name: str, repository: str) -> Path:
        async with Client(paths) as client:
            folder = await client.call(LendNetwork(name, repository))
        return Path(folder)

    return lend
