"""The gateway's socket for drivers: tables in, events out."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from ctui import __version__, rpc
from ctui.errors import CtuiError
from ctui.gateway.asks import Asks
from ctui.gateway.model import (
    PROTOCOL,
    Decide,
    ForwardPort,
    FromGateway,
    Leave,
    OpenPort,
    PortAnswer,
    Serve,
    ToGateway,
)
from ctui.gateway.table import Table

log = logging.getLogger(__name__)

_BEHIND = 8 << 20
"""Bytes that may wait for a driver that does not read: it connects again, and is told anew."""

_decoder = msgspec.json.Decoder(ToGateway)


class Hands(NamedTuple):
    """What a driver's messages are carried out with."""

    table: Table
    asks: Asks
    leave: Callable[[], None]


class Control:
    """All connections of drivers; there are two for the moment in which one replaces another."""

    def __init__(self, connection_ended: Callable[[], None]) -> None:
        self._ended = connection_ended
        self._writers: set[asyncio.StreamWriter] = set()
        self._hands: Hands | None = None

    @property
    def connections(self) -> int:
        return len(self._writers)

    def use(self, hands: Hands) -> None:
        """Set what messages are carried out with; it is made after this, as it tells events."""
        self._hands = hands

    def tell(self, event: FromGateway) -> bool:
        """Tell every driver, and return False if there is none."""
        line = rpc.encode(event)
        for writer in list(self._writers):
            if writer.transport.get_write_buffer_size() > _BEHIND:
                writer.transport.abort()
            else:
                writer.write(line)
        return bool(self._writers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, from hello to its end."""
        hands = self._hands
        if hands is None or not rpc.same_user(writer.get_extra_info("socket")):
            writer.close()
            return
        writer.write(rpc.encode(rpc.Hello(__version__, PROTOCOL, os.getpid())))
        self._writers.add(writer)
        try:
            for wanted in hands.asks.open():
                writer.write(rpc.encode(wanted))
            while line := await rpc.read_line(reader):
                await self._take(hands, _decoder.decode(line), writer)
        except (OSError, CtuiError, msgspec.DecodeError) as error:
            # No word of the message: it may have had a login in it.
            log.warning("a driver's connection ended: %s", type(error).__name__)
        finally:
            self._writers.discard(writer)
            writer.close()
            self._ended()

    def hang_up(self) -> None:
        for writer in list(self._writers):
            writer.close()

    async def _take(self, hands: Hands, message: ToGateway, writer: asyncio.StreamWriter) -> None:
        match message:
            case Serve():
                writer.write(rpc.encode(await hands.table.serve(message)))
            case Decide():
                hands.asks.decide(message)
            case Leave():
                hands.leave()
            case OpenPort(id=number) | ForwardPort(id=number):
                answer = PortAnswer(number, problem="this gateway shows no ports")
                writer.write(rpc.encode(answer))
        await writer.drain()
