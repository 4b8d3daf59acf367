"""Secrets of MCP servers: named in their configuration, filled in when a run starts.

`${NAME}` is a variable of the environment, `${NAME:-text}` has a stand-in, and `${keyring:NAME}` is
what the platform's keyring holds for the service `ctui` and the user `mcp:NAME`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from ctui.errors import InvalidInput, LoginRequired

_REFERENCE = re.compile(r"\$\{(?P<body>[^{}]*)\}")
_BODY = re.compile(
    r"keyring:(?P<entry>[A-Za-z0-9_.-]{1,64})"
    r"|(?P<variable>[A-Za-z_][A-Za-z0-9_]{0,127})(?::-(?P<default>.*))?",
    re.DOTALL,
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

_SECRET_NAME = re.compile(
    r"(?:^|[-_.])(?:token|secret|password|passwd|pwd|authorization|cookie|key)$|apikey$",
    re.IGNORECASE,
)
"""Names such as `GITHUB_TOKEN`, `x-api-key` and `--password`."""

_SUSPICIOUS_NAME = re.compile(r"token|secret|passw|auth|credential|key|cookie", re.IGNORECASE)
_KNOWN_SECRET = re.compile(
    r"(?:sk-|gh[opsru]_|github_pat_|glpat-|xox[abeprs]-|npm_|AKIA|eyJ)[A-Za-z0-9_.-]{12,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY"
)
_SCHEME = re.compile(r"(?:bearer|basic|token)\s+", re.IGNORECASE)
_PLACE = re.compile(r"[~./]|[a-z]+://")
"""Beginning of a path or an address."""

_SHORT, _LONG = 8, 16
"""Characters below which nothing is a secret, and from which a suspicious name can make it one."""


class MissingSecret(LoginRequired):
    """A variable or an entry of the keyring that a server refers to is not there."""


def literal_part(text: str) -> str:
    """Return the text without its references; what stands in for a variable is literal.

    Raises:
        InvalidInput: a reference is malformed or does not end.
    """
    literal = _REFERENCE.sub(lambda match: _parse(match)["default"] or "", text)
    if "${" in literal:
        raise InvalidInput("has a reference that does not end", hint="write ${NAME}")
    return literal


def looks_secret(name: str, literal: str) -> bool:
    """Return True if a literal beside this name is a secret, as far as one can see."""
    value = _SCHEME.sub("", literal.strip(), count=1)
    if _KNOWN_SECRET.search(value):
        return True
    if len(value) < _SHORT or " " in value or _PLACE.match(value):
        return False
    if _SECRET_NAME.search(name.strip()):
        return True
    mixed = any(letter.isdigit() for letter in value) and any(map(str.isalpha, value))
    return len(value) >= _LONG and mixed and bool(_SUSPICIOUS_NAME.search(name))


def variables(texts: Iterator[str]) -> set[str]:
    """Return the names of the environment's variables that these texts refer to."""
    parsed = [_parse(match) for text in texts for match in _REFERENCE.finditer(text)]
    return {match["variable"] for match in parsed if match["variable"]}


def resolve(
    text: str,
    where: str,
    environ: Mapping[str, str],
    keyring: Callable[[str], str | None],
) -> tuple[str, list[str]]:
    """Return the text with every reference filled in, and the secrets that were filled in.

    Raises:
        MissingSecret: a variable or an entry is not there; `where` says whose.
        LoginRequired: it is unusable.
        Unavailable: the keyring does not answer.
    """
    secrets: list[str] = []

    def fill(match: re.Match[str]) -> str:
        parsed = _parse(match)
        if entry := parsed["entry"]:
            value, what = keyring(f"mcp:{entry}"), f"the keyring has no mcp:{entry}"
            hint = f"`keyring set ctui mcp:{entry}` stores it"
        else:
            value, what = environ.get(parsed["variable"]), f"{parsed['variable']} is not set"
            hint = f"set {parsed['variable']}"
        if not value:
            if parsed["default"] is None:
                raise MissingSecret(f"{where}: {what}", hint=hint)
            return parsed["default"]
        if _CONTROL.search(value):
            raise LoginRequired(f"{where}: what it refers to has control characters", hint=hint)
        secrets.append(value)
        return value

    return _REFERENCE.sub(fill, text), secrets


def _parse(match: re.Match[str]) -> re.Match[str]:
    parsed = _BODY.fullmatch(match["body"])
    if parsed is None:
        raise InvalidInput(
            "is no reference that can be filled in",
            hint="write ${NAME}, ${NAME:-text} or ${keyring:NAME}",
        )
    return parsed
