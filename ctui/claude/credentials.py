"""The login that a task runs with: exactly one, never shown, never on the command line."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ctui.errors import InvalidInput, LoginRequired, Unavailable
from ctui.paths import Paths, private_folder

Kind = Literal["api-key", "auth-token", "oauth"]

VARIABLES: Mapping[Kind, str] = {
    # In the order in which the CLI itself prefers them.
    "api-key": "ANTHROPIC_API_KEY",
    "auth-token": "ANTHROPIC_AUTH_TOKEN",
    "oauth": "CLAUDE_CODE_OAUTH_TOKEN",
}

_SERVICE = "ctui"
_ACCOUNT = "claude"
_KEYRING_SECONDS = 5.0
_SHAPE = re.compile(r"[\x21-\x7e]{8,4096}")


class Credential(NamedTuple):
    """One secret and how the CLI takes it."""

    kind: Kind
    value: str

    def __repr__(self) -> str:
        return f"Credential({self.kind})"

    def environment(self) -> dict[str, str]:
        """The one variable that the CLI gets."""
        return {VARIABLES[self.kind]: self.value}

    @classmethod
    def parse(cls, text: str, kind: Kind | None = None) -> Credential:
        """A credential as a person pastes it.

        Raises:
            InvalidInput: it has white space or control characters in it, or is far too short.
        """
        value = text.strip()
        if "=" in value.split("-", 1)[0]:
            raise InvalidInput("that is an assignment", hint="paste only what is behind the = sign")
        if not _SHAPE.fullmatch(value):
            raise InvalidInput(
                "that is not a token: it is too short, or has spaces or control characters in it",
                hint="paste the whole token that `claude setup-token` printed, or an API key",
            )
        return cls(kind or ("oauth" if value.startswith("sk-ant-oat") else "api-key"), value)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Credential | None:
        """The one that the CLI itself would take from this environment, if there is any."""
        for kind, variable in VARIABLES.items():
            if environ.get(variable):
                return cls.parse(environ[variable], kind)
        return None


class Redactor:
    """Replaces known secrets wherever they turn up."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets: set[bytes] = set()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        self._secrets.add(secret.encode())

    def redact(self, line: bytes) -> bytes:
        for secret in self._secrets:
            if secret in line:
                line = line.replace(secret, b"[redacted]")
        return line


def find_credential(paths: Paths, environ: Mapping[str, str] | None = None) -> Credential:
    """From the environment, else what `ctui setup` stored.

    Raises:
        LoginRequired: there is none.
    """
    environ = os.environ if environ is None else environ
    found = Credential.from_environment(environ) or stored_credential(paths)
    if found is None:
        raise LoginRequired("Claude Code has no login here", hint="run `ctui setup`")
    return found


def stored_credential(paths: Paths) -> Credential | None:
    """What `store_credential` stored, if anything."""
    text = _keyring("get_password", _SERVICE, _account(paths)) or _read(_file(paths))
    if not text:
        return None
    name, _, value = text.partition(":")
    return next((Credential(kind, value) for kind in VARIABLES if kind == name and value), None)


def store_credential(paths: Paths, credential: Credential) -> str:
    """Keep it, and return where, as words for the person."""
    text = f"{credential.kind}:{credential.value}"
    account = _account(paths)
    _keyring("set_password", _SERVICE, account, text)
    if _keyring("get_password", _SERVICE, account) == text:
        _file(paths).unlink(missing_ok=True)
        return "the platform's keyring"
    private_folder(paths.config)
    path = _file(paths)
    try:
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}") from error
    return f"{path} (mode 0600: no keyring works here)"


def forget_credential(paths: Paths) -> None:
    """Remove it from wherever it is."""
    _keyring("delete_password", _SERVICE, _account(paths))
    _file(paths).unlink(missing_ok=True)


def _account(paths: Paths) -> str:
    # A demo or a test with folders of its own must not find, or overwrite, the person's login.
    return _ACCOUNT if not os.environ.get("CTUI_HOME") else f"{_ACCOUNT}-{paths.instance}"


def _file(paths: Paths) -> Path:
    return paths.config / "credential"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _keyring(call: str, *arguments: str) -> Any:
    """Ask the keyring, or give up: a locked keyring without a screen waits for ever."""
    import keyring
    from keyring.errors import KeyringError

    if not getattr(keyring.get_keyring(), "priority", 0) > 0:
        return None
    pool = ThreadPoolExecutor(1, thread_name_prefix="keyring")
    try:
        return pool.submit(getattr(keyring, call), *arguments).result(_KEYRING_SECONDS)
    except (KeyringError, FutureTimeout, RuntimeError, OSError):
        return None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
