"""The driver's table of sealed runs, as it takes it over and changes it; the gateway is a list."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from ctui.claude.mcp.mcp_server import McpServer
from ctui.config import Config
from ctui.errors import Unavailable
from ctui.gateway.egress.names import Target
from ctui.gateway.egress.policy import decide
from ctui.gateway.model import Access, Login
from ctui.tasks.model import Run, Task, TaskOptions
from ctui.tasks.network.desk import LENT, NetworkDesk
from ctui.tasks.network.sealed import folder_name, label_of, task_policy
from ctui.tasks.store import Store


class _Gateway:
    """Every table that was pushed."""

    def __init__(self) -> None:
        self.tables: list[dict[str, Access]] = []
        self.logins: list[dict[str, Login]] = []
        self.away = False

    async def serve(
        self, accesses: Iterable[Access], logins: Iterable[Login], *, gate: int, elsewhere: str
    ) -> dict[str, str]:
        del gate, elsewhere
        if self.away:
            raise Unavailable("there is no gateway")
        self.tables.append({access.run: access for access in accesses})
        self.logins.append({login.name: login for login in logins})
        return {}

    def decide(self, question: str, *, allow: bool) -> None:
        del question, allow


@pytest.fixture
def store() -> Store:
    return Store(":memory:")


@pytest.fixture
def gateway() -> _Gateway:
    return _Gateway()


@pytest.fixture
def desk(gateway: _Gateway, store: Store, tmp_path: Path) -> NetworkDesk:
    return NetworkDesk(gateway, tmp_path / "gw", store, cast("Any", None), Config)


def _task(store: Store, name: str, *, runs: int, ended: bool, network: str = "allow") -> Task:
    options = TaskOptions(network=cast("Any", network))
    task = Task(
        id=name,
        repository="/r/.git",
        worktree=f"/{name}",
        metadata=None,
        branch=None,
        base=None,
        session="s",
        prompt="p",
        options=options,
    )
    store.tasks.add(task)
    for number in range(1, runs + 1):
        over = 5 if ended or number < runs else None
        store.runs.add(Run(task=name, number=number, container=f"{name}-{number}", ended=over))
    return task


async def test_the_first_table_has_every_run_that_lives(
    desk: NetworkDesk, gateway: _Gateway, store: Store, tmp_path: Path
) -> None:
    """Runs under way, and a sandbox that is open for a shell, of which no run is on record."""
    _task(store, "works", runs=2, ended=False)
    _task(store, "shell", runs=1, ended=True)
    _task(store, "ended", runs=1, ended=True)
    _task(store, "outside", runs=1, ended=False, network="unsealed")
    (tmp_path / "gw").mkdir(mode=0o700)
    (tmp_path / "gw" / folder_name("shell", 2)).mkdir()
    desk.take_over()
    await desk.lend("plan", "/r/.git")
    assert set(gateway.tables[0]) == {"works/2", "shell/2", f"{LENT}plan/0"}


async def test_a_task_that_is_over_reaches_nothing(
    desk: NetworkDesk, gateway: _Gateway, store: Store, tmp_path: Path
) -> None:
    task = _task(store, "works", runs=1, ended=False)
    desk.take_over()
    (tmp_path / "gw").mkdir(mode=0o700)
    place = tmp_path / "gw" / folder_name("works", 1)
    place.mkdir()
    assert task.options.network == "allow"
    await desk.close("works")
    assert gateway.tables[-1] == {}
    assert not place.exists()


async def test_a_stop_does_not_wait_for_a_gateway_that_is_away(
    desk: NetworkDesk, gateway: _Gateway, store: Store
) -> None:
    """It serves nobody then, and the next table does not have the run."""
    _task(store, "works", runs=1, ended=False)
    desk.take_over()
    gateway.away = True
    await desk.close("works")
    gateway.away = False
    await desk.lend("plan", "/r/.git")
    assert set(gateway.tables[-1]) == {f"{LENT}plan/0"}


async def test_a_lent_network_asks_nobody_and_has_no_login(
    desk: NetworkDesk, gateway: _Gateway, store: Store
) -> None:
    store.host_rules.set("a.example", "allow", 1, "/r/.git", "")
    store.host_rules.set("b.example", "allow", 1, "/other/.git", "")
    folder = await desk.lend("plan", "/r/.git")
    [access] = gateway.tables[-1].values()
    assert access.folder == str(folder)
    assert folder.stat().st_mode & 0o777 == 0o755
    assert (folder.parent.stat().st_mode & 0o777, access.egress.hold) == (0o700, 0.0)
    assert [rule.host for rule in access.egress.allow] == ["a.example"]
    assert gateway.logins[-1] == {}


@pytest.mark.parametrize(
    "name", ["tea", "Tea", "a.b", "x" * 60, "tee-ä", "-a-", "a--b", "1", "a_b"]
)
def test_a_label_is_a_dns_label_and_nobody_elses(name: str) -> None:
    label = label_of(name)
    assert 0 < len(label) <= 63
    assert label.isascii()
    assert set(label) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert label.strip("-") == label
    assert label_of(name.upper()) != label_of(name.lower()) or name.upper() == name.lower()


def test_the_servers_of_a_task_are_named_wherever_they_are(store: Store) -> None:
    """A reference in the place of a host names none, and neither does what is no address."""
    urls = ("https://mcp.example/sse", "http://192.168.1.5:8001/mcp", "${URL}", "http://[", "")
    servers = {str(n): McpServer(type="http", url=url) for n, url in enumerate(urls)}
    task = _task(store, "one", runs=0, ended=True)
    task.options = msgspec.structs.replace(task.options, mcp_servers=servers)
    policy = task_policy(task, Config(), ())
    assert [str(rule) for rule in policy.allow] == ["mcp.example:443", "192.168.1.5:8001"]
    assert decide(policy, Target("192.168.1.5", 8001)).what == "allow"
    assert decide(policy, Target("192.168.1.5", 22)).what == "refuse"


def test_the_mode_is_the_tasks_own_and_the_rules_those_of_now(store: Store) -> None:
    task = _task(store, "one", runs=0, ended=True, network="closed")
    policy = task_policy(task, Config(), store.host_rules.of("/r/.git", "one"))
    assert policy.mode == "closed"
