"""Values of a compose file that have forms of their own: mounts, variables, health checks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ctui.environments.definition.commit_files import path_in_commit
from ctui.environments.definition.definition import Status
from ctui.environments.definition.services.compose_files import listed
from ctui.environments.definition.services.table import (
    LONGEST_WAIT,
    check_folder,
    command_words,
    health_words,
)
from ctui.errors import InvalidInput
from ctui.sandbox.services import WAIT_SECONDS, WorktreeMount
from ctui.text import one_line

_DURATION = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)(h|ms|us|m|s)")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6}
_INTERVAL, _RETRIES = 30.0, 3


class ComposeMount(NamedTuple):
    """An entry of a service's `volumes`."""

    source: str
    """As it is written; "" for a volume without a name."""
    target: str
    is_path: bool

    @property
    def shown(self) -> str:
        return one_line(f"{self.source or 'a volume'} at {self.target}")


class ServiceMount(NamedTuple):
    """Fate of a mount in a service."""

    status: Status
    reason: str
    kept: str = ""
    """Folder that is kept as long as the task."""
    file: WorktreeMount | None = None


class Health(NamedTuple):
    """Check by which a service is known to be ready."""

    command: tuple[str, ...] = ()
    checked: bool = True
    wait: int = WAIT_SECONDS


def mounts_of(value: object, where: str) -> Iterator[ComposeMount]:
    """Yield the entries of `volumes`, in either form.

    Raises:
        InvalidInput: one is neither.
    """
    for one in listed(value, where):
        if isinstance(one, dict):
            source, target = str(one.get("source") or ""), str(one.get("target") or "")
            kind = str(one.get("type") or "volume")
            if kind != "tmpfs":
                yield ComposeMount(source, target, kind != "volume")
        elif isinstance(one, str) and one:
            source, colon, rest = one.partition(":")
            target = rest.partition(":")[0] if colon else one
            source = source if colon else ""
            yield ComposeMount(source, target, source.startswith((".", "/", "~", "\\")))
        else:
            raise InvalidInput(f"{where} has an entry that is no mount", hint="write name:/path")


def service_mount(
    mount: ComposeMount, folder: str, has: Callable[[str], object], where: str
) -> ServiceMount:
    """Return what becomes of a mount.

    Args:
        mount: as it is written.
        folder: that its path is relative to.
        has: returns something for a path that the commit has.
        where: the key, for an error.

    Raises:
        InvalidInput: its target can be no folder.
    """
    target = check_folder(mount.target, where)
    if not mount.is_path:
        if not mount.source:
            return ServiceMount("used", "an empty folder that goes with it")
        return ServiceMount("used", "a volume of the task's own", kept=target)
    refused = ServiceMount("refused", "a folder of the host is given to no service")
    if mount.source.startswith(("~", "\\")):
        return refused
    try:
        path = path_in_commit(folder, mount.source, where)
    except InvalidInput:
        return refused
    if path and not has(path):
        return ServiceMount("used", "not in the commit: a volume of the task's own", kept=target)
    return ServiceMount("used", "of the worktree; read-only", file=WorktreeMount(path, target))


def variables_of(value: object, where: str) -> dict[str, str | None]:
    """Return a table of variables; None is one whose value is the person's own."""
    if isinstance(value, list):
        pairs = [str(one).partition("=") for one in value]
        value = {name: text if sign else None for name, sign, text in pairs}
    values = {} if value in (None, "") else value
    if not isinstance(values, dict) or not all(
        one is None or isinstance(one, str) for one in values.values()
    ):
        raise InvalidInput(f"{where} is no table of names and texts", hint="write NAME: text")
    return values


def text_of(table: dict[str, Any], key: str, where: str) -> str:
    """Return a text of a table, "" where it is not there. Raises InvalidInput."""
    value = table.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or not value.isprintable() or len(value) > 4096:
        raise InvalidInput(f"{where}.{key} is no plain text", hint="mend it")
    return value


def health_of(value: object, where: str) -> Health:
    """Return what a `healthcheck` says. Raises InvalidInput."""
    if value in (None, ""):
        return Health()
    if not isinstance(value, dict):
        raise InvalidInput(f"{where} is no table", hint="write test: [CMD, …]")
    test = value.get("test")
    if str(value.get("disable", "")).lower() == "true" or test == ["NONE"]:
        return Health(checked=False)
    command: tuple[str, ...] = ()
    if isinstance(test, str):
        command = health_words(test, f"{where}.test")
    elif isinstance(test, list) and test[:1] == ["CMD-SHELL"] and len(test) == 2:
        command = health_words(test[1], f"{where}.test")
    elif isinstance(test, list) and test[:1] == ["CMD"]:
        command = command_words(test[1:], f"{where}.test")
    elif test is not None:
        raise InvalidInput(f"{where}.test begins with no CMD", hint="write [CMD, …]")
    return Health(command, wait=_wait(value))


def _wait(value: dict[str, Any]) -> int:
    """Return the seconds after which compose would call it unhealthy; never fewer than usual."""
    retries = str(value.get("retries") or _RETRIES)
    times = int(retries) if retries.isdecimal() and len(retries) < 5 else _RETRIES
    seconds = _seconds(value.get("start_period"), 0.0)
    seconds += times * _seconds(value.get("interval"), _INTERVAL)
    return max(WAIT_SECONDS, min(LONGEST_WAIT, round(seconds)))


def _seconds(value: object, default: float) -> float:
    parts = _DURATION.findall(value) if isinstance(value, str) else []
    return sum(float(number) * _UNITS[unit] for number, unit in parts) if parts else default
