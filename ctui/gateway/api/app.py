"""The application behind each run's socket."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext

from starlette.types import Receive, Scope, Send

from ctui.gateway.api.answers import Answer, wait
from ctui.gateway.api.budget import most_of
from ctui.gateway.api.exchange import WAIT_LOGIN, Exchange, Shared
from ctui.gateway.api.fetches import fetches
from ctui.gateway.api.members import Ambiguous, check_members
from ctui.gateway.api.place import Place
from ctui.gateway.api.relay import Torn, until_gone
from ctui.gateway.api.request import Asked, Body, Gone, check_head
from ctui.gateway.api.routes import refusal, route_of
from ctui.gateway.egress.policy import Mode
from ctui.gateway.mistakes import MISTAKES
from ctui.gateway.model import Login


class Api:
    """Application of all runs; whose socket a request came by, its scope says (`place`)."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self.leaving = False
        """True while the process ends: what is under way goes on, and nothing new begins."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._serve(scope, receive, send)
        except Torn:
            raise  # the connection is closed without an end of the answer
        except Exception as error:
            MISTAKES.tell(error)
            raise

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        place: Place = scope["state"]["place"]
        if (scope["method"], scope["path"]) == ("HEAD", "/"):  # the CLI looks if there is anybody
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body"})
            return
        body = Body(place, receive)
        place.calls += 1
        try:
            asked, login = await self._asked(place, scope, body)
            exchange = Exchange(self._shared, place, asked, login)
            await until_gone(self._run(exchange, self._share(place, asked), send), receive)
        except Answer as answer:
            start = {"type": "http.response.start", "status": answer.status}
            await send({**start, "headers": answer.headers})
            await send({"type": "http.response.body", "body": answer.body})
        except Gone:
            pass
        finally:
            place.calls -= 1
            body.let_go()

    async def _run(
        self, exchange: Exchange, share: AbstractAsyncContextManager[None], send: Send
    ) -> None:
        async with share:
            await exchange.run(send)

    async def _asked(self, place: Place, scope: Scope, body: Body) -> tuple[Asked, Login]:
        """Return what a request asks for, and the login that it is sent with.

        Raises:
            Answer: it asks for something else, or for too much.
            Gone: its client went away.
        """
        if self.leaving:
            raise wait("the gateway is being replaced", 1)
        check_head(place, scope)
        login = self._login(place)
        method, path = scope["method"], scope["raw_path"].decode("latin-1")
        route = route_of(login, method, path)
        if route is None:
            raise Answer(404, refusal(login))
        data = await body.read()
        async with place.looking:  # beside all others' calls, and not many of one run at once
            if method == "POST":
                await self._check_members(place, data)
            await self._check_reach(place, data)
        query = scope["query_string"].decode("latin-1")
        return Asked(method, path, query, scope["headers"], route, data), login

    def _login(self, place: Place) -> Login:
        login = self._shared.logins.find(place.access.login)
        if login is None:
            raise wait("there is no login for this task; waiting for one", WAIT_LOGIN)
        return login

    async def _check_members(self, place: Place, data: bytes) -> None:
        try:
            await asyncio.to_thread(check_members, data)
        except Ambiguous as error:
            place.anomaly("members", f"a request can be read in two ways: {error}")
            raise Answer(400, f"this request can be read in two ways: {error}") from None

    async def _check_reach(self, place: Place, data: bytes) -> None:
        if place.access.egress.mode is Mode.OPEN:
            return
        if what := await asyncio.to_thread(fetches, data):
            place.anomaly("reach", f"a request would have the API reach a host: {what}")
            raise Answer(400, f"the API is not asked to reach other hosts for a task ({what})")

    def _share(self, place: Place, asked: Asked) -> AbstractAsyncContextManager[None]:
        budget = place.access.budget
        if budget is None or not asked.route.costs:
            return nullcontext()
        most = most_of(asked.body, asked.route.model)
        return place.budget.share(budget, most, lambda: self._shared.books.spent(place.access.task))
