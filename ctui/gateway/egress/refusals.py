"""Refusals as a program in a task reads them: one line that says why, and what helps."""

from __future__ import annotations

from ctui.gateway.egress.names import Target
from ctui.gateway.egress.policy import WEB, Verdict

ALERT_DENIED = b"\x15\x03\x03\x00\x02\x02\x31"
"""TLS: a fatal alert, access_denied (RFC 8446, 6)."""
ALERT_NAME = b"\x15\x03\x03\x00\x02\x02\x70"
"""TLS: a fatal alert, unrecognized_name."""
PRIVATE = "it leads to this machine or into a private network"


def line(target: Target, verdict: Verdict) -> str:
    """Return the line about a target that was refused."""
    if verdict.why == "private":
        return (
            f"ctui: {target} is refused: {PRIVATE}; the person can name it"
            " in the setting network.private"
        )
    if verdict.why == "unnamed":
        wanted = target.host if target.port in WEB else str(target)
        return f"ctui: {target} is not allowed; the person can say: ctui network allow {wanted}"
    return f"ctui: {target} is refused: {verdict.rule}; the person can look at: ctui network show"
