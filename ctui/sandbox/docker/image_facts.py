"""Contents of the image that tasks run in, in words."""

from __future__ import annotations

import msgspec

from ctui.config import ImageConfig
from ctui.errors import CtuiError
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.image import image_tag, require_image
from ctui.sandbox.docker.image_parts import VERSIONS, versions

_MINIMAL = (
    *("curl", "less", f"node {VERSIONS['NODE_VERSION']}", "npm", "procps", "python3"),
    "Debian 12",
)
_DEFAULT = (
    *("build-essential", "gh", "jq", "patch", "pip", "pkg-config", "python3-dev", "python3-venv"),
    *("sqlite3", "unzip", f"uv {VERSIONS['UV_VERSION']}", "xz", "zip"),
)
_BROWSER = (
    "chromium",
    "MCP servers: filesystem, github, playwright, postgres, sqlite",
)
_ALWAYS = (*("bash", "git", "git-lfs", "python3", "ripgrep", "ssh"),)
"""Tools that a task finds on any base: its own, or where it has none the tree's."""
_OF_VARIANT = {
    "minimal": _MINIMAL,
    "default": (*_MINIMAL, *_DEFAULT),
    "browser": (*_MINIMAL, *_DEFAULT, *_BROWSER),
}


class ImageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Image that these settings lead to."""

    name: str
    source: str
    """Setting that decides: `image.variant`, `image.base`, `image.dockerfile` or `image.name`."""
    value: str
    """Value of that setting."""
    size: int
    """Size in bytes, of which other images may share a part; 0 if it is not there yet."""
    contents: tuple[str, ...]
    """Tools in it; of somebody else's image only what ctui lays on top."""
    problem: str = ""
    """Reason why no task can run in it yet; empty if one can."""

    @property
    def label(self) -> str:
        """Return what it is, in a few words."""
        kind = self.source.removeprefix("image.")
        return f"{kind} {self.value}"


async def image_facts(engine: Engine, config: ImageConfig) -> ImageFacts:
    """Return what there is to say of the image of these settings.

    Raises:
        Unavailable: a file of the settings cannot be read, or the engine does not answer.
    """
    name = image_tag(config)
    source, value = _source(config)
    own = _OF_VARIANT[config.variant] if source == "image.variant" else ()
    cli = f"Claude Code {versions(config)['CLAUDE_CODE_VERSION']}"
    problem = ""
    try:
        await require_image(engine, config)
    except CtuiError as error:
        problem = f"{error.message}: {error.hint}"
    return ImageFacts(
        name=name,
        source=source,
        value=value,
        size=await engine.image_size(name),
        contents=tuple(dict.fromkeys((cli, *_ALWAYS, *own))),
        problem=problem,
    )


def _source(config: ImageConfig) -> tuple[str, str]:
    for setting in ("name", "base", "dockerfile"):
        if value := getattr(config, setting):
            return f"image.{setting}", str(value)
    return "image.variant", config.variant
