"""The login that Claude Code itself keeps on this machine: read, never changed.

It holds a short-lived access token and a refresh token. Only the first is taken: a refresh token
that two use is worthless to both, and a task must not be able to renew its login.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import shutil
import subprocess
import sys
import time
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from ctui.claude.login.credentials import Credential
from ctui.errors import CtuiError, LoginRequired, Unavailable
from ctui.small_file import read_small_file

_RENEW = (
    "run `claude` once on this machine, which renews it; or store a lasting token:"
    " `claude setup-token`, then `ctui setup`"
)
_PATIENCE_WITH_PERSON = 50.0
"""Seconds for the keychain's question; less than others wait for us to have asked it."""

_MARGIN = 60 * 1_000_000_000
"""Nanoseconds before its end in which a token is no use for a run that begins now."""

_LIMIT = 1 << 16
_MILLISECOND = 1_000_000
_NEVER = (1 << 63) - 1


class PlatformLogin(NamedTuple):
    """An access token, where it was, and when it ends (nanoseconds since the epoch)."""

    credential: Credential
    where: str
    expires: int | None


class _Tokens(msgspec.Struct):
    access: str = msgspec.field(name="accessToken")
    expires: int | None = msgspec.field(name="expiresAt", default=None)


class _Kept(msgspec.Struct):
    """The CLI's stored login, as far as it is read: the refresh token is not even decoded."""

    oauth: _Tokens | None = msgspec.field(name="claudeAiOauth", default=None)


def platform_login(environ: Mapping[str, str], security: str | None = None) -> PlatformLogin | None:
    """Return the login of `claude` on this machine: the keychain's on macOS, else the file's.

    Args:
        environ: its `CLAUDE_CONFIG_DIR` and `HOME` say where the file is.
        security: the program that reads the keychain; found by itself on macOS.

    Raises:
        LoginRequired: it has expired.
        Unavailable: something is there that cannot be used.
    """
    if security is None and sys.platform == "darwin":
        security = shutil.which("security")
    kept = _from_keychain(security, environ) if security else None
    where = "the keychain"
    if kept is None:
        path = _file(environ)
        where = str(path)
        kept = _from_file(path) if path else None
    return None if kept is None else _usable(kept, where)


def keychain_service(environ: Mapping[str, str]) -> str:
    """Return the name of the keychain's entry, as Claude Code 2.1.197 forms it.

    Another config folder has an entry of its own.
    """
    folder = environ.get("CLAUDE_CONFIG_DIR")
    if not folder:
        return "Claude Code-credentials"
    digest = hashlib.sha256(unicodedata.normalize("NFC", folder).encode()).hexdigest()
    return f"Claude Code-credentials-{digest[:8]}"


def _from_keychain(security: str, environ: Mapping[str, str]) -> bytes | None:
    user = environ.get("USER") or getpass.getuser()
    service = keychain_service(environ)
    try:
        done = subprocess.run(
            [security, "find-generic-password", "-a", user, "-w", "-s", service],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_PATIENCE_WITH_PERSON,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable("nobody answered the keychain's question") from None
    except OSError as error:
        raise Unavailable(f"{security} cannot be run: {error.strerror}") from error
    return done.stdout.strip() or None if done.returncode == 0 else None


def _file(environ: Mapping[str, str]) -> Path | None:
    folder = environ.get("CLAUDE_CONFIG_DIR")
    if folder:
        return Path(folder) / ".credentials.json"
    home = environ.get("HOME")
    return Path(home) / ".claude" / ".credentials.json" if home else None


def _from_file(path: Path) -> bytes | None:
    try:
        return read_small_file(path, _LIMIT, owner=os.geteuid())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise Unavailable(f"{path} cannot be used: {error.strerror}") from error


def _usable(kept: bytes, where: str) -> PlatformLogin | None:
    try:
        tokens = msgspec.json.decode(kept, type=_Kept).oauth
        if tokens is None or not tokens.access:
            return None
        credential = Credential.parse(tokens.access, "oauth")
    except (msgspec.DecodeError, RecursionError, CtuiError):
        # Not what they say: it could be a part of a token.
        raise Unavailable(f"{where} holds no login that can be read") from None
    expires = tokens.expires
    if expires is not None:
        expires = min(expires * _MILLISECOND, _NEVER)
    if expires is not None and expires - _MARGIN < time.time_ns():
        raise LoginRequired("Claude Code's own login on this machine has expired", hint=_RENEW)
    return PlatformLogin(credential, where, expires)
