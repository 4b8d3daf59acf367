"""Numbers and times, formatted for people."""

from __future__ import annotations

import time


def duration(seconds: float) -> str:
    """Return a time span in its two largest units: `4.2 s`, `3 min 05 s`, `2 h 10 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min"


def compact(number: int) -> str:
    """Return a count in about four characters: `812`, `48k`, `1.2M`."""
    if number < 1000:
        return str(number)
    if number < 1_000_000:
        return f"{number / 1000:.0f}k"
    return f"{number / 1_000_000:.1f}M"


def size_text(size: int | None) -> str:
    """Return a number of bytes as `812 B`, `48 KiB` or `1.2 GiB`, and an unknown one as `-`."""
    if size is None:
        return "-"
    value, unit = float(size), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1000:
            break
        value, unit = value / 1024, larger
    return f"{value:.0f} {unit}" if value >= 10 or unit == "B" else f"{value:.1f} {unit}"


def age(since: int, now: int | None = None) -> str:
    """Return the time since then in one unit: `40 s`, `12 min`, `5 h`, `12 d`.

    Args:
        since: in nanoseconds since the epoch; what lies ahead is `0 s` old.
        now: the same, if it is not the present.
    """
    seconds = max(0, (time.time_ns() if now is None else now) - since) // 1_000_000_000
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def short_age(since: int, now: int) -> str:
    """Return the same in at most four cells: `41s`, `12m`, `5h`, `12d`, `40w`."""
    seconds = max(0, now - since) // 1_000_000_000
    for unit, length in (("w", 100 * 86_400), ("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // (7 * 86_400 if unit == 'w' else length)}{unit}"
    return f"{seconds}s"


def lines_text(added: int | None, removed: int | None) -> str:
    """Return lines as `+12 -3`, without what is none; "" if nothing is known."""
    parts = (f"+{added}" if added else "", f"-{removed}" if removed else "")
    return " ".join(part for part in parts if part)
