"""A platform that offers Claude, as it is kept with a task."""

from __future__ import annotations

from typing import Literal

import msgspec

PlatformName = Literal["bedrock", "vertex", "foundry"]

_WORDS = {"bedrock": "Amazon Bedrock", "vertex": "Google Vertex AI", "foundry": "Microsoft Foundry"}


class Platform(msgspec.Struct, frozen=True):
    """One platform, and where on it; kept with a task, for all of its runs."""

    name: PlatformName
    place: str
    """Region or resource, as the person reads it."""
    base_url: str
    """Address that the gateway asks."""
    host: str
    """Host to which the CLI in a task sends its calls, over the gateway's socket."""
    environment: dict[str, str]
    """Variables of the CLI; none of them is a secret."""

    def __str__(self) -> str:
        return f"{_WORDS[self.name]} ({self.place})"
