"""The environment of git processes, which keeps git from running anybody's programs.

Overrides travel in `GIT_CONFIG_COUNT` (git-config(1), "ENVIRONMENT"), not as `-c`: the name of a
filter may hold any character, and `-c` ends a name at the first `=`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

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


_Use = Literal["always", "network", "commit"]

PASSED: dict[str, tuple[_Use, str]] = {
    "GIT_CONFIG_GLOBAL": ("always", "where the person's own configuration is, as HOME says it"),
    "GIT_CONFIG_SYSTEM": ("always", "the same for the machine's"),
    "GIT_CONFIG_NOSYSTEM": ("always", "the same"),
    "GIT_LFS_SKIP_SMUDGE": ("always", "large files stay pointers where git-lfs would fetch them"),
    "GIT_LFS_SKIP_PUSH": ("network", "the person uploads large files in another way"),
    "GIT_SSH": ("network", "how a remote is reached"),
    "GIT_SSH_COMMAND": ("network", "how a remote is reached"),
    "GIT_SSH_VARIANT": ("network", "how a remote is reached"),
    "GIT_PROXY_COMMAND": ("network", "how a remote is reached"),
    "GIT_HTTP_PROXY_AUTHMETHOD": ("network", "how a remote is reached"),
    "GIT_HTTP_USER_AGENT": ("network", "some servers take only known ones"),
    "GIT_SSL_CAINFO": ("network", "whom git trusts at a remote"),
    "GIT_SSL_CAPATH": ("network", "whom git trusts at a remote"),
    "GIT_SSL_CERT": ("network", "who the person is at a remote"),
    "GIT_SSL_KEY": ("network", "who the person is at a remote"),
    "GIT_SSL_NO_VERIFY": ("network", "the person's own decision about their remote"),
    "GIT_AUTHOR_NAME": ("commit", "who commits"),
    "GIT_AUTHOR_EMAIL": ("commit", "who commits"),
    "GIT_COMMITTER_NAME": ("commit", "who commits"),
    "GIT_COMMITTER_EMAIL": ("commit", "who commits"),
}
"""Variables of the person's that count, for which git processes, and why.

`GIT_CONFIG_COUNT` with its keys and values counts as well, before the overrides, which win.
"""

WITHHELD = {
    "GIT_DIR": "another repository would be written",
    "GIT_COMMON_DIR": "the same",
    "GIT_WORK_TREE": "other files would be written",
    "GIT_INDEX_FILE": "another index would be written",
    "GIT_OBJECT_DIRECTORY": "objects would be written elsewhere",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES": "commits would need objects that are not there later",
    "GIT_QUARANTINE_PATH": "the same",
    "GIT_NAMESPACE": "other refs would be written",
    "GIT_REF_STORAGE_FORMAT": "the same",
    "GIT_SHALLOW_FILE": "histories would end elsewhere, and proofs with them",
    "GIT_GRAFT_FILE": "the same",
    "GIT_REPLACE_REF_BASE": "other objects would be read than are there",
    "GIT_NO_REPLACE_OBJECTS": "the same",
    "GIT_ATTR_SOURCE": "other attributes would count than those of the files",
    "GIT_CONFIG": "`git config` would write another file",
    "GIT_CONFIG_PARAMETERS": "stronger than ctui's overrides, which keep programs from running",
    "GIT_EXEC_PATH": "git's own programs; of another git where ctui is started by an alias or hook",
    "GIT_TEMPLATE_DIR": "hooks for new repositories",
    "GIT_EXTERNAL_DIFF": "a program that would see a task's files",
    "GIT_EDITOR": "nobody is there to edit",
    "GIT_SEQUENCE_EDITOR": "the same",
    "GIT_PAGER": "nobody reads it",
    "GIT_ASKPASS": "opens a window; nothing is asked",
    "GIT_TERMINAL_PROMPT": "nothing is asked",
    "GIT_ALLOW_PROTOCOL": "would allow `ext`, whose addresses are commands, or forbid imports",
    "GIT_PROTOCOL_FROM_USER": "the same",
    "GIT_LITERAL_PATHSPECS": "paths would mean something else",
    "GIT_GLOB_PATHSPECS": "the same",
    "GIT_NOGLOB_PATHSPECS": "the same",
    "GIT_ICASE_PATHSPECS": "the same",
    "GIT_CEILING_DIRECTORIES": "nothing is searched for",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM": "the same",
    "GIT_PREFIX": "of the command that ctui was started by",
    "GIT_REFLOG_ACTION": "the same",
    "GIT_DEFAULT_HASH": "a format that ctui cannot read",
    "GIT_DEFAULT_REF_FORMAT": "the same",
    "GIT_AUTHOR_DATE": "commits of ctui are made now",
    "GIT_COMMITTER_DATE": "the same",
    "GIT_OPTIONAL_LOCKS": "a poll never locks",
    "GIT_NO_LAZY_FETCH": "ctui says when something is fetched",
    "GIT_TRACE": "writes between what is read, or into a file",
}
"""Variables of git that do not count, and why; no other GIT_… does either."""

_MOST_PAIRS = 200


def passed(environ: Mapping[str, str], use: _Use) -> dict[str, str]:
    """Return the person's variables that count for a use."""
    return {
        name: environ[name] for name, (of, _) in PASSED.items() if of == use and environ.get(name)
    }


def pairs_of(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the settings in `GIT_CONFIG_COUNT` and its keys and values (git-config(1))."""
    try:
        count = min(int(environ.get("GIT_CONFIG_COUNT", "")), _MOST_PAIRS)
    except ValueError:
        return []
    pairs = []
    for number in range(count):
        key, value = (environ.get(f"GIT_CONFIG_{part}_{number}") for part in ("KEY", "VALUE"))
        if key and value is not None:
            pairs.append((key, value))
    return pairs


def git_environment(
    environ: Mapping[str, str], overrides: Mapping[str, str], extra: Mapping[str, str]
) -> dict[str, str]:
    """Return the person's environment without what steers git, and with the overrides.

    Args:
        environ: the person's; see `caller`.
        overrides: settings, which are stronger than any other.
        extra: variables for this process; with a `GIT_CONFIG_GLOBAL` no setting of the person's
            counts.
    """
    env = {name: value for name, value in environ.items() if not name.startswith("GIT_")}
    env.update(_ENVIRONMENT)
    env.update(passed(environ, "always"))
    own = [] if "GIT_CONFIG_GLOBAL" in extra else pairs_of(environ)
    settings = [
        *own,
        # Git reports an error for an empty `required`, but not for an empty command.
        *((key, "false" if key.endswith(".required") else v) for key, v in overrides.items()),
    ]
    env["GIT_CONFIG_COUNT"] = str(len(settings))
    for number, (key, value) in enumerate(settings):
        env[f"GIT_CONFIG_KEY_{number}"] = key
        env[f"GIT_CONFIG_VALUE_{number}"] = value
    env.update(extra)
    return env
