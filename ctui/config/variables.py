"""Variables of a task: their names, how they are written, and which of several counts. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from ctui.errors import InvalidInput
from ctui.text import one_line

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
_BLANK = " \t\v\f"
LONGEST_VARIABLE = 128 * 1024 - 1
"""Bytes of `NAME=value`: the kernel starts no program with a longer one (MAX_ARG_STRLEN)."""
LONGEST_OF_ALL = 1 << 20
"""Bytes of all variables of a task; the kernel takes two million with the command line."""

_OWNED = frozenset(
    {"HOME", "CLAUDE_CONFIG_DIR", "CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS", "CLAUDECODE"}
    | {"ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"}
    | {"ANTHROPIC_BASE_URL", "ANTHROPIC_UNIX_SOCKET"}
)
"""Variables that ctui itself gives a value: the login, its server, the home and the channel."""

_STEERING = re.compile(
    r"ANTHROPIC_.*|CLAUDE_.*|CLAUDECODE|CTUI_.*|.*_PROXY|LD_.*|BASH_ENV|BASH_FUNC_.*|HOME"
    r"|GIT_CONFIG.*|GIT_SSH.*|GIT_ASKPASS|GIT_EXEC_PATH|SSH_ASKPASS|.*_CA_.*|SSL_CERT_.*"
    r"|BUN_.*|GCONV_PATH|GLIBC_TUNABLES|PROMPT_COMMAND|SHELLOPTS|BASHOPTS",
    re.IGNORECASE,
)
"""Names that steer the loader, the CLI or the way to its server."""

_LOGIN = "`ctui setup` stores the login that tasks get"
_HINTS: Mapping[str, str] = {
    "ANTHROPIC_API_KEY": _LOGIN,
    "ANTHROPIC_AUTH_TOKEN": _LOGIN,
    "CLAUDE_CODE_OAUTH_TOKEN": _LOGIN,
    "ANTHROPIC_BASE_URL": "set claude.base_url",
    "HOME": "a task's home is a folder of its own",
    "CLAUDE_CONFIG_DIR": "a task's home is a folder of its own",
}


def is_steering(name: str) -> bool:
    """Return True for a name that steers the loader, the CLI or the way to its server."""
    return _STEERING.fullmatch(name) is not None


class Layer(NamedTuple):
    """Variables of one origin."""

    origin: str
    """The file or option that they come from, as a person reads it."""
    values: Mapping[str, str]
    by: Literal["person", "repository"] = "repository"


def task_environment(layers: Iterable[Layer]) -> dict[str, str]:
    """Merge layers of variables, the strongest first: of each name the first value counts.

    The order is: the task's own (`--env`, `--env-file`, settings, which `person_variables` has
    merged), `[environment.env]`, `remoteEnv`, `containerEnv`.

    Raises:
        InvalidInput: a name or a value that no variable can have, or a name that its origin may
            not set; the message names both.
    """
    merged: dict[str, str] = {}
    for layer in layers:
        for name, value in layer.values.items():
            check_variable(name, value, layer.origin, by=layer.by)
            merged.setdefault(name, value)
    check_size(merged)
    return merged


def check_variable(
    name: str, value: str, origin: str, *, by: Literal["person", "repository"] = "person"
) -> None:
    """Refuse what no variable can be, and names that whoever says it may not set.

    Raises:
        InvalidInput: the message never holds the value.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"{origin}: {one_line(name, 60) or 'nothing'} is no variable's name",
            hint="a name has letters, digits and _, and begins with no digit",
        )
    if by == "repository" and is_steering(name):
        raise InvalidInput(
            f"{origin}: a repository may not set {name}",
            hint=f"remove it there, or give it yourself: --env {name}=…",
        )
    if name in _OWNED or name.upper().startswith("CTUI_"):
        hint = _HINTS.get(name, "leave it out")
        raise InvalidInput(f"{origin}: {name} is ctui's own in a task", hint=hint)
    if "\0" in value:
        raise InvalidInput(f"{origin}: the value of {name} has a NUL in it", hint="no variable can")
    try:
        size = len(name) + 1 + len(value.encode())
    except UnicodeEncodeError as error:
        raise InvalidInput(f"{origin}: the value of {name} is not UTF-8") from error
    if size > LONGEST_VARIABLE:
        raise InvalidInput(
            f"{origin}: {name} is longer than the 128 KiB that a variable can have",
            hint="put it into a file of the worktree, and name that in the variable",
        )


def check_size(values: Mapping[str, str]) -> None:
    """Refuse more than a program can be started with.

    Raises:
        InvalidInput: it is more than a mebibyte.
    """
    if sum(len(name) + len(value.encode()) + 2 for name, value in values.items()) > LONGEST_OF_ALL:
        raise InvalidInput(
            "the task's variables are more than the 1 MiB that a program is started with",
            hint="give fewer, or put the long ones into files",
        )


def person_variables(
    given: Iterable[str],
    files: Iterable[tuple[str, str]],
    settings: Iterable[str],
    environ: Mapping[str, str],
) -> tuple[dict[str, str], list[str]]:
    """Merge what a person gave: options before files before settings, of each the last.

    Args:
        given: `K=V`, or `K` for the value that it has in `environ`.
        files: name and text of files in docker's format.
        settings: as `given`, of `sandbox.env`.
        environ: the caller's.

    Returns:
        the variables, and the names that were to be taken from `environ` and are not there.

    Raises:
        InvalidInput: what is wrong, and where.
    """
    merged: dict[str, str] = {}
    missing: list[str] = []
    sources = [
        _assigned("sandbox.env", settings),
        *(read_env_file(name, text) for name, text in files),
        _assigned("--env", given),
    ]
    for origin, pairs in sources:
        for name, said in pairs:
            value = environ.get(name) if said is None else said
            check_variable(name, value or "", origin)
            if value is None:
                missing.append(name)
            else:
                merged[name] = value
    check_size(merged)
    return merged, [name for name in dict.fromkeys(missing) if name not in merged]


def assignments(values: Mapping[str, str]) -> tuple[str, ...]:
    """Return variables as options say them.

    Raises:
        InvalidInput: a name or a value cannot be one.
    """
    for name, value in values.items():
        check_variable(name, value, "env")
    return tuple(f"{name}={value}" for name, value in values.items())


Pairs = list[tuple[str, str | None]]
"""Names with their values; None takes the caller's."""


def read_env_file(origin: str, text: str) -> tuple[str, Pairs]:
    """Read docker's format: `K=V` or `K` a line, `#` comments, no quotes and no expansion.

    Raises:
        InvalidInput: with the line that is wrong.
    """
    pairs: Pairs = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        said = line.removesuffix("\r").lstrip(_BLANK)
        if said and not said.startswith("#"):
            (pair,) = _assigned(f"{origin}:{number}", [said])[1]
            check_variable(pair[0], pair[1] or "", f"{origin}:{number}")
            pairs.append(pair)
    return origin, pairs


def _assigned(origin: str, texts: Iterable[str]) -> tuple[str, Pairs]:
    cut = [text.partition("=") for text in texts]
    return origin, [(name, value if sign else None) for name, sign, value in cut]
