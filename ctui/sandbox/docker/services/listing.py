"""The services of a task that are on the engine, looked up without the SDK: a person waits."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from ctui.sandbox.docker.docker_commands import call
from ctui.sandbox.docker.endpoint import Endpoint
from ctui.sandbox.spec import HOLDER, LABEL_INSTANCE, LABEL_SERVICE, LABEL_TASK
from ctui.text import one_line


class RunningService(NamedTuple):
    """A service's container."""

    container: str
    name: str
    state: str
    """The engine's word for it, such as `running` or `exited`."""
    status: str
    """With the exit code and the time, such as `Exited (1) 2 minutes ago`."""


async def services_of(endpoint: Endpoint, instance: str, task: str) -> list[RunningService]:
    """Return the services of a task, running or not.

    Raises:
        Unavailable: the engine does not answer.
    """
    labels = [f"{LABEL_INSTANCE}={instance}", f"{LABEL_TASK}={task}", LABEL_SERVICE]
    query = {"all": "1", "filters": json.dumps({"label": labels})}
    found = await call(endpoint, "GET", "/containers/json", query=query)
    items: list[dict[str, Any]] = found if isinstance(found, list) else []
    services = []
    for item in items:
        name = (item.get("Labels") or {}).get(LABEL_SERVICE, "")
        if name and name != HOLDER:
            state, status = str(item.get("State", "")), one_line(str(item.get("Status", "")))
            services.append(RunningService(str(item.get("Id")), name, state, status))
    return services
