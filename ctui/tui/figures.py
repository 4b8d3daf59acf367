"""Numbers as a person reads them. Pure."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """A time span as short as it can be read: `4.2 s`, `3 min 05 s`, `2 h 10 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min"


def compact(number: int) -> str:
    """A count in four characters or so: `812`, `48k`, `1.2M`."""
    if number < 1000:
        return str(number)
    if number < 1_000_000:
        return f"{number / 1000:.0f}k"
    return f"{number / 1_000_000:.1f}M"


def bytes_text(size: int) -> str:
    """A size on disk: `812 B`, `48 KiB`, `1.2 GiB`."""
    value, unit = float(size), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1000:
            break
        value, unit = value / 1024, larger
    return f"{value:.0f} {unit}" if value >= 10 or unit == "B" else f"{value:.1f} {unit}"


def age(nanoseconds: int) -> str:
    """How long ago: `40 s`, `12 min`, `5 h`, `12 d`."""
    seconds = max(0, nanoseconds) // 1_000_000_000
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
