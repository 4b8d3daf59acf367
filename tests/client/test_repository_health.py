"""What `ctui doctor` says of the repository that a person stands in."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from ctui.client.health.repository_health import repository_check
from tests.cli.test_bad_input import ctui
from tests.conftest import git
from tests.git.test_formats import reftable

ALLOWED = ("-c", "protocol.file.allow=always")


async def found(folder: Path) -> tuple[bool, str, str]:
    check = await repository_check(folder)
    assert check is not None
    return check.ok, check.found, check.mend


async def test_an_ordinary_one_and_none(repository: Path, tmp_path: Path) -> None:
    assert await found(repository) == (True, str(repository), "")
    assert await repository_check(tmp_path) is None


async def test_one_that_is_not_read(repository: Path) -> None:
    """G10: doctor names it as every command does."""
    reftable(repository)
    ok, what, mend = await found(repository)
    assert (ok, "keeps its refs as reftable" in what) == (False, True)
    assert mend.endswith("refs migrate --ref-format=files")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--bare",), "bare"),
        (("--depth=1",), "shallow"),
        (("--filter=blob:none",), "git fetch --refetch --no-filter origin"),
        (("--sparse",), "sparse"),
    ],
)
async def test_kinds(repository: Path, tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    """G5, G7, G8, G11: what is not usual is named."""
    git(repository, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", *options, f"file://{repository}", "clone")
    ok, what, _ = await found(tmp_path / "clone")
    assert ok
    assert said in what


async def test_a_bare_clone_that_follows_nothing(repository: Path, tmp_path: Path) -> None:
    """G7: `git clone --bare` does not know its remote's branches; the command makes it."""
    git(tmp_path, "clone", "-q", "--bare", str(repository), "bare.git")
    _, _, mend = await found(tmp_path / "bare.git")
    assert mend.endswith("(else nothing counts as pushed)")
    command = shlex.split(mend.partition(" (")[0])
    git(tmp_path, *command[1:])
    git(tmp_path / "bare.git", "fetch", "-q")
    assert git(tmp_path / "bare.git", "rev-parse", "origin/main")
    assert (await found(tmp_path / "bare.git"))[2] == ""


async def test_submodules_that_are_not_here(repository: Path, tmp_path: Path) -> None:
    """G9: what stays empty in tasks is said before one begins, with what fills it."""
    git(tmp_path, "init", "-q", "inner")
    git(tmp_path / "inner", "commit", "-q", "--allow-empty", "-m", "Inner")
    git(repository, *ALLOWED, "submodule", "--quiet", "add", str(tmp_path / "inner"), "sub")
    git(repository, "commit", "-q", "-m", "Link")
    assert (await found(repository))[2] == ""
    git(tmp_path, *ALLOWED, "clone", "-q", str(repository), "clone")
    ok, _, mend = await found(tmp_path / "clone")
    assert (ok, mend.startswith("git submodule update --init --recursive")) == (True, True)
    assert "sub" in mend


def test_it_is_a_line_of_doctor(repository: Path) -> None:
    """G10: and of its JSON."""
    reftable(repository)
    done = ctui(repository, "doctor", "--json")
    [check] = [check for check in json.loads(done.stdout) if check["name"] == "repo"]
    assert not check["ok"]
    assert done.returncode == 1
