"""Meaning of an API failure, and what to do about it."""

from __future__ import annotations

import re

from ctui.text import one_line

_WIDTH = 300
_AUTHENTICATION = "Failed to authenticate. "
_LOOKED_AT = 4000
"""Characters of a failure in which its reason is looked for; the CLI's are far shorter."""

# Atomic: from the first `token` of a line on it is read once, and not from each of them.
_TOKEN_IS_BAD = re.compile(
    r"^(?>.*?\btoken\b).*\b(?:revoked|expired|invalid)\b", re.IGNORECASE | re.MULTILINE
)


def is_login_rejected(status: int | None, text: str) -> bool:
    """Return True where another login would help.

    The CLI says "Failed to authenticate" of a 403 as well, which is mostly a matter of what the
    account or its organisation may do.

    Args:
        status: the HTTP status; None where there was no answer.
        text: the CLI's; hostile.
    """
    return status == 401 or (status == 403 and bool(_TOKEN_IS_BAD.search(text[:_LOOKED_AT])))


def failure_text(status: int | None, text: str) -> str:
    """Return the CLI's text of a failure as one sanitised line that says what it is."""
    said = one_line(text.removeprefix(_AUTHENTICATION), _WIDTH)
    if status == 403 and not is_login_rejected(status, text):
        return f"the API does not permit it to this account or its organisation: {said}"
    if status == 404 and "selected model" in text:
        said = one_line(text.partition(". ")[0], _WIDTH)
        return f"{said}: choose another with `ctui run --model`"
    return said


def rejected_login(task: str, variable: str = "") -> str:
    """Return the message for a rejected login: which one counts here, and what to do.

    Args:
        task: whose login it was.
        variable: of the environment, if the login came from there: a stored one would not count.
    """
    then = f"then `ctui task resume {task}`"
    if variable:
        return (
            f"Claude rejected the login in ${variable}, which is stronger than what `ctui setup` "
            f"stores: set another or `unset {variable}`, {then}"
        )
    return f"Claude rejected the login: run `ctui setup`, {then}"
