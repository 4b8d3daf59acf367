"""All settings, with their defaults and the words that explain them.

The descriptions are what `ctui config init` writes and docs/setup.md shows.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, NamedTuple, get_args, get_origin

import msgspec
from msgspec import Meta

from ctui.config.gateway_section import GatewayConfig
from ctui.config.own_sections import (
    GitConfig,
    LandingConfig,
    McpConfig,
    ScreenConfig,
    ServeConfig,
    TaskConfig,
    WorktreeConfig,
)
from ctui.config.task_sections import ClaudeConfig, ImageConfig, NetworkConfig, SandboxConfig

REPOSITORY_FILE = ".ctui.toml"

WEAK_VARIABLES = {"claude.base_url": "ANTHROPIC_BASE_URL"}
"""Variables of the CLI itself, by the key that they set where no file does."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings with their defaults."""

    image: ImageConfig = ImageConfig()
    sandbox: SandboxConfig = SandboxConfig()
    network: NetworkConfig = NetworkConfig()
    gateway: GatewayConfig = GatewayConfig()
    claude: ClaudeConfig = ClaudeConfig()
    worktrees: WorktreeConfig = WorktreeConfig()
    git: GitConfig = GitConfig()
    landing: LandingConfig = LandingConfig()
    tasks: TaskConfig = TaskConfig()
    screen: ScreenConfig = ScreenConfig()
    mcp: McpConfig = McpConfig()
    serve: ServeConfig = ServeConfig()
    keys: dict[str, str] = {}
    """Ids of bindings with the keys that replace their default, such as `new-task = "ctrl+n"`."""


class Key(NamedTuple):
    """One key of the file."""

    section: str
    name: str
    type: Any
    """Type as msgspec understands it, limits included."""
    default: Any
    about: str

    @property
    def path(self) -> str:
        return f"{self.section}.{self.name}"

    @property
    def variable(self) -> str:
        """Environment variable that sets the key."""
        return f"CTUI_{self.section}_{self.name}".upper()


def sections() -> dict[str, type[msgspec.Struct]]:
    """Return the sections whose keys are known, in the file's order; `keys` takes any."""
    return {
        field.name: field.type
        for field in msgspec.structs.fields(Config)
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct)
    }


@cache
def known_keys() -> tuple[Key, ...]:
    """Return every key with a fixed name, in the file's order."""
    return tuple(
        Key(section, field.name, field.type, field.default, _about(field.type))
        for section, struct in sections().items()
        for field in msgspec.structs.fields(struct)
    )


def _about(kind: Any) -> str:
    if get_origin(kind) is not Annotated:
        return ""
    return next((meta.description or "" for meta in get_args(kind)[1:] if _described(meta)), "")


def _described(meta: object) -> bool:
    return isinstance(meta, Meta) and meta.description is not None
