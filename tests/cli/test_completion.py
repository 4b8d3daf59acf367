"""Completion in the shells themselves, where they are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ctui.paths import Paths
from ctui.tasks.model import Task
from ctui.tasks.store import Store
from tests.cli.commands import ctui, refused

SHELLS = ("bash", "zsh", "fish")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A `ctui` on the path, which is this one."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "ctui"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m ctui "$@"\n')
    script.chmod(0o755)
    return folder


def completed(folder: Path, program: Path, line: str) -> list[str]:
    """What bash offers at the end of a command line."""
    script = (
        'eval "$(ctui completion bash)"\n'
        f"COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n"
        # Readline gives an empty last word where nothing is typed yet.
        '[ "$COMP_CWORD" -lt 1 ] && COMP_CWORD=1\n'
        "_ctui_completion ctui\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": f"{program}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_takes_its_script(tmp_path: Path, shell: str) -> None:
    script = ctui(tmp_path, "completion", shell).stdout
    assert "_CTUI_COMPLETE" in script
    if (found := shutil.which(shell)) is None:
        pytest.skip(f"{shell} is not installed")
    subprocess.run([found, "-n"], input=script, text=True, check=True, timeout=30)


def test_another_shell_is_wrong_usage(tmp_path: Path) -> None:
    assert "'csh'" in refused(tmp_path, "completion", "csh", code=2)


def test_bash_completes_commands_and_options(repository: Path, program: Path) -> None:
    assert completed(repository, program, "ctui wor") == ["worktree"]
    assert completed(repository, program, "ctui co") == ["completion", "config"]
    assert "validate" in completed(repository, program, "ctui config ''")
    assert completed(repository, program, "ctui clean --dr") == ["--dry-run"]
    assert completed(repository, program, "ctui --deb") == ["--debug"]


def test_bash_completes_names_of_tasks_and_worktrees(
    repository: Path, program: Path, paths: Paths
) -> None:
    ctui(repository, "worktree", "create", "cache-keys")
    store = Store(paths.database)
    for name in ("fix-login", "fix-logout", "docs"):
        place = str(repository / ".git")
        store.tasks.add(
            Task(
                id=name,
                repository=place,
                worktree=f"/{name}",
                metadata=None,
                branch=None,
                base=None,
                session="",
                prompt="",
            )
        )
    store.close()
    assert completed(repository, program, "ctui task show fix") == ["fix-login", "fix-logout"]
    assert completed(repository, program, "ctui worktree remove ca") == ["cache-keys"]
    assert completed(repository.parent, program, "ctui worktree remove ca") == []


def test_completing_a_task_loads_nothing_heavy(repository: Path) -> None:
    code = (
        "import sys, ctui.__main__\n"
        "try:\n    ctui.__main__.main()\n"
        "except SystemExit:\n    pass\n"
        "heavy = {'textual', 'mcp', 'docker', 'requests', 'pygit2', 'keyring'} & {*sys.modules}\n"
        "assert not heavy, heavy\n"
        "assert 'ctui.cli.task.run' not in sys.modules\n"
    )
    subprocess.run(
        [sys.executable, "-c", code],
        cwd=repository,
        env={
            **os.environ,
            "_CTUI_COMPLETE": "bash_complete",
            "COMP_WORDS": "ctui task show ",
            "COMP_CWORD": "3",
        },
        check=True,
        timeout=60,
    )
