"""Updates from the driver, for as long as the dashboard is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ctui.client.client import Client
from ctui.errors import CtuiError
from ctui.tasks.calls import Update

_AGAIN_SECONDS = 2.0


async def follow_updates(
    client: Client, take: Callable[[Update], None], complain: Callable[[CtuiError], None]
) -> None:
    """Take every update until cancelled. What keeps them from coming is told once."""
    told = ""
    while True:
        try:
            async for update in client.watch():
                told = ""
                take(update)
        except CtuiError as error:
            if error.message != told:
                complain(error)
            told = error.message
        await asyncio.sleep(_AGAIN_SECONDS)
