"""The names of all commands, for whoever must know them without loading anything."""

from __future__ import annotations

from collections.abc import Mapping

COMMANDS: Mapping[str, tuple[str, str]] = {
    "clean": ("ctui.cli.engine.clean", "Remove everything that nobody needs any more."),
    "completion": ("ctui.cli.completion", "Print the completion of bash, zsh or fish."),
    "config": ("ctui.cli.config.config", "Show, check, edit and import settings; list grants."),
    "demo": ("ctui.cli.demo", "Try everything with a scripted model, without an account."),
    "doctor": ("ctui.cli.engine.doctor", "Check what ctui needs, and say how to mend it."),
    "env": ("ctui.cli.engine.env", "Show, build and remove the environments of a repository."),
    "image": (
        "ctui.cli.engine.image",
        "Build the image that tasks run in, list and remove old ones.",
    ),
    "network": ("ctui.cli.network", "Show and change which hosts tasks reach."),
    "login": ("ctui.cli.login", "Store a login, also others by name; list and remove them."),
    "run": ("ctui.cli.task.run", "Start a task and follow it to the end of its turn."),
    "secret": ("ctui.cli.secret", "Name secrets for tasks, and where their values are."),
    "serve": ("ctui.cli.serve", "Serve tasks and the dashboard over HTTP, behind a token."),
    "setup": ("ctui.cli.engine.setup", "Log in, build the image, make what tasks share."),
    "ssh-config": (
        "ctui.cli.task.ssh_config",
        "Let ssh, sftp and remote editors into tasks, without a port.",
    ),
    "task": ("ctui.cli.task.task", "List, follow, answer, stop and remove tasks."),
    "top": ("ctui.cli.task.top", "Show what tasks take: processors, memory, processes, disk."),
    "uninstall": ("ctui.cli.engine.uninstall", "Show all that ctui has here, and take it away."),
    "volume": ("ctui.cli.engine.volume", "List, make and remove the volumes of tasks."),
    "worktree": (
        "ctui.cli.worktree.worktree",
        "Create, list, review, land, remove, restore worktrees (wt).",
    ),
    "wt": ("ctui.cli.worktree.worktree", "The same as worktree."),
}
