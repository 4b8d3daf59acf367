"""The login that a task runs with: exactly one, never shown, never on the command line."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import msgspec

from ctui.claude.login import keyring_store
from ctui.claude.login.login_record import forget_record
from ctui.errors import InvalidInput, Unavailable
from ctui.files import replace_file
from ctui.paths import Paths, private_folder
from ctui.small_file import read_small_file

Kind = Literal["api-key", "auth-token", "oauth"]

VARIABLES: Mapping[Kind, str] = {
    # In the order in which the CLI itself prefers them.
    "api-key": "ANTHROPIC_API_KEY",
    "auth-token": "ANTHROPIC_AUTH_TOKEN",
    "oauth": "CLAUDE_CODE_OAUTH_TOKEN",
}

_OAUTH_PREFIX = "sk-ant-oat"
"""Beginning of what `claude setup-token` prints; an API key begins with `sk-ant-api`."""

_REFRESH_PREFIX = "sk-ant-ort"
_SHAPE = re.compile(r"[\x21-\x7e]{8,4096}")
_FILE_LIMIT = 1 << 13
_ASSIGNMENT = re.compile(
    r"(?:export\s+|set\s+|\$env:)?[A-Za-z_][A-Za-z0-9_]*\s*=(?!=*$)", re.IGNORECASE
)


class Credential(msgspec.Struct, frozen=True):
    """One secret and how the CLI takes it. No way of showing it shows the secret."""

    kind: Kind
    value: str
    signs: bool = False
    """True for keys of AWS, which are "ID:SECRET" or "ID:SECRET:TOKEN"; no CLI gets them."""

    def __repr__(self) -> str:
        return f"Credential({self.kind})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        # The inherited one would put the secret into a formatted traceback.
        return [("kind", self.kind)]

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return each part of it that nobody may see."""
        return tuple(self.value.split(":")[1:]) if self.signs else (self.value,)

    def environment(self) -> dict[str, str]:
        """Return the one variable that the CLI gets, with the secret."""
        return {VARIABLES[self.kind]: self.value}

    @classmethod
    def parse(cls, text: str, kind: Kind | None = None) -> Credential:
        """Return the credential that a person pasted, or with `kind` that a variable holds.

        White space around it is dropped.

        Raises:
            InvalidInput: it is no token or key. The message never holds any of it.
        """
        value = text.strip()
        if kind is None:
            _refuse_what_is_pasted_by_mistake(value)
        if not _SHAPE.fullmatch(value):
            raise InvalidInput(
                "that is not a token: it is too short, or has spaces or control characters in it",
                hint="paste the whole token that `claude setup-token` printed, or an API key",
            )
        return cls(kind or ("oauth" if value.startswith(_OAUTH_PREFIX) else "api-key"), value)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Credential | None:
        """Return the credential that the CLI would take from this environment, or None.

        Raises:
            InvalidInput: the variable holds no token; the message names the variable.
        """
        for kind, variable in VARIABLES.items():
            if environ.get(variable, "").strip():
                try:
                    return cls.parse(environ[variable], kind)
                except InvalidInput as error:
                    raise InvalidInput(f"{variable}: {error.message}", hint=error.hint) from None
        return None


def variable_in(environ: Mapping[str, str]) -> str:
    """Return the variable whose login counts in this environment; "" where none does."""
    return next((name for name in VARIABLES.values() if environ.get(name, "").strip()), "")


def fingerprint(secret: str) -> str:
    """Return 64 bits of a hash that identify a secret and may lie on the disk."""
    return hashlib.sha256(b"ctui login\0" + secret.encode()).hexdigest()[:16]


class Stored(NamedTuple):
    """A login that `ctui setup` stored, and its place."""

    credential: Credential
    place: Literal["file", "keyring"]


def stored_credential(paths: Paths) -> Stored | None:
    """Return what `store_credential` stored, or None.

    Raises:
        Unavailable: nothing is in the file, and the keyring is locked, broken or does not answer.
    """
    found = credential_of(_read(_file(paths)))
    if found is not None:
        return Stored(found, "file")
    found = credential_of(keyring_store.read(account_of(paths)) or "")
    return None if found is None else Stored(found, "keyring")


def store_credential(paths: Paths, credential: Credential) -> str:
    """Store a login, and return where, in words for the person.

    Raises:
        Unavailable: neither a keyring nor the config folder takes it.
    """
    text = text_of(credential)
    path, why = _file(paths), "no keyring works here"
    try:
        try:
            if keyring_store.write(account_of(paths), text):
                path.unlink(missing_ok=True)
                forget_record(paths)
                return "the platform's keyring"
        except Unavailable as error:
            why = error.message
        _write(path, text)
        forget_record(paths)
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be written: {error.strerror}",
            hint="make it writable, or set the token in the environment",
        ) from error
    return f"{path} (mode 0600, not encrypted: {why})"


def _write(path: Path, text: str) -> None:
    """Replace the file as a whole: what it had before is kept where the disk is full."""
    private_folder(path.parent)
    replace_file(path, text.encode())


def forget_credential(paths: Paths) -> bool:
    """Remove the stored login from wherever it is; return False if there was none.

    Raises:
        Unavailable: the file cannot be removed, or the keyring does not answer.
    """
    try:
        stored = os.path.lexists(_file(paths))
        _file(paths).unlink(missing_ok=True)
        forget_record(paths)
    except OSError as error:
        raise Unavailable(f"{_file(paths)} cannot be removed: {error.strerror}") from error
    try:
        return keyring_store.forget(account_of(paths)) or stored
    except Unavailable as error:
        raise Unavailable(f"{error.message}: a login in it is still there") from error


def _refuse_what_is_pasted_by_mistake(value: str) -> None:
    if _ASSIGNMENT.match(value):
        raise InvalidInput("that is an assignment", hint="paste only what is behind the = sign")
    if value[:1] in {'"', "'"}:
        raise InvalidInput("that is in quotes", hint="paste it without them")
    if value.startswith("{"):
        raise InvalidInput(
            "that is a file of credentials, not a token",
            hint="run `claude setup-token` and paste the token that it prints",
        )
    if value.startswith(_REFRESH_PREFIX):
        raise InvalidInput(
            "that is a refresh token, which a task must not have",
            hint="run `claude setup-token` and paste the token that it prints",
        )


def account_of(paths: Paths) -> str:
    """Return the keyring's account of the stored login, the beginning of those of all others."""
    # A demo or a test with folders of its own must not find, or overwrite, the person's login.
    return "claude" if not os.environ.get("CTUI_HOME") else f"claude-{paths.instance}"


def _file(paths: Paths) -> Path:
    return paths.config / "credential"


def _read(path: Path) -> str:
    try:
        return read_small_file(path, _FILE_LIMIT).decode().strip()
    except (OSError, UnicodeDecodeError):
        return ""


def text_of(credential: Credential) -> str:
    """Return a login as it is stored."""
    return f"{credential.kind}:{credential.value}"


def credential_of(text: str) -> Credential | None:
    """Return a login that was stored so, or None."""
    kind, _, value = text.partition(":")
    for known in get_args(Kind):
        if kind == known and _SHAPE.fullmatch(value):
            return Credential(known, value)
    return None
