"""Environment in which git reaches a remote as the person's own would, but asks nothing."""

from __future__ import annotations

from ctui.git.process.caller import environ
from ctui.git.process.command import run_git
from ctui.git.process.environment import passed
from ctui.git.repository.repository import Repository


async def remote_environment(repository: Repository) -> dict[str, str]:
    """Return the variables for a git process that talks to a remote of the repository."""
    found = passed(environ(), "network")
    configured = await run_git(
        ["config", "--get", "--", "core.sshCommand"], git_dir=repository.common_dir, check=False
    )
    if not configured.stdout.strip() and not found.keys() & {"GIT_SSH", "GIT_SSH_COMMAND"}:
        found["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes"
    # A person's own ssh command must not open a window for a question either.
    found["SSH_ASKPASS_REQUIRE"] = "never"
    return found
