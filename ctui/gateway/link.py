"""The driver's side of the gateway: it is started where there is none, and told what counts.

    async with Link(paths, take=events.put_nowait) as link:
        problems = await link.serve(accesses, logins)

`take` is called with each event. However often the gateway ends, the link starts it again and
pushes the last table; the driver need not know.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Self

import msgspec

from ctui import rpc
from ctui.errors import CtuiError, Unavailable
from ctui.gateway.finding import connected
from ctui.gateway.model import (
    Access,
    Decide,
    FromGateway,
    Login,
    Serve,
    Served,
    ToGateway,
)
from ctui.paths import Paths

log = logging.getLogger(__name__)

_SERVE_SECONDS = 30.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
"""Between two attempts to have a gateway."""
_SHORT_LIFE = 5.0

_decoder = msgspec.json.Decoder(FromGateway)


class Link:
    """One driver's connection, which is made again and again."""

    def __init__(
        self,
        paths: Paths,
        take: Callable[[FromGateway], object],
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare a link.

        Args:
            paths: whose gateway.
            take: is given each event; it must not wait.
            environ: of a gateway that is started, less any login; this process's own by default.
        """
        self._paths = paths
        self._take = take
        self._environ = os.environ if environ is None else environ
        self._numbers = itertools.count(1)
        self._table: Serve | None = None
        self._served = Served()
        self._changed = asyncio.Condition()
        self._writer: asyncio.StreamWriter | None = None
        self._job: asyncio.Task[None] | None = None
        self.problem: CtuiError | None = None
        """The reason why there is no gateway; None while there is one."""

    async def __aenter__(self) -> Self:
        self._begin()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _begin(self) -> None:
        """Have a gateway from now on: whoever needs none does not have it started."""
        if self._job is None:
            self._job = asyncio.create_task(self._keep(), name="gateway")

    async def close(self) -> None:
        """Let the gateway go on without this driver."""
        if self._job is not None:
            self._job.cancel()
            await asyncio.gather(self._job, return_exceptions=True)
        self._hang_up()

    async def serve(
        self,
        accesses: Iterable[Access],
        logins: Iterable[Login],
        *,
        gate: int = 0,
        elsewhere: str = "",
    ) -> dict[str, str]:
        """Push a whole table, and return why some runs cannot be served, when the others are.

        Nothing is pushed before the first call, and what is not in a table is cut off. So that call
        has the runs in it that an earlier driver began and that still live.

        Args:
            accesses: of all runs.
            logins: that they name.
            gate: port at which ports of tasks are shown, or 0; its problem is that of run "".
            elsewhere: domain below which browsers on other machines reach them, or "".

        Raises:
            Unavailable: there is no gateway for now; it gets the table as soon as there is one.
            Refused: the gateway is a newer ctui's.
        """
        self._begin()
        number = next(self._numbers)
        self._table = Serve(number, tuple(accesses), tuple(logins), gate, elsewhere)
        self._send(self._table)
        try:
            async with asyncio.timeout(_SERVE_SECONDS), self._changed:
                await self._changed.wait_for(lambda: self._is_settled(number))
        except TimeoutError:
            hint = f"see {self._paths.gateway_log}"
            raise self.problem or Unavailable("the gateway does not answer", hint=hint) from None
        if self._served.number < number and self.problem is not None:
            raise self.problem
        return dict(self._served.problems)

    def decide(self, question: str, *, allow: bool) -> None:
        """Answer a `HostWanted`; where the gateway has gone, so has the question."""
        self._send(Decide(question, allow))

    def _is_settled(self, number: int) -> bool:
        """Return True if a table is served, or cannot be until the person mends something."""
        hopeless = self.problem is not None and not isinstance(self.problem, Unavailable)
        return self._served.number >= number or hopeless

    async def _keep(self) -> None:
        """Have a gateway at any time."""
        pause = _FIRST_PAUSE
        while True:
            try:
                reader, self._writer = await connected(self._paths, self._environ)
                self.problem, begun = None, time.monotonic()
                if self._table is not None:
                    self._send(self._table)
                await self._listen(reader)
                log.warning("the gateway has gone: it is started again")
                if time.monotonic() - begun > _SHORT_LIFE:
                    pause = _FIRST_PAUSE
                else:  # whatever ends it so soon may end the next one, too
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE)
            except (CtuiError, OSError) as error:
                self.problem = error if isinstance(error, CtuiError) else Unavailable(str(error))
                log.warning("there is no gateway: %s", self.problem.one_line())
                async with self._changed:
                    self._changed.notify_all()
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            finally:
                self._hang_up()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while line := await rpc.read_line(reader):
            try:
                event = _decoder.decode(line)
            except msgspec.DecodeError:
                log.warning("the gateway said something that is no event")
                return
            if isinstance(event, Served):
                async with self._changed:
                    self._served = event
                    self._changed.notify_all()
            else:
                self._take(event)

    def _send(self, message: ToGateway) -> bool:
        if self._writer is None or self._writer.is_closing():
            return False
        self._writer.write(rpc.encode(message))
        return True

    def _hang_up(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer = None
