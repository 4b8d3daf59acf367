"""The environment of the person whom a git process works for.

A front end works in the person's own. The driver was started from some shell of theirs, perhaps
days ago: so each command brings what git needs of the shell that it was given in, and the driver's
git processes for a task use what the last one brought. It can hold secrets: a proxy's password.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from ctui.git.process.environment import PASSED, pairs_of

TRAVELS = {
    "PATH": "which git, git-lfs and ssh there are",
    "HOME": "whose configuration git reads",
    "XDG_CONFIG_HOME": "the same",
    "EMAIL": "who commits, where nothing else says it",
    "SSH_AUTH_SOCK": "the agent with the person's keys",
    "GNUPGHOME": "the person's other keys",
    "SSL_CERT_FILE": "whom git trusts",
    "SSL_CERT_DIR": "the same",
    **dict.fromkeys(
        (
            *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
            *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
        ),
        "the way to the network",
    ),
}
"""Variables beside those of `PASSED` that come from the command's shell, and what they are for."""

_shell: ContextVar[Mapping[str, str] | None] = ContextVar("shell", default=None)


def shell_of(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what travels with a command that is given in this environment."""
    names = [*TRAVELS, *PASSED]
    found = {name: environ[name] for name in names if name in environ}
    for number, (key, value) in enumerate(pairs := pairs_of(environ)):
        found |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return {**found, "GIT_CONFIG_COUNT": str(len(pairs))} if pairs else found


@contextmanager
def working_for(shell: Mapping[str, str]) -> Iterator[None]:
    """Let git processes that are started within have what a command brought.

    Args:
        shell: by `shell_of`; an empty one, which no command brings, changes nothing.
    """
    token = _shell.set(shell)
    try:
        yield
    finally:
        _shell.reset(token)


def environ() -> dict[str, str]:
    """Return the environment of the person whom git works for now."""
    return merged(_shell.get() or {})


def path() -> str | None:
    """Return the path that a command brought, or None for this process's own."""
    return (_shell.get() or {}).get("PATH")


def merged(shell: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with what a command brought instead of its own."""
    if not shell:
        return dict(os.environ)
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in TRAVELS and not name.startswith("GIT_")
    }
    # From a socket: whatever it sends, no other variable is set by it.
    allowed = {*TRAVELS, *PASSED, "GIT_CONFIG_COUNT"}
    brought = {
        name: value
        for name, value in shell.items()
        if name in allowed or name.startswith(("GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_"))
    }
    return kept | brought
