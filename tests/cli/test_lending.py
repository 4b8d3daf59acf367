"""Credentials that stay outside, as commands show them: settings, `ctui network`, doctor."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from ctui.client.health.health import Check
from ctui.client.health.lending_health import lending_check
from ctui.paths import Paths
from tests.cli.commands import ctui, refused, run

RULES = """\
[[gateway.credentials]]
host = "api.example.org"
header = "Authorization: Bearer {secret}"
secret = "API_TOKEN"

[[gateway.ssh]]
host = "git.example.org"
key = "KEY"
known_hosts = "HOSTS"
"""


def _settings(paths: Paths, text: str) -> None:
    paths.config.mkdir(parents=True, mode=0o700, exist_ok=True)
    paths.config_file.write_text(text)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    made = tmp_path / "id"
    subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(made)), check=True)
    return made


def _line(paths: Paths) -> Check:
    found = lending_check(paths)
    assert found is not None
    return found


def test_what_is_opened_is_marked_and_allowed(paths: Paths, tmp_path: Path, key: Path) -> None:
    _settings(paths, RULES.replace("KEY", str(key)))
    shown = json.loads(ctui(tmp_path, "network", "show", "--json").stdout)
    assert shown["opened"] == [
        {"host": "api.example.org", "header": "Authorization", "secret": "API_TOKEN"}
    ]
    assert shown["ssh"] == [{"host": "git.example.org", "key": str(key)}]
    said = ctui(tmp_path, "network", "show").stdout
    assert "opened" in said
    checked = {
        host: json.loads(ctui(tmp_path, "network", "check", host, "--json").stdout)["opened"]
        for host in ("api.example.org", "git.example.org:22")
    }
    assert checked == {"api.example.org": "API_TOKEN", "git.example.org:22": ""}
    # Only that port of it: in the clear it is asked for, and gets nothing.
    ctui(tmp_path, "network", "check", "api.example.org:80", code=1)
    assert "API_TOKEN is added" in ctui(tmp_path, "network", "check", "api.example.org").stdout


def test_a_denial_wins_over_a_credential(paths: Paths, tmp_path: Path, key: Path) -> None:
    _settings(paths, RULES.replace("KEY", str(key)))
    ctui(tmp_path, "network", "deny", "api.example.org")
    ctui(tmp_path, "network", "check", "api.example.org", code=1)


def test_agreeing_beforehand_is_a_rule_that_can_be_taken_back(
    paths: Paths, tmp_path: Path, key: Path
) -> None:
    """It is about a key that there is: a host that no rule names is a mistake."""
    said = refused(tmp_path, "network", "sign", "git.example.org")
    assert "no rule of [[gateway.ssh]] is for git.example.org:22; there is none" in said
    _settings(paths, RULES.replace("KEY", str(key)))
    [kept] = json.loads(ctui(tmp_path, "network", "sign", "git.example.org", "--json").stdout)
    assert (kept["host"], kept["effect"]) == ("git.example.org:22", "sign")
    assert "sign" in ctui(tmp_path, "network", "show").stdout
    ctui(tmp_path, "network", "forget", str(kept["id"]))
    assert "HOST" in refused(tmp_path, "network", "sign", "*.example.org")
    said = refused(tmp_path, "network", "sign", "git.example.org:2222")
    assert "is for git.example.org:2222; they name git.example.org:22" in said
    assert json.loads(ctui(tmp_path, "network", "show", "--json").stdout)["rules"] == []


def test_doctor_says_what_is_missing_first_and_what_is_there(
    paths: Paths, tmp_path: Path, key: Path
) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("")
    _settings(paths, RULES.replace("KEY", str(key)).replace("HOSTS", str(hosts)))
    line = _line(paths)
    assert not line.ok
    assert "`ctui secret set API_TOKEN`" in line.found
    (tmp_path / "token").write_text("tok-5fGh1qZ9wLx3")
    ctui(tmp_path, "secret", "set", "API_TOKEN", "--from-file", str(tmp_path / "token"))
    line = _line(paths)
    assert not line.ok
    assert "has no key of git.example.org: `ssh git.example.org` adds it" in line.found
    hosts.write_text("git.example.org " + key.with_name("id.pub").read_text())
    said = run(tmp_path, "doctor").stdout
    assert "ok  gateway  opened: api.example.org:443; by ssh: git.example.org:22\n" in said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"api.example.org"', '""', "names no host"),
        (
            '"Authorization: Bearer {secret}"',
            '"Authorization: Bearer x"',
            "no place for the secret",
        ),
        ('"Authorization: Bearer {secret}"', '"a b"', "is no header"),
        ('"Authorization: Bearer {secret}"', '"X: {secret}\\nY: z"', "control character"),
        ('"Authorization: Bearer {secret}"', '"Host"', "Host cannot be set"),
        ('"Authorization: Bearer {secret}"', '"transfer-encoding: {secret}"', "cannot be set"),
        ('"API_TOKEN"', '"sk-ant-5fGh1qZ9"', "is no name of a secret"),
        ('secret = "API_TOKEN"', 'secret = "A"\nvalue = "x"', "unknown field `value`"),
        ('key = "KEY"', 'key = ""', "has no key"),
        ("[[gateway.ssh]]", RULES.partition("[[gateway.ssh]]")[0] + "[[gateway.ssh]]", "twice"),
    ],
)
def test_a_rule_that_nothing_could_be_done_by_is_refused_in_a_line(
    paths: Paths, tmp_path: Path, old: str, new: str, said: str
) -> None:
    _settings(paths, RULES.replace(old, new))
    line = refused(tmp_path, "config", "validate")
    assert said in line
    assert "config.toml:" in line


@pytest.mark.parametrize("host", ["*.example.org", "a b", "https://a.example", "a.example:0"])
def test_a_credential_is_for_one_host(paths: Paths, tmp_path: Path, host: str) -> None:
    _settings(paths, RULES.replace("api.example.org", host))
    assert "gateway.credentials" in refused(tmp_path, "network", "check", "pypi.org")


def test_a_repository_names_none(paths: Paths, repository: Path) -> None:
    """Its file may say three keys; what it says of a credential is refused, and nothing of it."""
    del paths
    (repository / ".ctui.toml").write_text(RULES)
    line = refused(repository, "config", "show")
    assert "a repository may only set" in line
