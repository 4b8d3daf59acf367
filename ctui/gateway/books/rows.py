"""Rows of the books as structs."""

from __future__ import annotations

from typing import Literal

import msgspec


class Usage(msgspec.Struct, frozen=True):
    """Tokens of one call, as the API counts them.

    Attributes:
        input_tokens: that no cache had.
        output_tokens: of the answer.
        cache_read: tokens that a cache had.
        cache_write: tokens that a cache was given for five minutes.
        cache_write_1h: and for an hour.
        searches: of the web, by the API itself.
        fast: True where the answer was made at the higher speed, which costs more.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    searches: int = 0
    fast: bool = False


class NewCall(msgspec.Struct, frozen=True):
    """A call to the model that is about to be sent.

    Attributes:
        id: of the row; see `Books.next_id`.
        at: when it came, in nanoseconds since 1970.
        run: and `task`, whose it is.
        task: whose budget it counts to.
        model: as the request names it.
        login: name of the login that it is sent with.
        host: and `port`, where it goes.
        port: of that host.
        up: bytes of its body.
    """

    id: int
    at: int
    run: str
    task: str
    model: str
    login: str
    host: str
    port: int
    up: int


class Ending(msgspec.Struct, frozen=True):
    """End of a call.

    Attributes:
        status: of the answer; 0 where none came.
        usage: what it used.
        dollars: what that costs.
        whole: False where the usage is an estimate, because not all of the answer came.
        down: bytes of the answer.
        at: when it was over, in nanoseconds since 1970.
    """

    status: int
    usage: Usage
    dollars: float
    whole: bool
    down: int
    at: int


class CallRow(msgspec.Struct, frozen=True):
    """A call as it is read: the ending is None while it is under way."""

    call: NewCall
    ending: Ending | None


class RequestRow(msgspec.Struct, frozen=True):
    """One attempt of a task to reach something outside. It has no paths and no contents.

    Attributes:
        key: unique; a later row of the same key takes its place.
        at: when, in nanoseconds since 1970.
        run: and `task`, whose it was.
        task: of the run.
        host: that it wanted, in its one form.
        port: of that host.
        verdict: what came of it.
        rule: that decided, in words.
        credential: name of the login or rule whose secret was added; "" where none was.
        up: bytes from the task.
        down: bytes to it.
        anomaly: what makes it worth an alarm, or "".
        over: False while the connection is open.
    """

    key: str
    at: int
    run: str
    task: str
    host: str
    port: int
    verdict: Literal["allowed", "refused", "failed"]
    rule: str
    credential: str = ""
    up: int = 0
    down: int = 0
    anomaly: str = ""
    over: bool = True


class Totals(msgspec.Struct, frozen=True):
    """All calls of a task that have ended, also those whose rows are gone."""

    calls: int = 0
    dollars: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read: int = 0
    cache_write: int = 0
