"""Parts of ctui that `pip install ctui` leaves out."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal

from ctui.errors import Unavailable

_NEEDS = {
    "mcp": ("mcp",),
    "serve": ("mcp", "starlette", "uvicorn", "websockets"),
}


def require(extra: Literal["mcp", "serve"], command: str) -> None:
    """Refuse a command whose packages are not installed.

    Raises:
        Unavailable: with the command that installs them.
    """
    missing = [name for name in _NEEDS[extra] if find_spec(name) is None]
    if missing:
        raise Unavailable(
            f"`{command}` needs packages that are not installed: {', '.join(missing)}",
            hint=f"pip install 'ctui[{extra}]'",
        )
