"""Variables of a task's next run: its own, its secrets, and those of its environment."""

from __future__ import annotations

from ctui.config.variables import Layer, task_environment
from ctui.errors import Unavailable
from ctui.tasks.mailbox.ports import Account, Services
from ctui.tasks.model import Task
from ctui.tasks.network.sealed import is_sealed, refuse_owned


def given_environment(
    services: Services, task: Task, account: Account | None, *environment: Layer
) -> dict[str, str]:
    """Return the variables that a run gets in the relay's first line.

    Args:
        services: the store has the values.
        task: whose run.
        account: with the values of its secrets.
        environment: of the repository's environment, the strongest first.

    Raises:
        Unavailable: the values are lost.
        InvalidInput: a variable of the environment cannot be set by a repository, or one is the
            gateway's.
    """
    values = services.store.variables.of(task.id)
    if lost := [name for name in task.options.env if name not in values]:
        raise Unavailable(
            f"the values of its variables were lost with the store: {', '.join(lost)}",
            hint="start a task anew on its worktree, with --env",
        )
    secrets = account.secrets if account is not None else {}
    own = Layer("the task's variables", {**values, **secrets}, by="person")
    given = task_environment([own, *environment])
    if is_sealed(task):
        refuse_owned(given)
    return given
