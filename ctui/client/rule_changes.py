"""Word to a driver that rules of hosts, or the settings about them, have changed."""

from __future__ import annotations

from ctui.client.client import Client
from ctui.client.connection import driver_pid
from ctui.paths import Paths
from ctui.tasks.calls import RulesChanged


async def tell_rules_changed(paths: Paths) -> None:
    """Have them count at once for the tasks that run; without a driver none does."""
    if await driver_pid(paths) is None:
        return
    async with Client(paths) as client:
        await client.call(RulesChanged())
