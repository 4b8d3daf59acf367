"""Note on a repository's own Claude settings, for front ends."""

from __future__ import annotations

from ctui.client.worktrees.worktrees import open_store
from ctui.errors import CtuiError
from ctui.git.repository.repository import Repository
from ctui.paths import Paths
from ctui.tasks.model import Task
from ctui.tasks.trust import settings_at, trust_state
from ctui.text import one_line


def trust_note(paths: Paths, repository: Repository, task: Task) -> str:
    """Return why settings that were trusted for good do not count in a task; empty if they do.

    Call it in a thread.
    """
    if task.options.trusted:
        return ""
    try:
        settings = settings_at(repository, task.base)
        with open_store(paths) as store:
            state = trust_state(store, task.repository, settings)
    except CtuiError as error:
        return error.message
    if state != "changed":
        return ""
    return (
        f"the Claude settings of {one_line(repository.name)} are not those that you trusted, and "
        "do not count: `ctui config trust --add` trusts them"
    )
