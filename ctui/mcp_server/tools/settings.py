"""The settings of the server: those of ctui, and the names that mcp-claude-code has for them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from ctui.config import Config, McpConfig, load_config
from ctui.paths import Paths

OLD_PREFIX = "MCP_CLAUDE_"
_PREFIX = "CTUI_MCP_"


def settings(
    paths: Paths, environ: Mapping[str, str] | None = None, repository: Path | None = None
) -> Config:
    """Return the settings that hold now; `CTUI_MCP_…` beats `MCP_CLAUDE_…`, and both the file.

    Raises:
        InvalidInput: with the file or variable that is wrong.
    """
    environ = os.environ if environ is None else environ
    names = [field.name.upper() for field in msgspec.structs.fields(McpConfig)]
    old = {
        _PREFIX + name: environ[OLD_PREFIX + name] for name in names if OLD_PREFIX + name in environ
    }
    return load_config(paths, {**old, **environ}, repository)
