"""Reach of new tasks: what a program that starts one may choose, and what fits together."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from ctui.claude.mcp.mcp_config import parse_mcp_servers, read_mcp_servers
from ctui.client.tasks.new_task import NewTask, with_servers
from ctui.client.tasks.reach import check_hosts, check_offered
from ctui.config import Config
from ctui.config.task_sections import NetworkConfig, NetworkMode
from ctui.errors import InvalidInput, Refused
from ctui.gateway.egress.names import Target
from ctui.gateway.egress.policy import decide, rule_of
from ctui.paths import Paths
from ctui.tasks.model import Task, TaskOptions
from ctui.tasks.network.sealed import task_policy

_WIDTH: tuple[NetworkMode, ...] = ("closed", "allow", "open")


def _config(**network: object) -> Config:
    return Config(network=msgspec.convert(network, NetworkConfig))


@pytest.mark.parametrize("mode", _WIDTH)
@pytest.mark.parametrize("wanted", _WIDTH)
def test_a_program_chooses_no_wider_network_than_the_person(
    mode: NetworkMode, wanted: NetworkMode
) -> None:
    config = _config(mode=mode)
    check_offered(config, None, ())
    if _WIDTH.index(wanted) <= _WIDTH.index(mode):
        check_offered(config, wanted, ())
    else:
        with pytest.raises(Refused, match=f"{wanted} is wider than the person's, which is {mode}"):
            check_offered(config, wanted, ())


def test_behind_the_gateway_every_network_is_narrower_than_without_it() -> None:
    for wanted in _WIDTH:
        check_offered(_config(mode="closed", gateway=False), wanted, ())


OFFERED = [
    *("a.example.net", "A.Example.NET.", "*.a.example.net", "*.example.net", "a.example.net:443"),
    *("docs.example.org", "xn--bcher-kva.example.net", "BÜCHER.example.net", "pypi.org:443"),
    "db.example.net:80",
]
NOT_OFFERED = [
    *("example.net", "a.example.net:22", "a.example.net:*", "aexample.net", "*.net", "*.org"),
    *("docs.example.org:8080", "x.docs.example.org", "host", "host:5432", "127.0.0.1", "[::1]:80"),
    *("::ffff:127.0.0.1", "169.254.169.254", "metadata.google.internal", "*.pypi.org", "pypi.org"),
]


@pytest.mark.parametrize("host", OFFERED)
def test_a_program_allows_hosts_that_the_person_offers_or_allows_anyway(host: str) -> None:
    check_offered(_config(offer=["*.example.net"], allow=["docs.example.org"]), None, [host])


@pytest.mark.parametrize("host", NOT_OFFERED)
def test_it_allows_no_others(host: str) -> None:
    config = _config(offer=["*.example.net"], allow=["docs.example.org"])
    with pytest.raises(Refused, match="no host that tasks may be allowed from here"):
        check_offered(config, None, ["a.example.net", host])


@pytest.mark.parametrize("host", ["", "*", "*.", "a b", "http://a.example.net", "127.1", "xn--a"])
def test_what_is_no_host_is_refused_before_it_is_looked_for(host: str) -> None:
    with pytest.raises(InvalidInput, match=r"HOST|host|name|port|address"):
        check_offered(_config(offer=["*.example.net"]), None, [host])


SERVERS = """{"mcpServers": {
  "own": {"command": "run-it"},
  "docs": {"type": "http", "url": "https://mcp.example.net/x"},
  "named": {"type": "http", "url": "http://registry.lan:4873/"}
}}"""


def test_a_file_of_servers_that_a_program_gives_reaches_nothing_that_was_not_offered(
    tmp_path: Path,
) -> None:
    """A task can write such a file, and has whoever reads its words name it for the next task."""
    file = tmp_path / "mcp.json"
    config = _config(offer="*.example.net", private=["registry.lan:4873"])
    file.write_text(SERVERS)
    check_offered(config, None, (), read_mcp_servers([file]))
    for url in (
        *("http://169.254.169.254/", "http://host:5432/", "http://[::ffff:127.0.0.1]/"),
        *("http://registry.lan/", "https://mcp.example.org/", "http://LOCALHOST./"),
    ):
        file.write_text(SERVERS.replace("https://mcp.example.net/x", url))
        with pytest.raises(Refused, match="no host that tasks may be allowed from here"):
            check_offered(config, None, (), read_mcp_servers([file]))


def test_a_task_has_the_servers_that_were_looked_at(tmp_path: Path, paths: Paths) -> None:
    """Whatever a task makes of their file behind that."""
    file = tmp_path / "mcp.json"
    file.write_text(SERVERS)
    servers = read_mcp_servers([file])
    check_offered(_config(offer="*.example.net", private=["registry.lan:4873"]), None, (), servers)
    file.write_text(SERVERS.replace("https://mcp.example.net/x", "http://169.254.169.254/"))
    assert with_servers(paths, NewTask(prompt="x", servers=servers)).mcp_servers == servers


def _task(options: TaskOptions) -> Task:
    return Task(
        id="one",
        repository="/r/.git",
        worktree="/w",
        metadata=None,
        branch=None,
        base=None,
        session="s",
        prompt="p",
        options=options,
    )


def test_no_private_address_is_reached_by_the_name_of_a_programs_server(paths: Paths) -> None:
    """Its host is below one that is offered, and whoever owns that says where the name leads."""
    paths.config.mkdir(parents=True)
    (paths.config / "own.json").write_text(SERVERS.replace("docs", "own-docs"))
    paths.config_file.write_text('[claude]\nmcp_config = "own.json"\n')
    server = parse_mcp_servers(SERVERS.replace("mcp.example.net", "evil.example.net"), "it")["docs"]
    options = with_servers(paths, NewTask(prompt="x", servers={"docs": server}))
    policy = task_policy(_task(msgspec.structs.replace(options, network="allow")), _config(), ())
    found = {
        host: decide(policy, Target(host, port))
        for host, port in (
            ("evil.example.net", 443),
            ("mcp.example.net", 443),
            ("registry.lan", 4873),
        )
    }
    assert {host: verdict.private for host, verdict in found.items()} == {
        "evil.example.net": False,
        "mcp.example.net": True,
        "registry.lan": True,
    }
    assert {verdict.what for verdict in found.values()} == {"allow"}


def test_hosts_need_a_network_that_has_hosts() -> None:
    hosts = ("a.example.net",)
    check_hosts(TaskOptions(network="allow", allow_hosts=hosts))
    with pytest.raises(InvalidInput, match="closed"):
        check_hosts(TaskOptions(network="closed", allow_hosts=hosts))
    with pytest.raises(InvalidInput, match="unsealed"):
        check_hosts(TaskOptions(network="unsealed", allow_hosts=hosts))


def test_a_task_reaches_the_hosts_that_it_was_given_unless_they_are_denied_or_private() -> None:
    hosts = ("a.example.net", "*.b.example.net", "denied.example.net", "host:5432", "127.0.0.1")
    task = _task(TaskOptions(network="allow", allow_hosts=hosts))
    policy = task_policy(task, _config(deny=["denied.example.net"]), ())
    verdicts = {
        f"{host}:{port}": decide(policy, Target(host, port)).what
        for host, port in (
            *(("a.example.net", 443), ("c.b.example.net", 80), ("a.example.net", 22)),
            *(("denied.example.net", 443), ("host", 5432), ("127.0.0.1", 80)),
        )
    }
    assert verdicts == {
        "a.example.net:443": "allow",
        "c.b.example.net:80": "allow",
        "a.example.net:22": "ask",
        "denied.example.net:443": "refuse",
        "host:5432": "refuse",
        "127.0.0.1:80": "refuse",
    }


@pytest.mark.parametrize(
    ("wide", "narrow", "includes"),
    [
        ("*.a.org", "b.a.org", True),
        ("*.a.org", "*.a.org", True),
        ("*.a.org", "*.b.a.org", True),
        ("*.b.a.org", "*.a.org", False),
        ("*.a.org", "a.org", False),
        ("a.org", "a.org:443", True),
        ("a.org:443", "a.org", False),
        ("a.org:*", "a.org:22", True),
        ("a.org", "a.org:*", False),
        ("b.a.org", "*.a.org", False),
    ],
)
def test_a_rule_includes_another(wide: str, narrow: str, *, includes: bool) -> None:
    assert rule_of(wide).includes(rule_of(narrow)) is includes
