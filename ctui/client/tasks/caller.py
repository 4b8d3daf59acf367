"""Login and settings of the caller, which travel with a command."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import msgspec

from ctui.claude.login.credentials import Credential
from ctui.claude.login.platform_credentials import CREDENTIALS
from ctui.claude.mcp.mcp_servers import variables_of
from ctui.client.base_url import check_base_url
from ctui.client.worktrees import worktrees
from ctui.config import Config, load_config
from ctui.errors import CtuiError
from ctui.gateway.custom_headers import CUSTOM_HEADERS, custom_headers
from ctui.git.process.caller import shell_of
from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from ctui.sandbox.docker.certificates import ca_file
from ctui.tasks.calls import Login, ResumeTask, SendMessage
from ctui.tasks.model import Task, TaskOptions
from ctui.tasks.network.sealed import seals
from ctui.tasks.secrets.registry import environment_names
from ctui.worktrees.layout import settings_folder


def login(paths: Paths, options: TaskOptions | None = None) -> Login:
    """Return the login that counts here, for the driver, whose shell may have another one.

    With a task's options also the variables that its MCP servers and secrets refer to.

    Raises:
        InvalidInput: it would be sent into the sandbox itself, or a further header is none.
    """
    check_base_url(paths, unsealed=options is not None and not seals(options))
    # A login that was named is the driver's to look for: no other may take its place.
    chosen = options is not None and options.login
    platform = options.platform if options is not None else None
    found = None if chosen or platform else Credential.from_environment(os.environ)
    custom_headers(os.environ.get(CUSTOM_HEADERS, ""))
    further = (*CREDENTIALS, CUSTOM_HEADERS) if platform else (CUSTOM_HEADERS,)
    beside = {name: os.environ[name] for name in further if os.environ.get(name)}
    names = variables_of(options.mcp_servers) if options else set()
    config = load_config(paths)
    if options:
        lent = [rule.secret for rule in config.gateway.credentials]
        names |= environment_names(paths, [*options.secrets, *lent])
    return Login(
        environment={**(found.environment() if found else {}), **beside},
        stored=found is None,
        base_url=config.claude.base_url,
        variables={name: os.environ[name] for name in names if name in os.environ},
        caller=shell_of(os.environ),
    )


def caller_settings(paths: Paths, repository: str) -> Config:
    """Return the caller's settings for a run in this repository: they travel with the command.

    Args:
        paths: the caller's.
        repository: the main repository's git directory; one that is gone says nothing.
    """
    try:
        folder = settings_folder(open_repository(Path(repository)))
    except CtuiError:
        folder = None
    return settled(load_config(paths, repository=folder))


def new_message(paths: Paths, task_id: str, text: str, message_id: str = "") -> SendMessage:
    """Return the call that tells a task something, with the caller's login and settings.

    Raises:
        CtuiError: there is no such task, or the settings are wrong.
    """
    task = _task(paths, task_id)
    return SendMessage(
        task_id,
        message_id or str(uuid.uuid4()),
        text,
        login(paths, task.options),
        caller_settings(paths, task.repository),
    )


def resumption(paths: Paths, task_id: str) -> ResumeTask:
    """Return the call that starts another run of a task; as `new_message`."""
    task = _task(paths, task_id)
    return ResumeTask(task_id, login(paths, task.options), caller_settings(paths, task.repository))


def settled(config: Config) -> Config:
    """Return the config with the CA bundle of a variable here: the driver may have another one."""
    bundle = config.image.ca_file or ca_file(os.environ)
    image = msgspec.structs.replace(config.image, ca_file=bundle)
    return msgspec.structs.replace(config, image=image)


def _task(paths: Paths, task_id: str) -> Task:
    with worktrees.open_store(paths) as store:
        return store.tasks.get(task_id)
