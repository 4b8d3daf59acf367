"""`pip install ctui` leaves the servers out, and says how to get them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVERS = ("mcp", "starlette", "sse_starlette", "uvicorn", "websockets", "pydantic")


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """An environment whose packages are all but those of the servers."""
    packages = tmp_path / "packages"
    packages.mkdir()
    for entry in Path(pytest.__file__).parents[1].iterdir():
        if not entry.name.startswith(SERVERS):
            (packages / entry.name).symlink_to(entry)
    return {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{packages}"}


def ctui(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-S", "-P", "-m", "ctui", *arguments]
    return subprocess.run(
        command, env=environ, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [(["--mcp"], "mcp"), (["serve"], "serve"), (["serve", "token", "show"], "serve")],
)
def test_what_is_missing_is_one_line(
    bare: dict[str, str], arguments: list[str], extra: str
) -> None:
    done = ctui(bare, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.endswith(f"(pip install 'ctui[{extra}]')")


def test_everything_else_works_without_them(bare: dict[str, str], repository: Path) -> None:
    listing = ["worktree", "list", "--repo", str(repository)]
    for arguments in (["--help"], ["task", "list"], listing):
        done = ctui(bare, *arguments)
        assert done.returncode == 0, done.stderr
    shown = subprocess.run(
        [sys.executable, "-S", "-P", "-c", "import ctui.tui.app, ctui.tasks.driver.process"],
        env=bare,
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
