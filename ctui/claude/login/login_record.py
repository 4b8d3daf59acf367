"""Record of the last look that found a login: times and a hash, never the secret.

A keyring may ask the person each time that somebody looks into it. So whoever has looked says so
here, and for five minutes the others know the kind and the expiry without asking.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from ctui.files import replace_file
from ctui.paths import Paths
from ctui.small_file import read_small_file

WINDOW = 300 * 1_000_000_000
"""Nanoseconds for which what was found counts."""

Place = Literal["environment", "file", "keyring", "claude"]

_LIMIT = 1 << 12


class LoginRecord(msgspec.Struct, frozen=True):
    """Kind, place and times of a login that a look found."""

    looked: int
    """Nanoseconds since the epoch, as `expires`."""
    fingerprint: str
    kind: str
    place: Place
    where: str
    """The place in words."""
    expires: int | None = None

    def counts(self, now: int) -> bool:
        """Return True while it is younger than `WINDOW` and has not expired."""
        return abs(now - self.looked) < WINDOW and (self.expires is None or now < self.expires)


def read_record(paths: Paths) -> LoginRecord | None:
    """Return the record of the last look, or None."""
    with suppress(OSError, msgspec.DecodeError, RecursionError):
        return msgspec.json.decode(read_small_file(_file(paths), _LIMIT), type=LoginRecord)
    return None


def write_record(paths: Paths, record: LoginRecord) -> None:
    """Write it for the others; where that fails, each of them looks for itself."""
    with suppress(OSError):
        replace_file(_file(paths), msgspec.json.encode(record), sync=False)


def forget_record(paths: Paths) -> None:
    """Remove the record, because the login has changed: everybody looks again.

    Raises:
        OSError: the record cannot be removed.
    """
    _file(paths).unlink(missing_ok=True)


def _file(paths: Paths) -> Path:
    return paths.state / "login.json"
