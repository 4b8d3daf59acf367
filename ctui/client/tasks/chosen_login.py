"""The login of a new task: named with the command, or by the settings for its repository."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ctui.claude.login.named import known_login
from ctui.claude.login.platform import Platform
from ctui.client.model_platform import ready_platform
from ctui.config import ClaudeConfig
from ctui.errors import Refused
from ctui.paths import Paths
from ctui.tasks.model import TaskOptions
from ctui.tasks.network.sealed import seals


def chosen_login(paths: Paths, config: ClaudeConfig, repository: Path, wanted: str) -> str:
    """Return the name of the login that a task gets; "" for none that was named.

    Args:
        paths: whose logins.
        config: its `login` is a name, or names with the folders that they are for.
        repository: the folder of the repository.
        wanted: the name that was given with the command.

    Raises:
        NotFound: there is no login of that name.
        InvalidInput: it cannot be a name.
    """
    name = wanted or _by_settings(config.login, repository)
    if name:
        known_login(paths, name)
    return name


def chosen_platform(options: TaskOptions, environ: Mapping[str, str]) -> Platform | None:
    """Return the platform that a new task's calls go to, with a credential that is there for it.

    Raises:
        InvalidInput: what is said of it cannot be used.
        LoginRequired: there is no credential for it.
        Refused: the task has no gateway, and so would have the credential inside.
    """
    platform = ready_platform(environ)
    if platform is not None and not seals(options):
        raise Refused(
            f"{platform} is reached through the gateway alone",
            hint="leave out --no-gateway, or unset what switches the platform on",
        )
    return platform


def _by_settings(value: str | tuple[str, ...], repository: Path) -> str:
    """Return the name of the deepest folder that the repository lies in, else the one for all."""
    best, chosen = -1, ""
    for text in (value,) if isinstance(value, str) else value:
        name, sign, folder = (part.strip() for part in text.partition("="))
        if not sign:
            depth = 0
        else:
            place = Path(folder).expanduser().resolve()
            depth = len(place.parts) if repository.resolve().is_relative_to(place) else -1
        if depth > best:
            best, chosen = depth, name
    return chosen
