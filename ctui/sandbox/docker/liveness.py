"""A call that takes long, told apart from an engine that hangs."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from ctui.errors import CtuiError, Unavailable
from ctui.sandbox.docker.endpoint import Endpoint
from ctui.sandbox.docker.transport import EngineHangs, connect, request

T = TypeVar("T")

_PATIENCE_SECONDS = 4.0
_PING_SECONDS = 4.0


async def answered(job: asyncio.Future[T], endpoint: Endpoint) -> T:
    """Wait for a call for as long as the engine answers others meanwhile.

    Raises:
        Unavailable: it does not; the call itself is left to its own time limit.
    """
    while True:
        try:
            done, _ = await asyncio.wait({job}, timeout=_PATIENCE_SECONDS)
        except asyncio.CancelledError:
            job.cancel()
            raise
        if done:
            return job.result()
        try:
            await ping(endpoint)
        except Unavailable as error:
            if job.done():
                continue
            job.add_done_callback(_forget)
            raise EngineHangs from error


async def ping(endpoint: Endpoint) -> None:
    """Ask the engine for a sign of life. Raises Unavailable if it gives none in time."""
    try:
        async with asyncio.timeout(_PING_SECONDS):
            connection = await connect(endpoint)
            try:
                await request(connection, "GET", "/_ping", {})
            finally:
                connection.close()
    except TimeoutError as error:
        raise EngineHangs from error
    except Unavailable:
        raise
    except CtuiError:
        return  # it answered


def _forget(job: asyncio.Future[T]) -> None:
    """Take its error, which nobody waits for any more."""
    if not job.cancelled():
        job.exception()
