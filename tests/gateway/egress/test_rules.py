"""Names, addresses and rules: which host a task means, and what is decided about it."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctui.gateway.egress.addresses import is_own, is_public
from ctui.gateway.egress.names import BadName, Target, host_of, is_address, target_of
from ctui.gateway.egress.policy import (
    SHIPPED_RULES,
    Mode,
    Origin,
    Policy,
    PrivateHost,
    Rule,
    decide,
    rule_of,
)


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("Example.ORG", "example.org"),
        ("example.org.", "example.org"),
        ("a_b.example.org", "a_b.example.org"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("xn--BCHER-kva.example", "xn--bcher-kva.example"),
        ("ｅｘａｍｐｌｅ。org", "example.org"),  # noqa: RUF001 - other forms of the same
        ("192.0.2.1", "192.0.2.1"),
        ("[2001:DB8::0001]", "2001:db8::1"),
        ("::ffff:127.0.0.1", "::ffff:7f00:1"),
    ],
)
def test_a_name_has_one_form(written: str, host: str) -> None:
    assert host_of(written) == host
    assert host_of(host) == host


@pytest.mark.parametrize(
    "written",
    [
        *("", ".", "..", "a..b", "-a.example", "a-.example", "a" * 64 + ".example", "a." * 140),
        *("exa mple.org", "a@b", "a/b", "a\0b", "a%2eb", "a#b", "é\u202e.org", "xn--a.example"),
        *("127.1", "0x7f000001", "0x7f.0.0.1", "2130706433", "017700000001", "127.0.0.01"),
        *("1.2.3.4.5", "256.0.0.1", "example.1", "[::1", "::1]", "[fe80::1%eth0]", "[127.0.0.1]"),
    ],
)
def test_what_others_would_read_in_another_way_is_no_name(written: str) -> None:
    with pytest.raises(BadName):
        host_of(written)


@given(st.text(max_size=40))
def test_a_name_is_refused_or_stays_what_it_is(text: str) -> None:
    try:
        host = host_of(text)
    except BadName:
        return
    assert host_of(host) == host
    assert host.isascii()
    assert host == host.lower()
    assert is_address(host) == (":" in host or host.replace(".", "").isdigit())


def test_a_target_has_a_port() -> None:
    assert target_of("EXAMPLE.org:443") == Target("example.org", 443)
    assert target_of("example.org", 80) == Target("example.org", 80)
    assert str(target_of("[::1]:80")) == "[::1]:80"
    assert str(target_of("[::1]", 8080)) == "[::1]:8080"
    for text in ("example.org", "example.org:", "a:0", "a:65536", "a:-1", "a:+1", "a:1 ", "a:b"):
        with pytest.raises(BadName):
            target_of(text)
    for text in ("example.org:", "a:\u0664", "::1:80:"):
        with pytest.raises(BadName):
            target_of(text, 80)


PUBLIC = ("1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1")
NOT_PUBLIC = (
    *("127.0.0.1", "127.64.0.1", "0.0.0.0", "10.0.0.1", "172.17.0.1", "192.168.1.1"),  # noqa: S104 - data
    *("169.254.169.254", "100.64.0.1", "100.100.100.200", "192.0.0.192", "168.63.129.16"),
    *("192.0.2.1", "198.18.0.1", "203.0.113.7", "224.0.0.1", "239.1.1.1", "240.0.0.1"),
    *("255.255.255.255", "192.88.99.1", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1"),
    *("fd00:ec2::254", "fec0::1", "ff02::1", "ff0e::1", "2001:db8::1", "3fff::1", "5f00::1"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1"),
    *("64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:101:101::1"),
    *("2001:0:4136:e378:8000:63bf:3fff:fdd2", "100::1", "", "example.org", "1.1.1.1.1"),
)


def test_only_the_internet_is_public() -> None:
    """Neither this machine and its networks, nor what a translator or tunnel leads to them."""
    assert [one for one in PUBLIC if not is_public(one)] == []
    assert [one for one in NOT_PUBLIC if is_public(one)] == []


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_decides(address: ipaddress.IPv4Address) -> None:
    mapped = str(ipaddress.IPv6Address((0xFFFF << 32) | int(address)))
    translated = str(ipaddress.IPv6Address((0x64_FF9B << 96) | int(address)))
    assert is_public(mapped) == is_public(translated) == is_public(str(address))
    assert not is_public(str(address)) or address.is_global


def test_this_machine_knows_its_addresses() -> None:
    assert is_own("127.0.0.1")
    assert is_own("::1") or not is_own("::1")  # a machine may be without IPv6
    assert not is_own("192.0.2.254")


@pytest.mark.parametrize(
    "text",
    [
        "a.org",
        "*.a.org",
        "a.org:22",
        "a.org:*",
        "*.a.org:8080",
        "fd00::1",
        "[fd00::1]:80",
        "[::1]:*",
    ],
)
def test_a_rule_is_written_as_it_is_read(text: str) -> None:
    """It is kept as text: another reading of it would be about another host."""
    assert str(rule_of(text)) == text
    assert rule_of(str(rule_of(text))) == rule_of(text)


def test_what_a_rule_covers() -> None:
    assert rule_of("Example.org") == Rule("example.org", (80, 443))
    assert rule_of("example.org:22") == Rule("example.org", (22,))
    assert rule_of("*.example.org:*") == Rule("*.example.org", ())
    assert rule_of("[::1]:80") == Rule("::1", (80,))
    assert rule_of("evil.example", "repository", ports=()) == Rule("evil.example", (), "repository")
    wild = rule_of("*.example.org")
    assert wild.covers("a.b.example.org", 443)
    for host in ("example.org", "notexample.org", "example.org.evil.example"):
        assert not wild.covers(host, 443)
    assert not rule_of("example.org").covers("example.org", 22)
    for text in ("*", "*.", "*.1.2.3.4", "*.*.org", "a.*.org", "example.org:x"):
        with pytest.raises(BadName):
            rule_of(text)
    for text in ("example.org", "example.org:22", "*.example.org:*"):
        assert str(rule_of(text)) == text


def rules_of(texts: list[str], origin: Origin = "person") -> tuple[Rule, ...]:
    return tuple(rule_of(text, origin) for text in texts)


def decided(policy: Policy, where: str) -> str:
    return decide(policy, target_of(where)).what


def test_a_denial_wins_whoever_said_it() -> None:
    deny = rules_of(["github.com", "*.evil.example"], "repository")
    for mode in Mode:
        policy = Policy(
            mode=mode,
            allow=rules_of(["github.com", "a.evil.example"]),
            deny=deny,
            private=(PrivateHost("a.evil.example", 443),),
        )
        assert decided(policy, "github.com:443") == "refuse"
        assert decided(policy, "a.evil.example:443") == "refuse"


def test_each_mode() -> None:
    closed, allow, opened = (
        Policy(mode=mode, allow=rules_of(["named.example"]), private=(PrivateHost("db", 5432),))
        for mode in (Mode.CLOSED, Mode.ALLOW, Mode.OPEN)
    )
    for where, expected in {
        "pypi.org:443": ("refuse", "allow", "allow"),
        "named.example:80": ("refuse", "allow", "allow"),
        "named.example:8080": ("refuse", "ask", "allow"),
        "other.example:443": ("refuse", "ask", "allow"),
        "1.1.1.1:443": ("refuse", "ask", "allow"),
        "db:5432": ("refuse", "allow", "allow"),
        "db:5433": ("refuse", "ask", "allow"),
        "host:5432": ("refuse", "refuse", "refuse"),
        "127.0.0.1:5432": ("refuse", "refuse", "refuse"),
        "[::ffff:10.0.0.1]:80": ("refuse", "refuse", "refuse"),
        # Nobody is asked for a name that means this machine, or another task's page on it.
        "LocalHost.:8899": ("refuse", "refuse", "refuse"),
        "3000.two.localhost:8899": ("refuse", "refuse", "refuse"),
        "ｈｏｓｔ:5432": ("refuse", "refuse", "refuse"),  # noqa: RUF001 - the same name
        "notlocalhost:80": ("refuse", "ask", "allow"),
    }.items():
        found = tuple(decided(policy, where) for policy in (closed, allow, opened))
        assert (where, found) == (where, expected)


def test_only_a_private_host_may_be_private() -> None:
    """What a repository or an answer allows is never more than a public address."""
    named = ["10.0.0.1", "db.example", "localhost", "*.localhost"]
    policy = Policy(allow=rules_of(named), private=(PrivateHost("host", 9),))
    for where in ("10.0.0.1:443", "localhost:443", "3000.two.localhost:80"):
        assert decided(policy, where) == "refuse"
    assert not decide(policy, target_of("db.example:443")).private
    assert decide(policy, target_of("host:9")).private


def test_the_shipped_list() -> None:
    """It can be left out; its names are in their one form, and none is there twice."""
    assert decided(Policy(shipped=False), "pypi.org:443") == "ask"
    hosts = [rule.host for rule in SHIPPED_RULES]
    assert len(set(hosts)) == len(hosts)
    for rule in SHIPPED_RULES:
        assert rule_of(rule.host).host == rule.host
        assert set(rule.ports) <= {22, 80, 443}
    for taking in ("gist.github.com", "upload.pypi.org", "pastebin.com", "api.anthropic.com"):
        assert taking not in hosts
