"""The person's git environment: what counts, and what would redirect what ctui writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ctui.git.process import caller
from ctui.git.process.command import run_git
from ctui.git.process.environment import PASSED, WITHHELD, passed
from ctui.git.repository.repository import open_repository
from ctui.worktrees.create import create_worktree
from ctui.worktrees.landing.checkouts import linked_checkout
from ctui.worktrees.landing.commit import commit_all
from ctui.worktrees.landing.land import land
from tests.conftest import git, make_repository

OURS = {
    "GIT_CONFIG_COUNT",
    "GIT_DIR",
    "GIT_EDITOR",
    "GIT_EXEC_PATH",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_NO_LAZY_FETCH",
    "GIT_OPTIONAL_LOCKS",
    "GIT_PREFIX",
    "GIT_TERMINAL_PROMPT",
}
"""What a program has that git starts for ctui, beside the settings."""


async def _environment(repository: Path) -> dict[str, str]:
    """Return the environment of what git starts."""
    output = await run_git(
        ["show-it"], git_dir=repository / ".git", config={"alias.show-it": "!env -0"}
    )
    lines = output.stdout.decode().split("\0")
    return dict(line.split("=", 1) for line in lines if "=" in line)


@pytest.fixture
def hostile(
    repository: Path,  # noqa: ARG001 - made before
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Path]:
    """All that is withheld, as it would redirect what ctui writes into another repository."""
    (tmp_path / "decoys").mkdir()
    decoy = make_repository(tmp_path / "decoys")
    values = {
        "GIT_DIR": f"{decoy}/.git",
        "GIT_COMMON_DIR": f"{decoy}/.git",
        "GIT_WORK_TREE": str(decoy),
        "GIT_INDEX_FILE": f"{decoy}/.git/index",
        "GIT_OBJECT_DIRECTORY": f"{decoy}/.git/objects",
        "GIT_CONFIG": f"{decoy}/.git/config",
        "GIT_NAMESPACE": "decoy",
        "GIT_EXEC_PATH": "/nowhere",
        "GIT_ALLOW_PROTOCOL": "ext",
        "GIT_TRACE": str(tmp_path / "trace"),
        "GIT_CONFIG_PARAMETERS": f"'core.hooksPath'='{tmp_path}'",
    }
    with monkeypatch.context() as patch:
        for name in WITHHELD:
            patch.setenv(name, values.get(name, "1"))
        yield decoy
    assert git(decoy, "for-each-ref", "--format=%(refname)") == "refs/heads/main"
    assert git(decoy, "status", "--porcelain") == ""
    assert git(decoy, "log", "--format=%s") == "Greet the world\nSay hello"
    assert not (tmp_path / "trace").exists()


async def test_nothing_redirects_what_ctui_writes(
    repository: Path, hostile: Path, tmp_path: Path, home: Path
) -> None:
    """G16: worktree, commit and landing are in the repository that was named, and nowhere else."""
    assert (hostile, home.is_dir()) == (tmp_path / "decoys" / "repository", True)
    found = open_repository(repository)
    record = await create_worktree(found, tmp_path / "worktrees", name="work")
    (Path(record.path) / "a").write_text("a")
    checkout = linked_checkout(found, Path(record.metadata), record)
    made = await commit_all(checkout, "Add a")
    assert made is not None
    landed = await land(found, checkout)
    assert found.resolve("refs/heads/main") == landed.after
    assert (repository / "a").read_text() == "a"


@pytest.mark.usefixtures("hostile")
async def test_what_is_withheld_reaches_no_program_that_git_starts(repository: Path) -> None:
    seen = await _environment(repository)
    given = {name for name in seen if name.startswith("GIT_")}
    assert {n for n in given - OURS if not n.startswith(("GIT_CONFIG_KEY", "GIT_CONFIG_VAL"))} == (
        set()
    )
    assert (seen["GIT_DIR"], seen["GIT_EDITOR"]) == (str(repository / ".git"), ":")
    assert seen["GIT_EXEC_PATH"] != "/nowhere"


async def test_the_persons_configuration_counts(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G16: `GIT_CONFIG_GLOBAL`, `GIT_CONFIG_COUNT` and `GIT_LFS_SKIP_SMUDGE` were stripped."""
    (tmp_path / "global").write_text("[user]\n\tname = Global\n[core]\n\tabbrev = 11\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "global"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "2")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.name")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "Shell = one")
    monkeypatch.setenv("GIT_CONFIG_KEY_1", "core.hooksPath")
    monkeypatch.setenv("GIT_CONFIG_VALUE_1", "/evil")
    monkeypatch.setenv("GIT_LFS_SKIP_SMUDGE", "1")

    async def setting(name: str) -> str:
        output = await run_git(["config", name], git_dir=repository / ".git")
        return output.stdout.decode().strip()

    assert await setting("core.abbrev") == "11"
    assert await setting("user.name") == "Shell = one"
    # What keeps programs from running is stronger than the person's own.
    assert await setting("core.hooksPath") == "/dev/null"
    assert (await _environment(repository))["GIT_LFS_SKIP_SMUDGE"] == "1"


@pytest.mark.parametrize("count", ["-1", "x", "", "3", "9" * 30])
async def test_pairs_that_are_no_pairs_are_left_out(
    repository: Path, monkeypatch: pytest.MonkeyPatch, count: str
) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", count)
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.name")
    output = await run_git(
        ["config", "core.hooksPath"], git_dir=repository / ".git", config={"user.email": "a@b"}
    )
    assert output.stdout == b"/dev/null\n"


async def test_how_a_remote_is_reached_counts_only_where_one_is(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PASSED:
        monkeypatch.setenv(
            name, "/dev/null" if name.endswith(("GLOBAL", "SYSTEM")) and "NO" not in name else "1"
        )
    seen = await _environment(repository)
    assert {name for name in PASSED if name in seen} == {
        name for name, (use, _) in PASSED.items() if use == "always"
    }
    assert passed(caller.environ(), "network")["GIT_SSH_COMMAND"] == "1"


def test_every_variable_has_one_reason() -> None:
    assert not PASSED.keys() & WITHHELD.keys()
    assert all(reason for _, reason in PASSED.values())
    assert all(WITHHELD.values())


async def test_what_a_command_brought_counts_instead_of_the_drivers_own(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G21: git, agent and proxies are those of the shell that the last command came from."""
    wrapper = tmp_path / "bin" / "git"
    wrapper.parent.mkdir()
    real = caller.environ()["PATH"]
    wrapper.write_text(f'#!/bin/sh\nPATH="{real}"\nexport BY=wrapper\nexec git "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("SSH_AUTH_SOCK", "/driver")
    monkeypatch.setenv("https_proxy", "http://driver")
    monkeypatch.setenv("GIT_LFS_SKIP_SMUDGE", "1")
    shell = caller.shell_of(
        {
            "PATH": f"{wrapper.parent}:{real}",
            "HOME": str(tmp_path),
            "SSH_AUTH_SOCK": "/person",
            "HTTPS_PROXY": "http://person",
            "LD_PRELOAD": "/evil.so",
            "GIT_DIR": "/evil",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "user.name",
            "GIT_CONFIG_VALUE_0": "Brought",
        }
    )
    assert not shell.keys() & {"LD_PRELOAD", "GIT_DIR"}
    with caller.working_for(shell | {"LD_LIBRARY_PATH": "/evil"}):
        seen = await _environment(repository)
        named = await run_git(["config", "user.name"], git_dir=repository / ".git")
    assert (seen["BY"], seen["SSH_AUTH_SOCK"]) == ("wrapper", "/person")
    assert (seen["HTTPS_PROXY"], seen["HOME"]) == ("http://person", str(tmp_path))
    assert not seen.keys() & {"https_proxy", "GIT_LFS_SKIP_SMUDGE", "LD_LIBRARY_PATH"}
    assert named.stdout == b"Brought\n"

    seen = await _environment(repository)
    assert (seen["SSH_AUTH_SOCK"], seen["https_proxy"]) == ("/driver", "http://driver")
    assert "BY" not in seen
