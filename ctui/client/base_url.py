"""Another address of the Messages API, and where it leads from inside a sandbox."""

from __future__ import annotations

from collections.abc import Mapping

from ctui.config.sources import effective
from ctui.errors import InvalidInput
from ctui.paths import Paths
from ctui.sandbox.proxies import is_own_address


def check_base_url(paths: Paths, environ: Mapping[str, str] | None = None) -> None:
    """Refuse an address that, asked from a sandbox, is the sandbox itself.

    Raises:
        InvalidInput: with the file or variable that says it.
    """
    setting = next(one for one in effective(paths, environ) if one.key == "claude.base_url")
    if not is_own_address(setting.value):
        return
    if setting.origin == "environment":
        name, other = f"${setting.where}", f"`unset {setting.where}`"
    else:
        name, other = f"claude.base_url in {setting.where}", "remove it"
    raise InvalidInput(
        f"{name} is {setting.value}: a task runs in a container, where that is the container "
        "itself and nothing answers",
        hint=f"name an address that containers reach, such as this machine's, or {other}",
    )
