"""What the model can do, as data: the steps of a script and the API calls they make up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Say:
    """Text of the answer; steps that follow each other are the lines of one text block."""

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
    """Answer the next `times` calls with this HTTP status; None means every call."""

    status: int
    times: int | None = 1


@dataclass(frozen=True, slots=True)
class Cut:
    """Close the connection here, in the next `times` calls; None means in every call."""

    times: int | None = 1


@dataclass(frozen=True, slots=True)
class Pace:
    """From here on: pause so many milliseconds after each delta of so many characters."""

    pause: int
    characters: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Hold the stream until this name is released."""

    name: str


@dataclass(frozen=True, slots=True)
class Hang:
    """Hold the stream until the client goes away."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Report these token counts for this call instead of those of the texts."""

    input_tokens: int
    output_tokens: int


Step = Say | Think | Tool | Fail | Cut | Pace | Wait | Hang | Usage


@dataclass(frozen=True, slots=True)
class Call:
    """What the model does in one API call.

    Attributes:
        steps: in order; tool requests stand at the end.
        on_error: what ends the turn if one of the tools was denied or failed, or "".
    """

    steps: tuple[Step, ...] = ()
    on_error: str = ""

    @property
    def tools(self) -> int:
        return sum(isinstance(step, Tool) for step in self.steps)
