"""A platform that offers Claude, as it is kept with a task."""

from __future__ import annotations

from typing import Literal

import msgspec

PlatformName = Literal["bedrock", "vertex", "foundry"]

VERTEX_PLACE = ("ANTHROPIC_VERTEX_PROJECT_ID", "CLOUD_ML_REGION")
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

    @property
    def models(self) -> tuple[str, ...]:
        """Return the names of models that the person gave for it."""
        return tuple(text for name, text in self.environment.items() if name.endswith("_MODEL"))

    @property
    def path(self) -> str:
        """Return what the path of each call has; "" where the address alone says the place."""
        if self.name != "vertex":
            return ""
        project, region = (self.environment[name] for name in VERTEX_PLACE)
        return f"projects/{project}/locations/{region}"

    def __str__(self) -> str:
        return f"{_WORDS[self.name]} ({self.place})"
