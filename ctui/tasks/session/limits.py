"""Reset times of usage limits, from an event of the CLI or the text of a failed turn."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_STAMP = re.compile(r"limit[^|]{0,80}\|(\d{10})\b", re.IGNORECASE)
"""`Claude AI usage limit reached|1767225600`: seconds since the epoch."""
_CLOCK = re.compile(
    r"\bresets?\s+(?:at\s+)?(\d{1,2})(?::(\d{2}))?\s*(am|pm)?(?:\s*\(([\w+/-]{1,40})\))?",
    re.IGNORECASE,
)
"""`You've hit your limit · resets 3pm (Europe/Berlin)`."""
_LONGEST = 8 * 24 * 3600
"""Seconds; a weekly limit is the longest that there is."""
_LOOKED_AT = 4000
"""Characters of a failed turn's text in which the time is looked for; the CLI's are far shorter."""
_NANOSECONDS = 1_000_000_000
_PAUSE = 60
"""Seconds until another try where the reset should have been already: no loop of rejected calls."""


def reset_time(text: str, now: int, *, stamp: int = 0) -> int | None:
    """Return when the limit is reset that ended a turn, or None if that is not said.

    Args:
        text: of the failed turn; hostile.
        now: nanoseconds since the epoch, as the result is.
        stamp: seconds since the epoch, as an event of the CLI said it; 0 for none. Hostile.
    """
    here = now // _NANOSECONDS
    text = text[:_LOOKED_AT]
    if stamp:
        seconds = stamp
    elif found := _STAMP.search(text):
        seconds = int(found.group(1))
    elif "limit" in text.lower() and (found := _CLOCK.search(text)):
        hour, minute = int(found.group(1)), int(found.group(2) or 0)
        seconds = _next(hour, minute, (found.group(3) or "").lower(), found.group(4), here)
    else:
        return None
    if not -_LONGEST < seconds - here < _LONGEST:
        return None
    return (seconds if seconds > here else here + _PAUSE) * _NANOSECONDS


def _next(hour: int, minute: int, half: str, zone: str | None, now: int) -> int:
    """Return the next moment with that time of day, in seconds since the epoch; 0 for none."""
    from zoneinfo import ZoneInfo

    if half and hour > 12:
        return 0
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    if hour > 23 or minute > 59:
        return 0
    try:
        place = ZoneInfo(zone) if zone else UTC
    except (ValueError, OSError, KeyError):
        place = UTC
    here = datetime.fromtimestamp(now, place)
    then = here.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if then + timedelta(minutes=1) <= here:  # the CLI leaves out the seconds
        then += timedelta(days=1)
    return int(then.timestamp())
