"""What the settings name of credentials and keys, as it is read for a run."""

from __future__ import annotations

import base64
import hashlib
import hmac
import subprocess
from pathlib import Path

import msgspec
import pytest

from ctui.config import Config
from ctui.config.gateway_section import CredentialRule, GatewayConfig, SshRule
from ctui.errors import InvalidInput
from ctui.gateway.egress.names import Target
from ctui.gateway.ssh.keys import line_of
from ctui.paths import Paths
from ctui.tasks.network.lent import header_value, lent_by, problems_of
from ctui.tasks.network.ssh_keys import ssh_key
from ctui.tasks.secrets.registry import Secret, put_secret

GIT = Target("git.example", 22)


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
    """Read now: from a file, a variable or a command. What cannot be had says why, to its host."""
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
