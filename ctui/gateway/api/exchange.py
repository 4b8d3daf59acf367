"""One exchange with the API: a request sent on, its answer passed back, both in the books."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

import httpx2
import msgspec
from starlette.types import Send

from ctui.gateway.api.answers import Answer, wait
from ctui.gateway.api.call import Call
from ctui.gateway.api.headers import Headers, onward
from ctui.gateway.api.place import Place
from ctui.gateway.api.relay import Torn, pass_on
from ctui.gateway.api.request import Asked
from ctui.gateway.api.routes import address, host_and_port, model_in, route_of
from ctui.gateway.api.signing import Signer
from ctui.gateway.api.upstream import Unreachable, Upstream
from ctui.gateway.books.books import Books
from ctui.gateway.books.rows import NewCall, RequestRow
from ctui.gateway.logins import Logins
from ctui.gateway.model import LimitReached, Login, Spent
from ctui.text import one_line

WAIT_LOGIN = 10
_WAIT_API = 5
"""Seconds after which the CLI is to try again."""

_MOST_REASON = 1 << 14


class Shared(NamedTuple):
    """Parts that all exchanges share."""

    books: Books
    logins: Logins
    upstream: Upstream
    tell: Callable[[Spent | LimitReached], object]


class _Error(msgspec.Struct):
    message: str = ""


class _Refusal(msgspec.Struct):
    error: _Error = msgspec.field(default_factory=_Error)
    message: str = ""


_LIMIT = "anthropic-ratelimit-unified"
"""Beginning of the headers about a subscription's limits."""


class Exchange:
    """A request that may be sent on, with the login that it is sent with."""

    def __init__(self, shared: Shared, place: Place, asked: Asked, login: Login) -> None:
        self._shared = shared
        self._place = place
        self._access = place.access  # as it was when the request came: the books are its run's
        self._asked = asked
        self._login = login
        self._at = time.time_ns()
        self._down = 0
        self._sent = self._failed = False

    async def run(self, send: Send) -> None:
        """Do all of it.

        Raises:
            Answer: there is no answer of the API that the task could use.
            Torn: there was one, up to its middle.
        """
        call = self._call() if self._asked.route.costs else None
        try:
            if call is not None:
                await call.begin()
            await self._pass(await self._answer(), call, send)
        except Unreachable as error:
            self._failed = True
            if call is not None and not error.sent:
                call.unpaid(0)
            raise wait(f"Claude cannot be reached ({error})", _WAIT_API) from None
        except (Answer, Torn) as error:
            self._failed = True
            if call is not None and isinstance(error, Answer):
                call.unpaid(0)
            raise
        finally:
            if call is not None:
                # Nothing, if it has ended; else it was cut off here.
                if self._sent:
                    call.lost()
                else:
                    call.unpaid(0)
                spent = self._shared.books.spent(self._access.task)
                self._shared.tell(Spent(self._access.task, spent))
            self._shared.books.record(self._record())

    def _call(self) -> Call:
        """Return the call as it is written down."""
        access, asked = self._access, self._asked
        model = asked.route.model or model_in(asked.body)
        row = NewCall(
            id=self._shared.books.next_id(),
            at=self._at,
            run=access.run,
            task=access.task,
            model=model,
            login=self._login.name,
            host=self._target[0],
            port=self._target[1],
            up=len(asked.body),
        )
        call = Call(self._shared.books, row)
        if not call.known_price:
            self._place.anomaly("price", f"nobody knows what {one_line(model)!r} costs")
        return call

    async def _answer(self) -> httpx2.Response:
        """Return the API's answer; where it takes the login no more, the one to a newer login."""
        asked, access = self._asked, self._access
        why = ""
        for _ in range(2):
            url = address(self._login, asked.path, asked.query)
            headers = onward(asked.headers, self._login)
            if region := self._login.region:
                signer, now = Signer(self._login.secret, region), datetime.now(UTC)
                headers += signer.headers(asked.method, url, asked.body, now)
            self._sent = True
            answer = await self._shared.upstream.send(asked.method, url, headers, asked.body)
            status = answer.status_code
            if status not in {401, 403}:
                return answer
            why = await _reason(answer)
            if status == 403 and not _speaks_of_token(why):
                # What the account or its organisation may not do: no other login would help.
                raise Answer(400, f"the API does not permit it to this account ({why})")
            newer = await self._shared.logins.renewed(access.login, self._login, status, access.run)
            if newer is None or route_of(newer, asked.method, asked.path) is None:
                break
            self._login = newer
        raise wait(f"the login is not accepted ({why}); waiting for another one", WAIT_LOGIN)

    async def _pass(self, answer: httpx2.Response, call: Call | None, send: Send) -> None:
        status = answer.status_code
        if 300 <= status < 400:
            # It leads where the credential must not go, and the task could not follow.
            await answer.aclose()
            raise Answer(400, "the API's address answers with a redirect: set another one")
        kind = answer.headers.get("content-type", "")
        counter = call.counter(kind) if call is not None and status == 200 else None

        def look(data: bytes) -> None:
            self._down += len(data)
            if counter is not None:
                counter.feed(data)

        more: Headers = ()
        if status == 429 and (reset := _limit_reset(answer)):
            # With a login the CLI would tell of it, and not try again for hours.
            self._shared.tell(LimitReached(self._access.run, reset))
            more = ((b"x-should-retry", b"false"),)
        try:
            await pass_on(answer, send, look, more)
        finally:
            if call is not None and counter is None:
                call.unpaid(status, self._down)
            elif call is not None and counter is not None:
                call.over(status, counter)

    @property
    def _target(self) -> tuple[str, int]:
        return host_and_port(address(self._login, self._asked.path, ""))

    def _record(self) -> RequestRow:
        host, port = self._target
        return RequestRow(
            key=f"api/{self._access.run}/{self._at}/{id(self)}",
            at=self._at,
            run=self._access.run,
            task=self._access.task,
            host=host,
            port=port,
            verdict="failed" if self._failed else "allowed",
            rule="the model",
            credential=self._login.name,
            up=len(self._asked.body),
            down=self._down,
        )


def _limit_reset(answer: httpx2.Response) -> int:
    """Return when a subscription's limit is reset, in seconds since 1970; 0 for another 429."""
    if answer.headers.get(f"{_LIMIT}-status") != "rejected":
        return 0
    stamp = answer.headers.get(f"{_LIMIT}-reset", "")
    return int(stamp) if stamp.isdecimal() and len(stamp) <= 10 else 0


def _speaks_of_token(reason: str) -> bool:
    """Return True for a refusal that another login may mend."""
    said = reason.lower()
    return "token" in said and any(word in said for word in ("revoked", "expired", "invalid"))


async def _reason(answer: httpx2.Response) -> str:
    """Return the status of a refusal with what the API said, in one line."""
    data = b""
    with suppress(httpx2.HTTPError):
        async for part in answer.aiter_raw():
            data += part
            if len(data) > _MOST_REASON:
                break
    await answer.aclose()
    said = ""
    with suppress(msgspec.DecodeError):
        refusal = msgspec.json.decode(data, type=_Refusal)
        said = one_line(refusal.error.message or refusal.message, 200)
    return f"{answer.status_code}: {said}" if said else str(answer.status_code)
