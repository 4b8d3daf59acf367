"""The driver's side of the gateway: what builds are lent, what a next driver takes over."""

from __future__ import annotations

import asyncio
import os
import re
import stat
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ctui.claude.login import credentials as logins
from ctui.config import Config
from ctui.config.gateway_section import CredentialRule, GatewayConfig, SshRule
from ctui.config.task_sections import NetworkConfig
from ctui.errors import InvalidInput
from ctui.gateway import model as gateway
from ctui.gateway.egress.names import Target
from ctui.gateway.egress.opened.credential import Credential
from ctui.gateway.egress.policy import decide
from ctui.gateway.link import Link
from ctui.gateway.ssh.keys import SshKey
from ctui.tasks.mailbox import mail
from ctui.tasks.mailbox.ports import Account
from ctui.tasks.model import Run, Task, TaskOptions
from ctui.tasks.naming import TASK_ID
from ctui.tasks.network import desk as module
from ctui.tasks.network.desk import NetworkDesk
from ctui.tasks.network.sealed import label_of
from ctui.tasks.runs.logins import Logins, Sources
from ctui.tasks.settings import Settings
from ctui.tasks.store import Store
from tests.gateway.living import WAIT_SECONDS, Home, home

_BUILDS = "/r/.git"


class Driver:
    """What one driver has of the network, and what it was told."""

    def __init__(self, made: Home, store: Store, environ: Mapping[str, str] | None = None) -> None:
        self.told: asyncio.Queue[tuple[str, mail.GatewayMail]] = asyncio.Queue()
        self.logins = Logins(Sources(own=_own, stored=lambda but: _own(but).credential))
        self.link = Link(made.paths, self._take, environ)
        folder = made.paths.gateway_folders
        config = msgspec.structs.replace(Config(), network=NetworkConfig(ports=0))
        self.desk = NetworkDesk(self.link, folder, store, self.logins, lambda: config)
        self.desk.tell = lambda task, news: self.told.put_nowait((task, news))
        self.store = store

    def _take(self, event: gateway.FromGateway) -> None:
        self.desk.hear(event)


def _own(but: str) -> Account:
    return Account(logins.Credential("api-key", "sk-newer" if but else "sk-first"))


def _task(name: str, network: str) -> Task:
    return Task(
        id=name,
        repository=_BUILDS,
        worktree=f"/{name}",
        metadata=None,
        branch=None,
        base=None,
        session="s",
        prompt="go",
        options=TaskOptions(network=network),  # type: ignore[arg-type]
    )


@pytest.fixture
async def driver() -> AsyncIterator[Driver]:
    async with home() as made:
        with closing(Store(made.paths.database)) as store:
            found = Driver(made, store)
            try:
                yield found
            finally:
                await found.link.close()


async def _asked(folder: Path, target: str) -> str:
    """The first line of what is said to whoever wants this host."""
    reader, writer = await asyncio.open_unix_connection(folder / gateway.EGRESS_SOCKET)
    writer.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    async with asyncio.timeout(WAIT_SECONDS):
        line = await reader.readline()
    writer.close()
    return line.decode()


async def test_a_build_is_refused_at_once_what_its_repository_may_not_reach(
    driver: Driver,
) -> None:
    """A rule counts at once for it, too; another repository's does not."""
    before = os.umask(0o077)
    try:
        folder = await driver.desk.lend("env", _BUILDS)
    finally:
        os.umask(before)
    # A container's user is another one.
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert "is not allowed" in await _asked(folder, "a.invalid:443")
    rules = driver.store.host_rules
    rules.set("a.invalid", "allow", 1, "/other/.git", "")
    rules.set("a.invalid", "deny", 1, _BUILDS, "")
    driver.desk.rules_changed()
    async with asyncio.timeout(WAIT_SECONDS):
        while "refused: deny a.invalid" not in await _asked(folder, "a.invalid:443"):
            pass


async def test_what_was_lent_is_taken_back_and_keeps_its_driver_until_then(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway with a run in its table ends never, and only a driver empties that."""
    before, folder = driver.desk.lends, await driver.desk.lend("env", _BUILDS)
    assert (before, driver.desk.lends) == (False, True)
    monkeypatch.setattr(module, "_LENT_SECONDS", 0.3)
    await driver.desk.lend("env", _BUILDS)
    async with asyncio.timeout(WAIT_SECONDS):
        while folder.exists():  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.02)
    assert not driver.desk.lends


async def test_the_first_table_has_the_sealed_runs_of_an_earlier_driver(driver: Driver) -> None:
    """Also where another task's record cannot be read; an unsealed or older one has none."""
    store = driver.store
    for name in ("sealed", "unsealed", "older", "damaged"):
        kind = {"sealed": "allow", "damaged": "allow", "older": ""}.get(name, name)
        store.tasks.add(_task(name, kind))
        store.runs.add(Run(task=name, number=1, container=name))
    store._database.execute("UPDATE tasks SET record = '{' WHERE id = 'damaged'")
    driver.desk.take_over()
    assert [access.task for access in driver.desk._gate._accesses.values()] == ["sealed"]
    [access] = driver.desk._gate._accesses.values()
    Path(access.folder).mkdir(parents=True, mode=0o755)
    await driver.desk.lend("env", _BUILDS)
    assert (Path(access.folder) / gateway.API_SOCKET).is_socket()
    await driver.desk.close("sealed")
    assert not Path(access.folder).exists()


async def test_what_an_earlier_driver_opened_for_nobody_is_taken_away(driver: Driver) -> None:
    """It died before it made the sandbox of a shell."""
    for name in ("works", "rests"):
        driver.store.tasks.add(_task(name, "allow"))
        driver.store.runs.add(Run(task=name, number=1, container=name))
    driver.desk.take_over()
    await driver.desk.close_others({"works"})
    assert [access.task for access in driver.desk._gate._accesses.values()] == ["works"]


async def test_the_first_table_names_what_an_earlier_driver_lent(driver: Driver) -> None:
    """Without a value: what came with a command, only the gateway knows still."""
    named = GatewayConfig(
        credentials=(CredentialRule("api.example", "X-Key: {secret}", "KEY"),),
        ssh=(SshRule("git.example", "~/.ssh/id"),),
    )
    config = msgspec.structs.replace(Config(), gateway=named, network=NetworkConfig(ports=0))
    driver.desk._config = lambda: config
    driver.store.tasks.add(_task("sealed", "allow"))
    driver.store.runs.add(Run(task="sealed", number=1, container="sealed"))
    driver.desk.take_over()
    [access] = driver.desk._gate._accesses.values()
    assert access.credentials == (Credential("api.example", 443, "X-Key", "KEY"),)
    assert access.keys == (SshKey("git.example", 22, "~/.ssh/id"),)
    for host, port in (("api.example", 443), ("git.example", 22)):
        assert decide(access.egress, Target(host, port)).what == "allow"
    # A build has them not: it is whoever wrote its Dockerfile that would use them.
    await driver.desk.lend("env", _BUILDS)
    [lent] = [one for one in driver.desk._gate._accesses.values() if one.task != "sealed"]
    assert (lent.credentials, lent.keys) == ((), ())
    for host, port in (("api.example", 443), ("git.example", 22)):
        assert decide(lent.egress, Target(host, port)).what == "ask"


async def test_what_the_settings_lend_no_more_is_taken_from_runs_that_have_it(
    driver: Driver,
) -> None:
    """A rule that is new is for later runs only."""
    token, other = (CredentialRule(f"{one}.example", "X-Key", "KEY") for one in ("a", "b"))
    keys = tuple(SshRule(f"{one}.example", "~/.ssh/id") for one in ("git", "old"))

    def lend(credentials: tuple[CredentialRule, ...], ssh: tuple[SshRule, ...]) -> None:
        named = GatewayConfig(credentials=credentials, ssh=ssh)
        config = msgspec.structs.replace(Config(), gateway=named, network=NetworkConfig(ports=0))
        driver.desk._config = lambda: config

    lend((token,), keys)
    driver.store.tasks.add(_task("sealed", "allow"))
    driver.store.runs.add(Run(task="sealed", number=1, container="sealed"))
    driver.desk.take_over()
    lend((other,), keys[:1])
    driver.desk.rules_changed()
    await asyncio.gather(*driver.desk._jobs)
    [access] = driver.desk._gate._accesses.values()
    assert access.credentials == ()
    assert [key.host for key in access.keys] == ["git.example"]


async def test_a_task_ends_also_where_no_gateway_can_run() -> None:
    """Its settings are wrong, say; whoever stops a task is not kept waiting for that."""
    async with home() as made:
        with closing(Store(made.paths.database)) as store:
            driver = Driver(made, store, {"HTTPS_PROXY": "gopher://a.example", "PATH": "/bin"})
            store.tasks.add(_task("one", "allow"))
            store.runs.add(Run(task="one", number=1, container="one"))
            driver.desk.take_over()
            begun = asyncio.get_running_loop().time()
            await driver.desk.close("one")
            assert asyncio.get_running_loop().time() - begun < 15.0  # a push waits for 30
            assert driver.link.problem is not None
            await driver.link.close()


async def test_a_login_is_looked_for_once_however_often_it_is_rejected(driver: Driver) -> None:
    """While a keyring is slow, the gateway says it again: the run must not end for that."""
    task = _task("one", "allow")
    driver.store.tasks.add(task)
    await driver.logins.of(task, needed=True)
    for _ in range(2):
        driver.desk.hear(gateway.LoginRejected("one", "f", 401, "one/1"))
    async with asyncio.timeout(WAIT_SECONDS):
        name, news = await driver.told.get()
    assert name == "one"
    assert isinstance(news, mail.LoginRejected)
    assert news.renewed
    await driver.desk.lend("env", _BUILDS)  # a round of the loop and of the gateway
    assert driver.told.empty()


@given(st.from_regex(TASK_ID, fullmatch=True), st.from_regex(TASK_ID, fullmatch=True))
@example("fix.a", "fix-a")
@example("fix_a", "fix.a")
@example("a-", "a")
@example("a" * 50, "a" * 49)
def test_each_task_has_a_dns_label_of_its_own(one: str, other: str) -> None:
    """It is a host's name in a browser, and says whose port is shown (RFC 1035)."""
    label = label_of(one)
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", label)
    assert (label == label_of(other)) is (one == other)


def test_a_host_that_cannot_be_read_stops_no_driver_that_runs(tmp_path: Path) -> None:
    paths = Home(tmp_path).paths
    paths.config.mkdir(mode=0o700)
    paths.config_file.write_text("")
    settings = Settings(paths)
    paths.config_file.write_text('[network]\nmode = "closed"\nallow = ["http://a.example"]\n')
    assert settings().network.mode == "allow"
    with pytest.raises(InvalidInput, match=r"^network.allow: http://a.example"):
        Settings(paths)
