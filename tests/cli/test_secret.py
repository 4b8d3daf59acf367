"""`ctui secret`: names and places, never values."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from ctui.paths import Paths
from ctui.tasks.model import Task, TaskOptions
from ctui.tasks.secrets.registry import all_secrets
from ctui.tasks.secrets.values import read_value, read_values
from ctui.tasks.store import Store
from tests.claude.keyrings import WORKING, keyring_environment
from tests.cli.commands import at_terminal, ctui, refused

VALUE = "s3cr3t-v4lue-of-the-test"
NEXT = "n3xt-v4lue-of-the-test"


def value(paths: Paths, name: str) -> str:
    return read_value(all_secrets(paths)[name], os.environ)


def task(paths: Paths, name: str, *secrets: str) -> None:
    paths.state.mkdir(parents=True, mode=0o700, exist_ok=True)
    store = Store(paths.database)
    options = TaskOptions(secrets=secrets)
    made = Task(
        id=name,
        repository="/r/.git",
        worktree="/w",
        metadata=None,
        branch="b",
        base=None,
        session="s",
        prompt="p",
        options=options,
    )
    store.tasks.add(made)
    store.variables.note_given(name, 5)
    store.close()


def test_without_a_keyring_a_value_lies_in_a_file_of_the_persons(
    tmp_path: Path, paths: Paths
) -> None:
    """Issue: set, list, rotate, remove; values never in argv or in what is printed."""
    said = ctui(tmp_path, "secret", "set", "TOKEN", given=VALUE + "\n").stdout
    kept = paths.config / "secrets" / "TOKEN"
    assert str(kept) in said
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert value(paths, "TOKEN") == VALUE
    task(paths, "one", "TOKEN")
    [listed] = json.loads(ctui(tmp_path, "secret", "list", "--json").stdout)
    assert listed == {
        "name": "TOKEN",
        "source": "file",
        "where": str(kept),
        "redacted": True,
        "tasks": ["one"],
        "last_given": 5,
    }
    done = ctui(tmp_path, "secret", "rotate", "TOKEN", given=NEXT)
    assert "next run: one" in done.stderr
    assert value(paths, "TOKEN") == NEXT
    shown = ctui(tmp_path, "secret", "list").stdout
    assert NEXT not in shown + done.stdout + said
    done = ctui(tmp_path, "secret", "remove", "TOKEN")
    assert "no run of these begins without it: one" in done.stderr
    assert not kept.exists()
    assert all_secrets(paths) == {}
    assert "there is no secret TOKEN" in refused(tmp_path, "secret", "rotate", "TOKEN", given="x")


def test_a_keyring_keeps_it_where_one_works(tmp_path: Path, paths: Paths) -> None:
    environ = keyring_environment(tmp_path / "keyring", WORKING)

    def run(*arguments: str, given: str = "") -> str:  # a fork would have imported a keyring
        argv = [sys.executable, "-m", "ctui", "secret", *arguments]
        done = subprocess.run(
            argv, env=environ, input=given, capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout

    said = run("set", "TOKEN", given=VALUE)
    assert said == "TOKEN is taken from the platform's keyring\n"
    [kept] = (tmp_path / "keyring").glob("kept-secret*")
    assert kept.read_text() == VALUE
    assert not (paths.config / "secrets").exists()
    assert VALUE not in (paths.config / "secrets.json").read_text()
    run("remove", "TOKEN")
    assert not kept.exists()


def test_a_value_is_asked_for_without_an_echo(tmp_path: Path, paths: Paths) -> None:
    code, shown = at_terminal(
        tmp_path, "secret", "set", "TOKEN", asked="Value of TOKEN", typed=VALUE + "\n"
    )
    assert code == 0, shown
    assert VALUE not in shown
    assert value(paths, "TOKEN") == VALUE


def test_a_place_is_stored_and_read_anew(tmp_path: Path, paths: Paths) -> None:
    """Issue: sources environment, file, command; rotate of what is not ours says where it is."""
    file = tmp_path / "token"
    file.write_text(VALUE + "\r\n")
    ctui(tmp_path, "secret", "set", "OF_FILE", "--from-file", "token")
    ctui(tmp_path, "secret", "set", "OF_ENV", "--from-env", "MY_TOKEN", MY_TOKEN=VALUE)
    ctui(tmp_path, "secret", "set", "OF_COMMAND", "--from-command", f"cat '{file}'")
    names = ["OF_FILE", "OF_ENV", "OF_COMMAND"]
    environ = {**os.environ, "MY_TOKEN": VALUE}
    assert read_values(paths, names, environ).variables == dict.fromkeys(names, VALUE)
    file.write_text(NEXT)
    found = read_values(paths, names, {**environ, "MY_TOKEN": NEXT})
    assert found.variables == dict.fromkeys(names, NEXT)
    assert found.redacted == [NEXT] * 3
    said = refused(tmp_path, "secret", "rotate", "OF_ENV", given="x")
    assert "it comes from the variable MY_TOKEN" in said
    assert VALUE not in (paths.config / "secrets.json").read_text()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("false", "false failed: exit status 1 (`false`)"),
        ("sh -c 'echo locked >&2; exit 3'", "sh failed: locked"),
        ("no-such-program-here", "no-such-program-here does not start"),
        ("printf ''", "is empty"),
        ("printf short", "shorter than 8 bytes"),
        ("echo assistant", "an ordinary word"),
        (r"printf 'a\0bcdefghi'", "has a NUL in it"),
        (r"printf '\377\376abcdefgh'", "is not UTF-8"),
        ("head -c 1000000 /dev/zero --", "has a NUL"),
        ("sh -c 'yes y1z | head -c 1000000'", "longer than the 128 KiB"),
        ("yes y1z", "longer than the 128 KiB"),
        ("'", "it is no command"),
    ],
)
def test_a_value_that_cannot_be_had_is_one_line(
    tmp_path: Path, paths: Paths, command: str, said: str
) -> None:
    """Issue: a failing command = one clear line; 1 MB, NUL, not UTF-8, a common word."""
    ctui(tmp_path, "secret", "set", "TOKEN", "--from-command", command)
    found = read_values(paths, ["TOKEN", "GONE"], os.environ)
    assert found.problem is not None
    assert said in found.problem.one_line()
    assert "\n" not in found.problem.one_line()
    assert len(found.problem.one_line()) < 400


def test_a_command_is_over_when_it_ends_whatever_it_leaves_running(
    tmp_path: Path, paths: Paths
) -> None:
    """As a password manager does, whose helper keeps the streams that it was started with."""
    fifo = tmp_path / "held"
    os.mkfifo(fifo)
    command = f"sh -c 'setsid cat {fifo} & echo {VALUE}'"
    ctui(tmp_path, "secret", "set", "TOKEN", "--from-command", command)
    found: list[str] = []
    reading = threading.Thread(
        target=lambda: found.append(value(paths, "TOKEN")), name="reader", daemon=True
    )
    reading.start()
    reading.join(20)
    early = list(found)
    with fifo.open("w"):
        pass  # the helper ends
    reading.join()
    assert early == [VALUE]


@pytest.mark.parametrize("short", ["1234567", "assistant", "password1"])
def test_what_cannot_be_redacted_is_refused_unless_told(
    tmp_path: Path, paths: Paths, short: str
) -> None:
    """Issue: shorter than 8 bytes is refused unless --no-redact."""
    said = refused(tmp_path, "secret", "set", "PIN", given=short)
    assert "--no-redact" in said
    assert short not in said
    ctui(tmp_path, "secret", "set", "PIN", "--no-redact", given=short)
    assert read_values(paths, ["PIN"], {}) == ({"PIN": short}, [], None)
    ctui(tmp_path, "secret", "rotate", "PIN", given="7654321")
    assert read_values(paths, ["PIN"], {}) == ({"PIN": "7654321"}, [], None)


def test_newlines_stay_where_there_are_several_lines(tmp_path: Path, paths: Paths) -> None:
    """Issue: a secret with newlines, such as a private key."""
    key = "-----BEGIN KEY-----\nMIIEow\n-----END KEY-----\n"
    ctui(tmp_path, "secret", "set", "KEY", given=key)
    assert value(paths, "KEY") == key


def test_what_is_wrong_is_said(tmp_path: Path, paths: Paths) -> None:
    assert "is no variable's name" in refused(tmp_path, "secret", "set", "A-B", given=VALUE)
    assert "ctui's own" in refused(tmp_path, "secret", "set", "ANTHROPIC_API_KEY", given=VALUE)
    assert "is empty" in refused(tmp_path, "secret", "set", "A", given="\n")
    said = refused(tmp_path, "secret", "set", "BIG", given="ab1" * 100_000)
    assert "128 KiB" in said
    both = ["--from-env", "X", "--from-file", "Y"]
    assert "one place" in refused(tmp_path, "secret", "set", "A", *both, code=2)
    assert all_secrets(paths) == {}
    (paths.config / "secrets.json").parent.mkdir(parents=True, exist_ok=True)
    (paths.config / "secrets.json").write_text("{")
    assert "is damaged" in refused(tmp_path, "secret", "list")


def test_the_records_are_private(tmp_path: Path, paths: Paths) -> None:
    ctui(tmp_path, "secret", "set", "TOKEN", given=VALUE)
    file = paths.config / "secrets.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert VALUE.encode() not in file.read_bytes()
    assert msgspec.json.decode(file.read_bytes())["TOKEN"]["source"] == "file"


def test_a_task_is_refused_a_secret_that_is_not_there(repository: Path) -> None:
    said = refused(repository, "run", "go", "--secret", "NOWHERE")
    assert "there is no secret NOWHERE" in said
    assert "ctui secret set NOWHERE" in said
    bad = refused(repository, "run", "go", "--env", "A-B=1", code=2)
    assert "A-B is no variable's name" in bad


@pytest.mark.usefixtures("paths")
def test_debug_shows_no_secret_that_it_can_know(tmp_path: Path) -> None:
    ctui(tmp_path, "secret", "set", "TOKEN", given=VALUE)
    done = ctui(tmp_path, "--debug", "task", "show", VALUE, code=1)
    assert "[redacted]" in done.stderr
    assert VALUE not in done.stderr.rpartition("driver's log")[0]
