"""Modules that a short command loads: most of its time is their loading.

What a command loads anew belongs into its row here only if it cannot do without it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_PROGRAM = """
import sys
from ctui.__main__ import main
code = main()
print(*sys.modules, file=sys.stderr)
sys.exit(code)
"""

_EVERY = {"__main__", "demo", "errors", "text"}
_CLI = {*_EVERY, "cli", "files", "paths", "small_file"}
_SECTIONS = ("gateway_section", "own_sections", "task_sections")
_CONFIG = {"host_port"} | {f"config.{name}" for name in ("load", "model", "sizes", *_SECTIONS)}
_GIT = {"file_lock", "git.process", "git.repository"}
_WORKTREES = {
    *_CLI,
    *_CONFIG,
    *_GIT,
    *("client.worktrees", "git.exchange", "git.hostile", "humanize", "reaping"),
    *("tasks.database", "tasks.task_state", "worktrees"),
}
_GIT_LIBRARIES = {"click", "msgspec", "pygit2"}

_ROOMS: dict[str, tuple[set[str], set[str]]] = {
    "--version": ({"__main__"}, set()),
    "worktree list": (_WORKTREES, _GIT_LIBRARIES),
    "worktree clean --dry-run": ({*_WORKTREES, "environments"}, _GIT_LIBRARIES),
    "env show": (
        {
            *_CLI,
            *_CONFIG,
            *_GIT,
            "config.variables",
            "environments",
            "humanize",
            "sandbox.named_ports",
            "rmtree",
            "sandbox.services",
        },
        _GIT_LIBRARIES,
    ),
    "task list": (
        {
            *_CLI,
            *_CONFIG,
            *("claude.login.platform", "claude.mcp", "claude.protocol.fields"),
            *("claude.protocol.todos", "tasks.activity"),
            *(
                "humanize",
                "sandbox.named_ports",
                "sandbox.runner",
                "sandbox.services",
                "sandbox.spec",
            ),
            *("tasks.database", "tasks.grants", "tasks.host_rules", "tasks.model", "tasks.store"),
            *("tasks.task_state", "tasks.threads", "tasks.turn"),
        },
        {"click", "msgspec"},
    ),
}
"""Command -> what it may load of ctui (a module, or a room with all that is in it), and which
libraries beside Python's own."""

_COMING_ALONG = {"_cffi_backend", "typing_extensions"}
"""Loaded by libraries."""

_SLOW = {"asyncio", "difflib", "tomllib", "urllib.request"}
"""Parts of Python that take long to load."""

_LOOPS = {"worktree list", "worktree clean --dry-run"}
"""Commands that wait for several processes, and so need asyncio."""


@pytest.fixture(scope="module")
def loaded(
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, set[str]]:
    """Return the modules that each command has loaded, in a repository without anything."""
    folder = tmp_path_factory.mktemp("start-up")
    subprocess.run(["git", "init", "-q", "-b", "main", folder], check=True)
    begin = ["commit", "-q", "--allow-empty", "-m", "Begin"]
    who = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", "-C", folder, *who, *begin], check=True)
    return {command: _modules(folder, command.split()) for command in _ROOMS}


def _modules(folder: Path, arguments: list[str]) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *arguments],
        cwd=folder,
        env={**os.environ, "CTUI_HOME": str(folder / "home")},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("command", _ROOMS)
def test_a_short_command_loads_no_more_of_ctui_than_it_needs(
    loaded: dict[str, set[str]], command: str
) -> None:
    allowed = {f"ctui.{room}" for room in _ROOMS[command][0]}
    ours = {name for name in loaded[command] if name.startswith("ctui.")}
    beyond = {
        name
        for name in ours
        if not any(name == room or name.startswith(f"{room}.") for room in allowed)
        # The packages around what is allowed have nothing but their docstrings.
        and not any(room.startswith(f"{name}.") for room in allowed)
    }
    assert not beyond
    unused = {
        room for room in allowed if not any(f"{name}.".startswith(f"{room}.") for name in ours)
    }
    assert not unused


@pytest.mark.parametrize("command", _ROOMS)
def test_a_short_command_loads_no_more_libraries_than_it_needs(
    loaded: dict[str, set[str]], command: str
) -> None:
    names = {name.partition(".")[0] for name in loaded[command]}
    foreign = names - {*sys.stdlib_module_names, *_COMING_ALONG, "ctui", "__mp_main__"}
    # An installer's own hooks run in every interpreter.
    assert {name for name in foreign if not name.startswith("_")} == _ROOMS[command][1]
    slow = _SLOW & loaded[command]
    assert slow == ({"asyncio"} if command in _LOOPS else set())
