"""Steps of a script as data, and the API calls that they make up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Say:
    """Text of the answer. Consecutive steps are the lines of one text block."""

    text: str


@dataclass(frozen=True, slots=True)
class Think:
    """One thinking block."""

    text: str


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool request."""

    name: str
    input: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fail:
    """HTTP status as the answer to the next `times` calls, or to every call if that is None."""

    status: int
    times: int | None = 1


@dataclass(frozen=True, slots=True)
class Limit:
    """Usage limit of a subscription, reset so many seconds after the first call that met it."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Cut:
    """End of the connection, in the next `times` calls, or in every call if that is None."""

    times: int | None = 1


@dataclass(frozen=True, slots=True)
class Pace:
    """Slow rest of the call: a pause of so many milliseconds after so many characters."""

    pause: int
    characters: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Hold of the stream until this name is released."""

    name: str


@dataclass(frozen=True, slots=True)
class Hang:
    """Hold of the stream until the client goes away."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts to report for this call instead of those of the texts."""

    input_tokens: int
    output_tokens: int


Step = Say | Think | Tool | Fail | Limit | Cut | Pace | Wait | Hang | Usage


@dataclass(frozen=True, slots=True)
class Call:
    """Steps of one API call.

    Attributes:
        steps: in order; tool requests stand at the end.
        on_error: what ends the turn if one of the tools was denied or failed, or "".
    """

    steps: tuple[Step, ...] = ()
    on_error: str = ""

    @property
    def tools(self) -> int:
        return sum(isinstance(step, Tool) for step in self.steps)
