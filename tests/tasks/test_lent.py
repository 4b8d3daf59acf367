"""What the settings name of credentials and keys, as it is read for a run."""

from __future__ import annotations

import base64
import hashlib
import hmac
import subprocess
from pathlib import Path

import msgspec
import pytest

from ctui.claude.login.credentials import Credential
from ctui.config import Config
from ctui.config.gateway_section import CredentialRule, GatewayConfig, SshRule
from ctui.errors import InvalidInput
from ctui.gateway.egress.names import Target
from ctui.gateway.egress.policy import Policy
from ctui.gateway.ssh.keys import line_of
from ctui.paths import Paths
from ctui.tasks import calls
from ctui.tasks.mailbox.ports import Account
from ctui.tasks.model import Task, TaskOptions
from ctui.tasks.network.lent import (
    header_value,
    lent_by,
    lent_environment,
    lent_to,
    problems_of,
)
from ctui.tasks.network.sealed import access_of
from ctui.tasks.network.ssh_keys import ssh_key
from ctui.tasks.runs.logins import Logins, Sources
from ctui.tasks.secrets.registry import Secret, put_secret

GIT = Target("git.example", 22)


def _task(network: str) -> Task:
    return Task(
        id=network,
        repository="/r/.git",
        worktree="/w",
        metadata=None,
        branch=None,
        base=None,
        session="s",
        prompt="go",
        options=TaskOptions(network=network),  # type: ignore[arg-type]
    )


def _config(*rules: CredentialRule) -> Config:
    return msgspec.structs.replace(Config(), gateway=GatewayConfig(credentials=rules))


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-Key", "tok"),
        ("Authorization", "Bearer tok"),
        ("Authorization: token {secret}", "token tok"),
        ("X: a{secret}b{secret}", "atokbtok"),
        ("Authorization: Basic {x-access-token:secret}", "Basic eC1hY2Nlc3MtdG9rZW46dG9r"),
    ],
)
def test_the_form_of_a_header(header: str, value: str) -> None:
    assert header_value(CredentialRule("h", header, "S"), "tok") == value


def test_an_authorization_with_a_scheme_of_its_own_stays() -> None:
    assert header_value(CredentialRule("h", "authorization", "S"), "Digest x") == "Digest x"


def test_each_secret_comes_from_where_the_person_said(paths: Paths, tmp_path: Path) -> None:
    """Read now: from a file, a variable or a command. What cannot be had says why."""
    (tmp_path / "token").write_text("tok-5fGh1qZ9-file\n")
    for name, source, where in (
        ("FILE", "file", str(tmp_path / "token")),
        ("VARIABLE", "environment", "STAGING"),
        ("COMMAND", "command", "echo tok-5fGh1qZ9-command"),
        ("GONE", "file", str(tmp_path / "gone")),
        ("LINES", "command", "printf 'tok-5fGh1qZ9\\ntok-8kLm2xW4\\n'"),
    ):
        put_secret(paths, Secret(name=name, source=source, where=where))  # type: ignore[arg-type]
    names = ("FILE", "VARIABLE", "COMMAND", "GONE", "LINES", "NONE")
    rules = [CredentialRule(f"{name.lower()}.example", "X-Key", name) for name in names]
    lent = lent_by(
        paths, _config(*rules), {"STAGING": "tok-5fGh1qZ9-variable", "PATH": "/usr/bin:/bin"}
    )
    found = {one.name: one.value for one in lent.credentials}
    assert found == {
        "FILE": "tok-5fGh1qZ9-file",
        "VARIABLE": "tok-5fGh1qZ9-variable",
        "COMMAND": "tok-5fGh1qZ9-command",
        **dict.fromkeys(("GONE", "LINES", "NONE"), ""),
    }
    assert {"tok-5fGh1qZ9-file", "tok-5fGh1qZ9-variable", "tok-5fGh1qZ9-command"} <= set(
        lent.redacted
    )
    said = problems_of(lent)
    assert len(said) == 3
    for line, name in zip(said, ("GONE", "LINES", "NONE"), strict=True):
        assert line.startswith(f"{name.lower()}.example:443: ")
        assert name in line
        assert "tok-" not in line


def test_a_rule_that_names_no_host_stops_a_run_in_a_line(paths: Paths) -> None:
    with pytest.raises(InvalidInput, match=r"gateway\.credentials: \*\.example"):
        lent_by(paths, _config(CredentialRule("*.example", "X-Key", "S")), {})


# -- keys


def _key(folder: Path, words: str = "", name: str = "id") -> Path:
    made = folder / name
    make = ("ssh-keygen", "-q", "-t", "ed25519", "-N", words, "-C", "", "-f", str(made))
    subprocess.run(make, check=True)
    return made


def _public(key: Path) -> str:
    return key.with_name(f"{key.name}.pub").read_text().strip()


def _hashed(name: str) -> str:
    salt = b"01234567890123456789"
    digest = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize(
    ("line", "target", "known"),
    [
        ("git.example KEY", GIT, True),
        ("a.example,GIT.example KEY a comment", GIT, True),
        ("*.example KEY", GIT, True),
        ("*.example,!git.example KEY", GIT, False),
        ("git.example.evil KEY", GIT, False),
        ("[git.example]:22 KEY", GIT, False),
        ("[git.example]:2222 KEY", Target("git.example", 2222), True),
        ("git.example KEY", Target("git.example", 2222), False),
        (f"{_hashed('git.example')} KEY", GIT, True),
        (f"{_hashed('other.example')} KEY", GIT, False),
        ("|1|not base64|x KEY", GIT, False),
        ("@revoked git.example KEY", GIT, False),
        ("git.example KEY\n@revoked * KEY", GIT, False),
        ("@cert-authority *.example KEY", GIT, False),
        ("# git.example KEY", GIT, False),
        ("git.example ssh-ed25519 not!base64", GIT, False),
        ("git.example", GIT, False),
        ("2001:db8::1 KEY", Target("2001:db8::1", 22), True),
    ],
)
def test_the_hosts_keys_are_those_that_ssh_would_take(
    tmp_path: Path, line: str, target: Target, known: bool
) -> None:
    key, host = _key(tmp_path), _key(tmp_path, name="host")
    file = tmp_path / "known_hosts"
    file.write_text(f"\n{line.replace('KEY', _public(host))}\n")
    found = ssh_key(SshRule("h", str(key), str(file)), target, Path("/"), {})
    assert bool(found.host_keys) is known
    assert found.signs is known
    if known:
        assert [line_of(one) for one in found.host_keys] == [_public(host)]
        assert line_of(found.public) == _public(key)
    else:
        assert "has no key of" in found.problem


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file"),
        ("", "this is no private key"),
        ("hello\n", "this is no private key"),
        ("ssh-ed25519 !\n", "is no public key"),
        (
            "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
            "no pri",
        ),
    ],
)
def test_a_file_that_holds_no_key_is_said(tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / "id").write_text(content)
    found = ssh_key(SshRule("h", "id"), GIT, tmp_path, {})
    assert said in found.problem
    assert not found.signs


def test_a_locked_or_public_key_needs_the_persons_agent(tmp_path: Path) -> None:
    key = _key(tmp_path, "correct horse")
    known = tmp_path / "known_hosts"
    known.write_text(f"git.example {_public(key)}\n")
    for name in ("id", "id.pub"):
        rule = SshRule("h", name, "known_hosts")
        assert "you have no agent of ssh" in ssh_key(rule, GIT, tmp_path, {}).problem
        found = ssh_key(rule, GIT, tmp_path, {"SSH_AUTH_SOCK": "/run/agent"})
        assert (found.private, found.agent, found.signs) == ("", "/run/agent", True)
        assert line_of(found.public) == _public(key)


def test_a_key_is_shown_to_nobody(tmp_path: Path) -> None:
    key = _key(tmp_path)
    known = tmp_path / "known_hosts"
    known.write_text(f"git.example {_public(key)}\n")
    found = ssh_key(SshRule("h", "id", "known_hosts"), GIT, tmp_path, {})
    assert found.private
    assert found.private.splitlines()[2] not in f"{found!r} {found} {found.__rich_repr__()}"


# -- what a run has of it


def test_a_run_has_the_way_and_no_value(paths: Paths) -> None:
    """Its variables name files and a socket; where nothing is lent there are none."""
    assert lent_environment(Config()) == {}
    rule = CredentialRule("api.example", "X-Key", "KEY")
    opened = msgspec.structs.replace(Config(), gateway=GatewayConfig(credentials=(rule,)))
    assert set(lent_environment(opened).values()) == {"/etc/ssl/certs/ca-certificates.crt"}
    keys = GatewayConfig(ssh=(SshRule("git.example", "~/.ssh/id"),))
    signing = lent_environment(msgspec.structs.replace(Config(), gateway=keys))
    assert signing["SSH_AUTH_SOCK"] == "/ctui/gw/agent.sock"
    assert set(signing) == {"SSH_AUTH_SOCK", "GIT_SSH_COMMAND"}
    put_secret(paths, Secret(name="KEY", source="command", where="echo tok-5fGh1qZ9"))
    lent = lent_by(paths, opened, {"PATH": "/usr/bin:/bin"})
    access = access_of("t", 1, Policy(), Path("/run/gw"))
    given = lent_to(access, opened, lent)
    assert [(one.host, one.value) for one in given.credentials] == [("api.example", "tok-5fGh1qZ9")]
    unread = lent_to(access, opened, None)
    assert [(one.host, one.value) for one in unread.credentials] == [("api.example", "")]
    # What a driver that came later could not read, the gateway keeps.
    assert unread.known_from(given).credentials == given.credentials
    # What was written since the run began is not for it: it trusts no certificate for that host.
    later = _config(
        CredentialRule("new.example", "X-Key", "KEY"), CredentialRule("api.example", "X-Key", "KEY")
    )
    assert lent_to(access, later, None).known_from(given).credentials == given.credentials
    assert unread.known_from(unread).credentials == unread.credentials


async def test_a_loan_is_read_with_the_secrets_of_a_sealed_run_only(paths: Paths) -> None:
    """And taken out of what its host sends back."""
    put_secret(paths, Secret(name="KEY", source="environment", where="STAGING"))
    config = _config(CredentialRule("api.example", "X-Key", "KEY"))
    own = Account(Credential("api-key", "sk-ant-api03-of-the-person"))
    sources = Sources(
        own=lambda _: own,
        stored=lambda _: own.credential,
        lent=lambda environ: lent_by(paths, config, environ),
    )
    logins = Logins(sources)
    sealed, unsealed = (_task(network) for network in ("allow", "unsealed"))
    logins.remember("allow", calls.Login({}, stored=True, variables={"STAGING": "tok-5fGh1qZ9"}))
    account = await logins.of(unsealed, needed=True)
    assert account is not None
    assert account.lent is None
    account = await logins.of(sealed, needed=True)
    assert account is not None
    assert account.lent is not None
    assert [one.value for one in account.lent.credentials] == ["tok-5fGh1qZ9"]
    assert account.secrets == {}
    assert "tok-5fGh1qZ9" not in logins.redactor.redact_text("X-Key: tok-5fGh1qZ9")
