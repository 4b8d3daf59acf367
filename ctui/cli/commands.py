"""The names of all commands, for whoever must know them without loading anything."""

from __future__ import annotations

from collections.abc import Mapping

COMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": ("ctui.cli.demo", "Try everything with a scripted model, without an account."),
    "doctor": ("ctui.cli.doctor", "Check what ctui needs, and say how to mend it."),
    "image": ("ctui.cli.image", "Build the image that tasks run in."),
    "run": ("ctui.cli.run", "Start a task and follow it to the end of its turn."),
    "serve": ("ctui.cli.serve", "Serve tasks over HTTP, behind a token."),
    "setup": ("ctui.cli.setup", "Store a login, and build the image."),
    "task": ("ctui.cli.task", "List, follow, answer, stop and remove tasks."),
    "worktree": ("ctui.cli.worktree", "Create, list, remove and restore worktrees."),
    "wt": ("ctui.cli.worktree", "The same as worktree."),
}
