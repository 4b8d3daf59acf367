"""`ctui setup` with nobody to ask, `ctui doctor`, and `--debug`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import msgspec
import pytest

from ctui.cli.shapes import DoneStep
from ctui.client.health.mending import mend_engine
from ctui.paths import Paths
from tests.cli.commands import at_terminal, ctui, refused

TOKEN = "sk-ant-oat-0123456789abcdef"


def stored(paths: Paths) -> str:
    return (paths.config / "credential").read_text()


def test_a_token_comes_from_stdin_or_a_file_and_is_never_shown(
    tmp_path: Path, paths: Paths
) -> None:
    setup = ("setup", "--no-image")
    done = ctui(tmp_path, *setup, "--token-file", "-", given=f" {TOKEN}\n")
    assert stored(paths) == f"oauth:{TOKEN}"
    assert TOKEN not in done.stdout + done.stderr
    (tmp_path / "key").write_text("sk-ant-api-0123456789")
    ctui(tmp_path, *setup, "--token-file", "key")
    assert stored(paths) == "api-key:sk-ant-api-0123456789"
    # Again, and without a token: what is there stays.
    again = ctui(tmp_path, *setup, "--json").stdout
    [step] = msgspec.json.decode(again, type=list[DoneStep])
    assert (step.name, step.done) == ("login", False)
    assert stored(paths) == "api-key:sk-ant-api-0123456789"
    said = ctui(tmp_path, "setup", "--logout").stdout
    assert said == "login    the login is forgotten\n"
    again = ctui(tmp_path, "setup", "--logout").stdout
    assert again == "login    nothing to forget: no login is stored\n"
    assert not (paths.config / "credential").exists()


def test_a_login_in_the_environment_will_do_and_is_not_stored(tmp_path: Path, paths: Paths) -> None:
    said = ctui(tmp_path, "setup", "--no-image", CLAUDE_CODE_OAUTH_TOKEN=TOKEN).stdout
    assert "CLAUDE_CODE_OAUTH_TOKEN" in said
    assert not (paths.config / "credential").exists()


def test_a_platform_needs_no_login_but_its_own_key(
    tmp_path: Path, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    del paths
    monkeypatch.setenv("CLAUDE_CODE_USE_FOUNDRY", "1")
    monkeypatch.setenv("ANTHROPIC_FOUNDRY_RESOURCE", "mine")
    key = "a-foundry-key"
    said = ctui(tmp_path, "setup", "--no-image", ANTHROPIC_FOUNDRY_API_KEY=key).stdout
    assert "tasks use Microsoft Foundry (mine)" in said
    assert key not in said
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert "or set ANTHROPIC_FOUNDRY_API_KEY" in refused(tmp_path, "setup", "--no-image")


@pytest.mark.parametrize(
    ("arguments", "given", "said"),
    [
        ((), "", "no login"),
        (("--token-file", "-"), "", "no token on stdin"),
        (("--token-file", "-"), "two words", "is not a token"),
        (("--token-file", "nowhere"), "", "there is no file"),
        (("--token-file", "."), "", "no regular file"),
        ((), "TOKEN=abcdefgh", "an assignment"),
    ],
)
def test_no_token_is_one_line(
    tmp_path: Path, paths: Paths, arguments: tuple[str, ...], given: str, said: str
) -> None:
    assert said in refused(tmp_path, "setup", "--no-image", *arguments, given=given)
    assert not (paths.config / "credential").exists()


def test_at_a_terminal_nothing_typed_keeps_the_login(tmp_path: Path, paths: Paths) -> None:
    code, shown = at_terminal(tmp_path, "setup", "--no-image", asked="Token", typed=f"{TOKEN}\n")
    assert (code, TOKEN in shown) == (0, False)
    code, shown = at_terminal(tmp_path, "setup", "--no-image", asked="Token", typed="\n")
    assert code == 0
    assert "config/credential" in shown
    assert stored(paths) == f"oauth:{TOKEN}"


def test_ctrl_c_is_130(tmp_path: Path, paths: Paths) -> None:
    code, shown = at_terminal(tmp_path, "setup", "--no-image", asked="Token", typed="\x03")
    assert code == 130
    assert "interrupted" in shown
    assert not paths.config.exists()


def test_doctor_names_a_command_for_everything_that_is_missing(
    tmp_path: Path, paths: Paths
) -> None:
    paths.config.mkdir(parents=True, mode=0o700)
    paths.config_file.write_text("[claude]\nmodle = 1\n")
    text = ctui(
        tmp_path, "doctor", "--json", code=1, DOCKER_HOST=f"unix://{tmp_path}/no.sock"
    ).stdout
    missing = {check["name"]: check["mend"] for check in json.loads(text) if not check["ok"]}
    assert set(missing) == {"config", "login", "engine"}
    assert "ctui config edit" in missing["config"]
    assert "ctui setup" in missing["login"]
    assert "unset DOCKER_HOST" in missing["engine"]


def test_what_mends_an_engine_is_told_from_what_can_be_seen(tmp_path: Path) -> None:
    (tmp_path / "docker").write_text("#!/bin/sh\n")
    (tmp_path / "docker").chmod(0o755)
    found = {"PATH": str(tmp_path)}
    gone = f"unix://{tmp_path}/gone.sock"
    assert "unset DOCKER_CONTEXT" in mend_engine(gone, {"DOCKER_CONTEXT": "x"})
    assert "install Docker" in mend_engine(gone, {"PATH": "/nowhere"})
    assert "start docker" in mend_engine(gone, found) or "open -a" in mend_engine(gone, found)
    assert "docker context use" in mend_engine("tcp://10.0.0.1:2376", found)
    if os.geteuid() != 0:
        (tmp_path / "closed.sock").touch(mode=0o000)
        assert "usermod" in mend_engine(f"unix://{tmp_path}/closed.sock", found)


def test_debug_shows_the_way_to_an_error_without_secrets(tmp_path: Path, paths: Paths) -> None:
    secret = "sk-ant-api-hidden-0123456789"
    done = ctui(
        tmp_path,
        *("--debug", "worktree", "list", "--repo", f"{tmp_path}/{secret}"),
        code=1,
        ANTHROPIC_API_KEY=secret,
    )
    assert "Traceback" in done.stderr
    assert str(paths.driver_log) in done.stderr
    shown, _, last = done.stderr.rstrip().rpartition("\n")
    assert secret not in shown
    assert last.startswith("ctui: ")
    # Behind the command it is nothing that ctui knows.
    refused(tmp_path, "worktree", "list", "--debug", code=2)
