"""A sealed run: its access to the gateway, and the variables that lead a program there. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from ctui.claude.login.credentials import Kind
from ctui.claude.login.platform import Platform
from ctui.claude.mcp.mcp_server import McpServer
from ctui.config import Config
from ctui.errors import InvalidInput
from ctui.gateway.egress.names import host_of
from ctui.gateway.egress.policy import Policy, PrivateHost, Rule
from ctui.gateway.model import Access, Login, LoginKind
from ctui.sandbox.proxies import GATEWAY, gateway_proxies
from ctui.sandbox.services import Service
from ctui.sandbox.spec import GATEWAY_FOLDER, Mount
from ctui.tasks.host_rules import HostRule
from ctui.tasks.model import Task, TaskOptions
from ctui.tasks.network.rules import checked_host, policy_of

if TYPE_CHECKING:
    from ctui.tasks.mailbox.ports import Account

SEALED = "gateway"
"""The network of a sealed run, as its facts name it."""
UNSEALED: Final = "unsealed"
"""The choice of a task that is on the engine's network, with its login inside."""

PLACEHOLDER = "ctui-has-the-login"
"""In the login's place: the CLI wants one, and a constant is worth nothing to anybody."""

_API_HOST = "api.anthropic.com"
_PORTS = {"http": 80, "https": 443}
_KINDS: Mapping[Kind, LoginKind] = {
    "api-key": "api-key",
    "auth-token": "bearer",
    "oauth": "oauth",
}


class SealedRun(NamedTuple):
    """All that a run has of the network."""

    access: Access
    login: Login | None
    """None where it is not known: the gateway may know it still."""

    @property
    def taken_over(self) -> SealedRun:
        """Return it as of an earlier driver, whose login counts for as long as it is known."""
        if self.login is None:
            return self
        return self._replace(login=msgspec.structs.replace(self.login, spare=True))

    @property
    def mount(self) -> Mount:
        """Return the folder of its sockets; a read-only one can be connected to."""
        return Mount(self.access.folder, GATEWAY_FOLDER, read_only=True)


def is_sealed(task: Task) -> bool:
    """Return True if the task's runs have no network but the gateway."""
    return seals(task.options)


def seals(options: TaskOptions) -> bool:
    """Return True if a task with these options has no network but the gateway."""
    return options.network not in {"", UNSEALED}


def task_policy(task: Task, config: Config, rules: Iterable[HostRule]) -> Policy:
    """Return what a task reaches: its mode was chosen with it, the rules are those of now.

    The servers of MCP that the person gave it are named by that, wherever they are; those that a
    program gave only where their addresses are public.

    Raises:
        InvalidInput: a rule names no host.
    """
    chosen = msgspec.structs.replace(config.network, mode=task.options.network)
    policy = policy_of(msgspec.structs.replace(config, network=chosen), rules)
    servers, by_program = task.options.mcp_servers, task.options.program_servers
    own = [checked_host(text, origin="task") for text in task.options.allow_hosts]
    own += [Rule(one.host, (one.port,), "task") for one in server_hosts(servers)]
    persons = {name: server for name, server in servers.items() if name not in by_program}
    return msgspec.structs.replace(
        policy,
        allow=(*policy.allow, *own),
        private=(*policy.private, *server_hosts(persons)),
    )


def server_hosts(servers: Mapping[str, McpServer]) -> Iterator[PrivateHost]:
    """Yield the hosts of MCP servers; one with a reference in its place is none."""
    for server in servers.values():
        with suppress(ValueError):
            url = urlsplit(server.url)
            if url.hostname and (port := url.port or _PORTS.get(url.scheme)):
                yield PrivateHost(host_of(url.hostname), port)


def access_of(
    task: str, number: int, policy: Policy, folder: Path, budget: float | None = None
) -> Access:
    """Return a run's access to the gateway; `folder` is where all accesses have theirs."""
    run = f"{task}/{number}"
    return Access(
        run=run,
        task=task,
        label=label_of(task),
        folder=str(folder / folder_name(task, number)),
        egress=policy,
        login=task,
        budget=budget,
    )


def folder_name(task: str, number: int) -> str:
    """Return the name of a run's folder of sockets: short, because a socket's path must be."""
    return hashlib.sha256(f"{task}/{number}".encode()).hexdigest()[:12]


def login_of(task: Task, account: Account | None, config: Config) -> Login | None:
    """Return the login of a task's calls as the gateway needs it."""
    if account is None:
        return None
    credential, platform = account.credential, task.options.platform
    login = Login(
        task.id, _KINDS[credential.kind], credential.value, account.base_url, account.headers
    )
    if platform is None or platform.name == "foundry":  # which speaks as Claude's own API does
        return login
    chosen = (task.options.model or config.claude.model, *platform.models)
    # The CLI asks for a larger window by an ending that is no part of the name.
    models = tuple(name.removesuffix("[1m]") for name in chosen if name)
    region = platform.environment["AWS_REGION"] if credential.signs else ""
    return msgspec.structs.replace(
        login, kind=platform.name, place=platform.path, region=region, models=models
    )


def label_of(task_id: str) -> str:
    """Return the DNS label of a task (RFC 1035, 2.3.1): its id, or one that is as unique."""
    label = "".join(letter if letter.isalnum() else "-" for letter in task_id.lower()).strip("-")
    if label == task_id and len(label) <= 40 and label.isascii():
        return label
    plain = "".join(letter for letter in label[:30] if letter.isascii()).strip("-")
    return f"{plain or 'task'}-{hashlib.sha256(task_id.encode()).hexdigest()[:8]}"


def refuse_owned(names: Iterable[str]) -> None:
    """Refuse variables that lead to the gateway, and would lead past it to nothing.

    Raises:
        InvalidInput: with the first of them.
    """
    if owned := sorted(sealed_environment(None).keys() & set(names)):
        raise InvalidInput(
            f"{owned[0]} is ctui's own in a task behind the gateway",
            hint="leave it out: the gateway uses your proxies (docs/network.md)",
        )


def sealed_environment(
    login: Login | None, beside: Iterable[Service] = (), platform: Platform | None = None
) -> dict[str, str]:
    """Return the variables of a sealed run, none of them a secret.

    Args:
        login: of its calls.
        beside: its services.
        platform: whose shape its calls have; None is the API's own.

    By the socket and its own address the CLI behaves as without a gateway: the same window, tools
    and models. The socket's variable is not documented, and is pinned with the CLI.
    """
    # The CLI would send its calls to a proxy, and not to the socket.
    direct = [platform.host if platform else _API_HOST, *(one.name for one in beside)]
    return {
        **gateway_proxies(direct),
        "BROWSER_PROXY": GATEWAY,
        "NODE_USE_ENV_PROXY": "1",  # Node.js has its own fetch, which reads it from 24 on
        "ANTHROPIC_UNIX_SOCKET": f"{GATEWAY_FOLDER}/api.sock",
        **(platform.environment if platform else _own_api(login)),
    }


def _own_api(login: Login | None) -> dict[str, str]:
    return {
        "ANTHROPIC_BASE_URL": f"http://{_API_HOST}",
        "ANTHROPIC_AUTH_TOKEN": PLACEHOLDER,
        # With a subscription the CLI asks for it by itself, which it cannot see here.
        **({"ENABLE_PROMPT_CACHING_1H": "1"} if login and login.kind == "oauth" else {}),
    }
