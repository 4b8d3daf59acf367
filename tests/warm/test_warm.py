"""A command of a warm interpreter is as one of a new interpreter."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.commands import ctui
from tests.cli.conftest import SEVENTH
from tests.conftest import git
from tests.warm import COMMAND, run, warm_argv


def told_by_each(
    folder: Path, *arguments: str, given: bytes = b""
) -> list[tuple[int, bytes, bytes]]:
    """What a new interpreter says, what a stand-in says, and what is said without one."""
    told = []
    for argv in (COMMAND, warm_argv(), warm_argv("servers")):
        done = subprocess.run(
            [*argv, *arguments],
            cwd=folder,
            input=given,
            capture_output=True,
            check=False,
        )
        told.append((done.returncode, done.stdout, done.stderr))
    told.append(run(folder, arguments, os.environ, given, 60))
    return told


def test_it_says_and_returns_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warm_argv()  # it starts before the environment is another
    monkeypatch.setenv("CTUI_CONFIG_DIR", "/elsewhere/é")
    (tmp_path / "bad.toml").write_text(SEVENTH)
    for arguments, code in (
        (("config", "validate", "bad.toml"), 1),
        (("--config-path",), 0),
        (("task", "answer"), 2),
        (("config", "\udcff"), 1),
    ):
        first, *others = told_by_each(tmp_path, *arguments)
        assert first[0] == code
        assert others == [first] * 3


def test_it_reads_stdin(tmp_path: Path) -> None:
    arguments = ("setup", "--no-image", "--token-file", "-")
    first, *others = told_by_each(tmp_path, *arguments, given=b"two words\xff")
    assert first[0] == 1
    assert others == [first] * 3


def test_git_s_configuration_is_that_of_each_home(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ada", "eve"):
        home = tmp_path / name
        home.mkdir()
        (home / ".gitconfig").write_text(
            f"[user]\n\tname = {name}\n\temail = {name}@example.org\n[safe]\n\tdirectory = *\n"
        )
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
        made = json.loads(ctui(repository, "worktree", "create", name, "--json").stdout)
        (Path(made["path"]) / "new").write_text("")
        ctui(repository, "worktree", "commit", name, "-m", "New")
        assert git(repository, "log", "-1", "--format=%an", made["branch"]) == name


def test_a_stand_in_passes_a_signal_on_and_ends_as_the_command(tmp_path: Path) -> None:
    environ = {**os.environ, "EDITOR": "sh -c 'echo begun; exec sleep 5'"}
    ended = []
    for argv in (COMMAND, warm_argv()):
        with subprocess.Popen(
            [*argv, "config", "edit"], cwd=tmp_path, env=environ, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"begun\n"
            process.terminate()
            ended.append(process.wait())
    assert ended == [-signal.SIGTERM] * 2


def test_what_takes_too_long_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    environ = {**os.environ, "EDITOR": f"sh -c 'echo $PPID > {file}; exec sleep 5'"}
    with pytest.raises(TimeoutError):
        run(tmp_path, ["config", "edit"], environ, b"", 1)
    end = time.monotonic() + 10
    while Path("/proc", file.read_text().strip()).exists():
        assert time.monotonic() < end
        time.sleep(0.01)
