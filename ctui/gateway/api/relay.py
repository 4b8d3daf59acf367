"""Passing an answer on, byte for byte and as it comes, for as long as somebody takes it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

import httpx2
from starlette.types import Receive, Send

from ctui.gateway.api.headers import Headers, back


class Torn(Exception):
    """The API's answer ended in its middle: the connection to the client must end so, too."""


async def pass_on(
    answer: httpx2.Response, send: Send, look: Callable[[bytes], object], more: Headers = ()
) -> None:
    """Pass an answer on, and have each piece of it looked at, also one that nobody took.

    Args:
        answer: of the API.
        send: to the task.
        look: is given each piece.
        more: headers beside the answer's own.

    Raises:
        Torn: it ended in its middle.
    """
    start = {"type": "http.response.start", "status": answer.status_code}
    try:
        await send({**start, "headers": [*back(answer.headers.raw), *more]})
        async for data in answer.aiter_raw():
            try:
                await send({"type": "http.response.body", "body": data, "more_body": True})
            finally:
                look(data)  # afterwards, so that it costs the task no time
        await send({"type": "http.response.body"})
    except httpx2.TransportError as error:
        raise Torn(type(error).__name__) from None
    finally:
        await asyncio.shield(answer.aclose())


async def until_gone(exchange: Coroutine[None, None, None], receive: Receive) -> None:
    """Run an exchange whose request is all read, and cancel it when its client goes away."""
    work = asyncio.ensure_future(exchange)
    watch = asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait((work, watch), return_when=asyncio.FIRST_COMPLETED)
    finally:
        watch.cancel()
        if not work.done():
            work.cancel()
        await asyncio.gather(work, watch, return_exceptions=True)
    if not work.cancelled():
        work.result()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
