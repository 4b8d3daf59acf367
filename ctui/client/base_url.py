"""Another address of the Messages API, and where it leads from inside a sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ctui.config import Config
from ctui.config.lines import line_of, lines_of
from ctui.config.problems import Problem
from ctui.config.sources import checked, effective
from ctui.errors import InvalidInput
from ctui.paths import Paths
from ctui.sandbox.proxies import is_own_address

_HINT = "name an address that containers reach, such as this machine's, or "


def check_base_url(
    paths: Paths, environ: Mapping[str, str] | None = None, *, unsealed: bool = False
) -> None:
    """Refuse an address that, asked from a sandbox, is the sandbox itself.

    The gateway asks it from where the person is; `unsealed` is for a task without one.

    Raises:
        InvalidInput: with the file or variable that says it.
    """
    settings = {one.key: one for one in effective(paths, environ)}
    setting = settings["claude.base_url"]
    sealed = settings["network.gateway"].value and not unsealed
    if sealed or not is_own_address(setting.value):
        return
    if setting.origin == "environment":
        name, other = f"${setting.where}", f"`unset {setting.where}`"
    else:
        name, other = f"claude.base_url in {setting.where}", "remove it"
    raise InvalidInput(f"{name} {_leads(setting.value)}", hint=_HINT + other)


def all_problems(text: str) -> list[Problem]:
    """Return all problems of a file of settings, in the order of its lines.

    Also of such an address (behind the gateway, where tasks are by default, it is none), and of
    hosts that are none.
    """
    values, problems = checked(text)
    problems = sorted([*problems, *_host_problems(values, problems, text)], key=_line)
    key = "claude.base_url"
    if any(problem.key in {"", "claude", "network", key} for problem in problems):
        return problems
    url = values.get("claude", {}).get("base_url", "")
    sealed = values.get("network", {}).get("gateway", True)
    if is_own_address(url) and not sealed:
        line = line_of(lines_of(text), ("claude", "base_url"))
        problems = [*problems, Problem(key, _leads(url), f"{_HINT}remove it", line)]
    return sorted(problems, key=_line)


def _host_problems(values: dict[str, Any], problems: list[Problem], text: str) -> list[Problem]:
    from ctui.tasks.network.rules import wrong_hosts

    wrong = {problem.key for problem in problems}
    if wrong & {"", "network", "gateway"}:
        return []
    said = {
        section: {
            name: value
            for name, value in values.get(section, {}).items()
            if f"{section}.{name}" not in wrong
        }
        for section in ("network", "gateway")
    }
    lines = lines_of(text)
    return [
        Problem(key, error.message, error.hint, line_of(lines, tuple(key.split("."))))
        for key, error in wrong_hosts(msgspec.convert(said, Config)).items()
    ]


def _line(problem: Problem) -> int:
    return problem.line or 0


def _leads(url: str) -> str:
    where = "a task runs in a container, where that is the container itself and nothing answers"
    return f"is {url}: {where}"
