"""Logins: taken as they are pasted, kept safely, shown never."""

from __future__ import annotations

import socket
import stat
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from ctui.claude.login.credentials import (
    Credential,
    Kind,
    Stored,
    forget_credential,
    store_credential,
    stored_credential,
)
from ctui.errors import InvalidInput, Unavailable
from ctui.paths import Paths

OAUTH = "sk-ant-oat01-abcdefghijklmnop"
API_KEY = "sk-ant-api03-abcdefghijklmnop"


@pytest.mark.parametrize(
    ("pasted", "kind", "variable"),
    [
        (OAUTH, "oauth", "CLAUDE_CODE_OAUTH_TOKEN"),
        (f"  {API_KEY}\n", "api-key", "ANTHROPIC_API_KEY"),
        ("another-provider=key", "api-key", "ANTHROPIC_API_KEY"),
        ("cGFkZGVkYmFzZTY0==", "api-key", "ANTHROPIC_API_KEY"),
    ],
)
def test_a_pasted_secret_becomes_exactly_one_variable(
    pasted: str, kind: Kind, variable: str
) -> None:
    credential = Credential.parse(pasted)
    assert credential.kind == kind
    assert credential.environment() == {variable: pasted.strip()}


@pytest.mark.parametrize(
    ("pasted", "complaint"),
    [
        ("", "not a token"),
        ("short", "not a token"),
        (f"sk-ant-api03 {API_KEY}", "not a token"),
        (f"{API_KEY}\x1b[A", "not a token"),
        (f"{API_KEY}\u202e", "not a token"),
        (f"export ANTHROPIC_API_KEY={API_KEY}", "assignment"),
        (f"CLAUDE_CODE_OAUTH_TOKEN = {OAUTH}", "assignment"),
        (f'"{API_KEY}"', "quotes"),
        ('{"claudeAiOauth":{"accessToken":"x"}}', "file of credentials"),
        ("sk-ant-ort01-abcdefghijklmnop", "refresh token"),
    ],
)
def test_what_is_no_secret_is_refused_with_what_is_wrong(pasted: str, complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint) as caught:
        Credential.parse(pasted)
    assert caught.value.hint
    assert API_KEY not in caught.value.message + caught.value.hint


def test_no_way_of_showing_a_credential_shows_its_secret() -> None:
    credential = Credential.parse(API_KEY)

    def fail() -> None:
        raise RuntimeError(credential)

    with pytest.raises(RuntimeError) as caught:
        fail()
    shown = [
        repr(credential),
        str(credential),
        f"{credential}",
        "{}".format(credential),  # noqa: UP032 - each way of formatting is its own case
        "%s" % credential,  # noqa: UP031 - likewise
        repr({"login": [credential]}),
        str(credential.__rich_repr__()),
        "".join(traceback.format_exception(caught.value)),
    ]
    assert all(API_KEY not in text for text in shown)


def test_the_environment_is_read_in_the_clis_own_order() -> None:
    everything = {
        "CLAUDE_CODE_OAUTH_TOKEN": OAUTH,
        "ANTHROPIC_AUTH_TOKEN": "bearer-abcdefgh",
        "ANTHROPIC_API_KEY": API_KEY,
    }
    assert Credential.from_environment(everything) == Credential("api-key", API_KEY)
    del everything["ANTHROPIC_API_KEY"]
    assert Credential.from_environment(everything) == Credential("auth-token", "bearer-abcdefgh")
    everything["ANTHROPIC_AUTH_TOKEN"] = " "
    assert Credential.from_environment(everything) == Credential("oauth", OAUTH)
    assert Credential.from_environment({}) is None


def test_a_broken_variable_is_named_and_its_value_is_not() -> None:
    with pytest.raises(InvalidInput, match=r"^ANTHROPIC_API_KEY: ") as caught:
        Credential.from_environment({"ANTHROPIC_API_KEY": f"{API_KEY} oops"})
    assert API_KEY not in caught.value.message


def test_without_a_keyring_the_file_is_the_owners_alone_and_said_so(paths: Paths) -> None:
    place = store_credential(paths, Credential.parse(OAUTH))
    file = paths.config / "credential"
    assert str(file) in place
    assert "not encrypted" in place
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stored_credential(paths) == Stored(Credential("oauth", OAUTH), "file")

    forget_credential(paths)
    assert stored_credential(paths) is None


def test_a_link_in_the_place_of_the_file_is_not_followed(paths: Paths, tmp_path: Path) -> None:
    paths.config.mkdir(parents=True)
    target = tmp_path / "elsewhere"
    target.write_text("mine")
    (paths.config / "credential").symlink_to(target)
    store_credential(paths, Credential.parse(API_KEY))
    assert target.read_text() == "mine"
    assert stored_credential(paths) == Stored(Credential("api-key", API_KEY), "file")


def test_a_place_that_cannot_be_written_is_named(paths: Paths) -> None:
    (paths.config / "credential" / "not-a-file").mkdir(parents=True)
    with pytest.raises(Unavailable, match="cannot be written"):
        store_credential(paths, Credential.parse(API_KEY))


@pytest.mark.parametrize("content", ["", "nonsense", "api-key:", "api-key:a b", "root:abcdefgh"])
def test_a_damaged_file_is_no_login(paths: Paths, content: str) -> None:
    paths.config.mkdir(parents=True)
    (paths.config / "credential").write_text(content)
    assert stored_credential(paths) is None


_ASK_A_KEYRING = """
from ctui.claude.login import keyring_store
from ctui.errors import Unavailable
keyring_store._PATIENCE = keyring_store._PATIENCE_WITH_PERSON = 0.3
for ask in (
    lambda: keyring_store.read("x"),
    lambda: keyring_store.write("x", "secret"),
    lambda: keyring_store.forget("x"),
):
    try:
        print(ask())
    except Unavailable as error:
        print(error.message)
"""


def test_a_keyring_that_never_answers_holds_up_neither_the_call_nor_the_exit(
    tmp_path: Path,
) -> None:
    bus = tmp_path / "bus"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(bus))
        silent.listen()
        environment = {
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={bus}",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.SecretService.Keyring",
            "HOME": str(tmp_path),
        }
        done = subprocess.run(
            [sys.executable, "-c", _ASK_A_KEYRING],
            env=environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        connection, _ = silent.accept()
        connection.close()
    assert done.stdout.splitlines() == ["the keyring does not answer within 0 s"] * 3


_A_KEYRING = """
import keyring.backend

class Keyring(keyring.backend.KeyringBackend):
    priority = 1
    kept = {}

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def delete_password(self, service, username):
        del self.kept[service, username]
"""
_STORE_AND_FIND = """
from ctui.claude.login.credentials import *
from ctui.paths import Paths
paths = Paths.from_environment()
paths.config.mkdir(parents=True)
(paths.config / "credential").write_text("api-key:an-older-secret")
print(store_credential(paths, Credential.parse("sk-ant-oat01-abcdefghijklmnop")))
print(stored_credential(paths))
print(sorted(paths.config.iterdir()))
forget_credential(paths)
print(stored_credential(paths))
"""


def test_a_keyring_that_works_is_where_the_secret_is_and_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "a_keyring.py").write_text(_A_KEYRING)
    environment = {
        "PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[2]}",
        "PYTHON_KEYRING_BACKEND": "a_keyring.Keyring",
        "CTUI_HOME": str(tmp_path / "home"),
    }
    done = subprocess.run(
        [sys.executable, "-c", _STORE_AND_FIND],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "the platform's keyring",
        "Stored(credential=Credential(oauth), place='keyring')",
        "[]",
        "None",
    ]


def test_importing_it_loads_no_keyring() -> None:
    code = "import sys, ctui.claude.login.credentials; sys.exit('keyring' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
