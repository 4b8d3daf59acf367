"""The person's time zone and language, which a task shares."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

_LOCALTIME = Path("/etc/localtime")
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?(\.[A-Za-z0-9-]{1,16})?(@[a-z]{1,16})?")


def surroundings(environ: Mapping[str, str], localtime: Path = _LOCALTIME) -> dict[str, str]:
    """Return the variables of a task that say where the person is.

    Args:
        environ: the person's.
        localtime: links to the zone of a machine whose environment does not name one.
    """
    return {**_zone(environ, localtime), **_language(environ)}


def _zone(environ: Mapping[str, str], localtime: Path) -> dict[str, str]:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    name = environ.get("TZ", "").removeprefix(":")
    if not name and localtime.is_symlink():
        name = str(localtime.readlink())
    _, found, below = name.partition("zoneinfo/")
    name = below if found else name
    try:
        ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return {}
    return {"TZ": name}


def _language(environ: Mapping[str, str]) -> dict[str, str]:
    name = environ.get("LC_ALL") or environ.get("LANG", "")
    if not _LANGUAGE.fullmatch(name):
        return {}
    # An image seldom has the person's locale. Text is UTF-8 without it, and Perl need not complain.
    return {"LANG": name, "LC_CTYPE": "C.UTF-8", "PERL_BADLANG": "0"}
