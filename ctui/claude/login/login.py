"""Finding the login that counts, and asking for it once however many want it.

In this order: the environment, in the CLI's own order of variables; what `ctui setup` stored (the
0600 file, then the keyring); Claude Code's own login on this machine.

A keyring or keychain may ask the person. So one looks at a time: threads of this process take what
it found, for five minutes or until somebody stores another login; other processes wait for their
turn, and those that want no more than the kind and the expiry take it from the record.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from ctui.claude.login.credentials import Credential, Kind, fingerprint, stored_credential
from ctui.claude.login.login_record import LoginRecord, Place, read_record, write_record
from ctui.claude.login.platform_login import platform_login
from ctui.errors import CtuiError, LoginRequired, Unavailable
from ctui.file_lock import FileLock
from ctui.paths import Paths, private_folder

_TURN_SECONDS = 60.0
_KINDS: Mapping[str, str] = {
    "api-key": "API key",
    "auth-token": "bearer token",
    "oauth": "Claude token",
}


class FoundLogin(NamedTuple):
    """A login, and the record of what may be said of it."""

    credential: Credential
    record: LoginRecord


class LoginSearch:
    """Search for the login of one set of folders. Its methods may be called from any thread."""

    def __init__(self, paths: Paths, environ: Mapping[str, str] | None = None) -> None:
        self._paths = paths
        self._environ = os.environ if environ is None else environ
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._found: FoundLogin | None = None
        self._error: CtuiError | None = None

    def find(self, *, but: str = "") -> Credential:
        """Return the login that counts here.

        Args:
            but: a secret that was rejected: another one is looked for, though it may be the same.

        Raises:
            LoginRequired: there is none, or it has expired.
            InvalidInput: a variable of the environment holds no token.
        """
        return Credential.from_environment(self._environ) or self.kept(but=but)

    def kept(self, *, but: str = "") -> Credential:
        """Return the login that counts whatever the environment says. As `find`."""
        came = time.monotonic()
        with self._lock:
            if self._looked <= came and not self._still_counts(but):
                self._look()
            # Else somebody looked while we waited: what was found is the answer for us too.
            if self._found is None:
                error = self._error or LoginRequired("Claude Code has no login here")
                raise LoginRequired(error.message, hint=error.hint)
            return self._found.credential

    def state(self) -> LoginRecord:
        """Return kind, place and expiry of the login that counts; ask nobody if they are known.

        Raises:
            LoginRequired, InvalidInput: as for `find`.
        """
        if found := Credential.from_environment(self._environ):
            (variable,) = found.environment()
            return _record(found, "environment", variable)
        if (known := self._known()) is not None:
            return known
        with _one_at_a_time(self._paths):
            return self._known() or _search(self._paths, self._environ).record

    def _known(self) -> LoginRecord | None:
        record = read_record(self._paths)
        # A file can be looked at again without asking anybody.
        known = record is not None and record.place != "file" and record.counts(time.time_ns())
        return record if known else None

    def _still_counts(self, but: str) -> bool:
        found, record = self._found, read_record(self._paths)
        return (
            found is not None
            and record is not None
            and found.credential.value != but
            and found.record.fingerprint == record.fingerprint
            and found.record.counts(time.time_ns())
        )

    def _look(self) -> None:
        self._found = self._error = None
        try:
            with _one_at_a_time(self._paths):
                self._found = _search(self._paths, self._environ)
        except CtuiError as error:
            self._error = error
        self._looked = time.monotonic()


def describe(record: LoginRecord) -> str:
    """Return a login in words: `Claude token from the keyring, expires in 6 h`."""
    text = f"{_KINDS.get(record.kind, record.kind)} from {record.where}"
    left = time_left(record)
    return f"{text}, expires in {left}" if left else text


def time_left(record: LoginRecord) -> str:
    """Return for how long a login can still be used: `6 h`, `40 min`; "" if that is not known."""
    if record.expires is None:
        return ""
    minutes = max(0, record.expires - time.time_ns()) // (60 * 1_000_000_000)
    if minutes >= 48 * 60:
        return f"{minutes // (24 * 60)} d"
    return f"{minutes // 60} h" if minutes >= 60 else f"{minutes} min"


def _search(paths: Paths, environ: Mapping[str, str]) -> FoundLogin:
    """Look everywhere but into the environment, and record what was found for the others."""
    problems: list[str] = []
    found = _stored(paths, problems) or _platform(environ, problems)
    if found is None:
        reason = "".join(f"; {problem}" for problem in problems)
        raise LoginRequired(f"Claude Code has no login here{reason}", hint="run `ctui setup`")
    write_record(paths, found.record)
    return found


def _stored(paths: Paths, problems: list[str]) -> FoundLogin | None:
    try:
        stored = stored_credential(paths)
    except Unavailable as error:
        problems.append(error.message)
        return None
    if stored is None:
        return None
    where = "the keyring" if stored.place == "keyring" else f"{paths.config}/credential"
    return FoundLogin(stored.credential, _record(stored.credential, stored.place, where))


def _platform(environ: Mapping[str, str], problems: list[str]) -> FoundLogin | None:
    try:
        login = platform_login(environ)
    except LoginRequired as error:
        reason = "".join(f"; {problem}" for problem in problems)
        raise LoginRequired(f"{error.message}{reason}", hint=error.hint) from error
    except Unavailable as error:
        problems.append(error.message)
        return None
    if login is None:
        return None
    record = _record(login.credential, "claude", f"Claude Code ({login.where})", login.expires)
    return FoundLogin(login.credential, record)


def _record(
    credential: Credential, place: Place, where: str, expires: int | None = None
) -> LoginRecord:
    kind: Kind = credential.kind
    secret = fingerprint(credential.value)
    return LoginRecord(time.time_ns(), secret, kind, place, where, expires)


@contextmanager
def _one_at_a_time(paths: Paths) -> Iterator[None]:
    lock = FileLock(private_folder(paths.state) / "login.lock")
    try:
        held = lock.acquire(_TURN_SECONDS)
    except OSError as error:
        raise Unavailable(f"{lock.path} cannot be used: {error.strerror}") from error
    if not held:
        raise LoginRequired(
            "another ctui has been asking for the login for a minute",
            hint="answer what your keyring asks, then try again",
        )
    with lock:
        yield
