"""The environment of git processes, which keeps git from running anybody's programs.

Overrides travel in `GIT_CONFIG_COUNT` (git-config(1), "ENVIRONMENT"), not as `-c`: the name of a
filter may hold any character, and `-c` ends a name at the first `=`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

OVERRIDES = {
    "core.fsmonitor": "false",
    "core.hooksPath": "/dev/null",
    "core.pager": "cat",
    "core.askPass": "",
    "core.alternateRefsCommand": "",
    "protocol.ext.allow": "never",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "log.showSignature": "false",
    "color.ui": "false",
    # Checks of a worktree compare its link files with what they were written as.
    "worktree.useRelativePaths": "false",
}
"""Settings that switch off what git would run, and what would change its output."""

_ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "LANGUAGE": "",
    # A poll must never hold index.lock while the person's own `git add` wants it.
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_EDITOR": ":",
}


def git_environment(
    overrides: Mapping[str, str], extra: Iterable[tuple[str, str]]
) -> dict[str, str]:
    """Return this process's environment without what steers git, and with the overrides."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env.update(_ENVIRONMENT)
    env["GIT_CONFIG_COUNT"] = str(len(overrides))
    for number, (name, value) in enumerate(overrides.items()):
        env[f"GIT_CONFIG_KEY_{number}"] = name
        # Git reports an error for an empty `required`, but not for an empty command.
        env[f"GIT_CONFIG_VALUE_{number}"] = "false" if name.endswith(".required") else value
    env.update(extra)
    return env
