"""What all tests share: folders of their own, real repositories, and one demo world."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from ctui.demo.world import World, demo_world
from ctui.paths import Paths

Git = Callable[..., str]

ENGINE_WIDE = pytest.mark.xdist_group("engine-wide")
"""For tests that list or measure everything on the engine, or build images: one after another.

An engine refuses to measure its disk for two callers at once, and its lists of images are shared.
"""

# A busy machine makes an example slow and its data slow to draw, but not wrong. CI draws the same
# examples each time, so that a change is blamed only for what it did.
settings.register_profile(
    "ctui",
    deadline=None,
    max_examples=100,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ctui")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long: no worker is left alone with it at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the developer's own logins, settings or folders."""
    environ = environment_in(tmp_path)
    for name in set(os.environ) - set(environ):
        monkeypatch.delenv(name)
    for name, value in environ.items():
        if os.environ.get(name) != value:
            monkeypatch.setenv(name, value)


def environment_in(folder: Path) -> dict[str, str]:
    """Return the environment of a developer who has no ctui yet, and uses this folder."""
    foreign = (
        *("CTUI_", "ANTHROPIC_", "CLAUDE_", "GIT_AUTHOR", "GIT_COMMITTER"),
        "PYTHONDONTWRITEBYTECODE",  # each process would compile ctui anew
    )
    environ = {name: v for name, v in os.environ.items() if not name.startswith(foreign)}
    return {
        **environ,
        "CTUI_HOME": str(folder / "ctui"),
        "CLAUDE_CONFIG_DIR": str(folder / "claude"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }


@pytest.fixture
def paths(own_environment: None) -> Paths:  # noqa: ARG001 - it decides what the paths are
    return Paths.from_environment()


_AS_TEST = (
    # Root's worktrees belong to the uid that its tasks run as.
    *("-c", "safe.directory=*"),
    *("-c", "user.name=Test"),
    *("-c", "user.email=test@example.org"),
)


def git(folder: Path, *arguments: str) -> str:
    """Run a real git as a person would, with a fixed identity."""
    done = subprocess.run(
        ["git", *_AS_TEST, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository on main with two commits."""
    return make_repository(tmp_path)


def make_repository(parent: Path) -> Path:
    """Make a repository on main with two commits, and return its folder."""
    folder = parent / "repository"
    shutil.copytree(_prepared(), folder, symlinks=True)
    # What git remembers of its files is of the copied ones, and it would look at all of them anew.
    git(folder, "update-index", "-q", "--refresh")
    return folder


@cache
def _prepared() -> Path:
    """Make the repository once in each process of the tests; all others are copies of it."""
    parent = Path(tempfile.mkdtemp(prefix="ctui-repository-"))
    atexit.register(shutil.rmtree, parent)
    with pytest.MonkeyPatch.context() as patch:  # it is the same whichever test is the first
        patch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        return _make(parent / "repository")


def _make(folder: Path) -> Path:
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "hello.txt").write_text("hello\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "Say hello")
    (folder / "hello.txt").write_text("hello\nworld\n")
    git(folder, "commit", "-q", "-a", "-m", "Greet the world")
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of a person whom git knows."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.org\n")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    return folder


@pytest.fixture
def known_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let git know who commits, wherever nothing else says it."""
    file = tmp_path / "system.gitconfig"
    file.write_text("[user]\n\tname = Ada\n\temail = ada@example.org\n")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", str(file))


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    """A scripted model on a network of its own, and folders that only this test uses."""
    async with demo_world() as made:
        yield made


@pytest.fixture(scope="session", autouse=True)
def no_pager() -> Iterator[None]:
    os.environ["GIT_PAGER"] = "cat"
    yield
    del os.environ["GIT_PAGER"]
