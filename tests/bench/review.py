"""A review of 10,000 changed lines in 300 files: how soon it is there, and how it scrolls."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from ctui.demo.repository import make_demo_repository
from ctui.demo.world import World, demo_world
from tests.bench.figures import ratio
from tests.bench.screen import quantile, run_ctui
from tests.bench.terminal import Pty
from tests.conftest import git

_FILES = 300
_PAIRS = 17
"""Lines of each file that are changed: so many are removed, and as many added."""
_PAGES = 150
_PAGE_DOWN = b"\x1b[6~"
_HOME = b"\x1b[H"
_DOWN = b"\x1b[B"


async def review() -> None:
    """From the key to the first changed line, against a review of one line; and page by page."""
    async with demo_world() as world:
        repository = _repository(world)
        app = Pty([sys.executable, "-m", "ctui", str(repository)], world.environ)
        app.until("a-large", "b-small")
        app.drain(4)
        ours: list[float] = []
        theirs: list[float] = []
        for _ in range(8):
            ours.append(_opened(app, _HOME, "begin_of_a"))
            theirs.append(_opened(app, _DOWN, "begin_of_b"))
        ratio("review, 10,000 lines / one", "<= 2.0", ours[1:], theirs[1:])
        pages, steps = zip(*_pages(app), strict=True)
        app.close()
        for name, place, wanted in (("p50", 0.5, 20), ("p99", 0.99, 33)):
            page, step = quantile(list(pages), place), quantile(list(steps), place)
            print(
                f"a page of a review, {name:<14} {(page - step) * 1000:+5.0f} ms "
                f"(wanted <= +{wanted}) {page * 1000:.0f} ms, {step * 1000:.0f} ms by a line"
            )


def _opened(app: Pty, choose: bytes, text: str) -> float:
    """Seconds from the key that opens the review of a worktree to its first changed line."""
    app.press(_HOME)
    app.drain(0.3)
    app.press(choose)
    app.drain(0.5)
    sent = app.press(b"v")
    took = app.until(text) - sent
    app.drain(1.0)
    app.press(b"q")
    app.drain(0.7)
    return took


def _pages(app: Pty) -> Iterator[tuple[float, float]]:
    """Yield the seconds from a key to a new page, and to the cursor on the next line of it."""
    app.press(_HOME)
    app.drain(0.3)
    app.press(b"v")
    app.until("begin_of_a")
    app.drain(0.1)  # not longer: most of it is read while somebody scrolls
    for number in range(_PAGES):
        sent = app.press(_PAGE_DOWN)
        page = app.until("changed_") - sent
        app.drain(0.02 + 0.005 * (number % 7))
        sent = app.press(_DOWN)
        yield page, app.until("changed_") - sent
        app.drain(0.02)


def _repository(world: World) -> Path:
    repository = make_demo_repository(world.folder / "repository")
    folder = repository / "code"
    folder.mkdir()
    for number in range(_FILES):
        (folder / f"module_{number:03}.py").write_text(_code(number, changed=False))
    (repository / "a.py").write_text("begin = 1\n")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "Code")
    for name in ("a-large", "b-small"):
        run_ctui(world, repository, "worktree", "create", name)
        place = next(world.paths.worktrees.glob(f"*/{name}"))
        (place / "a.py").write_text(f"begin_of_{name[0]} = 1\n")
        for number in range(_FILES if name == "a-large" else 0):
            (place / "code" / f"module_{number:03}.py").write_text(_code(number, changed=True))
        git(place, "commit", "-q", "-a", "-m", "Change it")
    return repository


def _code(number: int, *, changed: bool) -> str:
    lines = []
    for line in range(120):
        name = "changed" if changed and line % 7 == 0 and line < 7 * _PAIRS else "value"
        lines.append(f'    {name}_{line} = function_{number}(argument, "{line}")  # of {number}')
    return "def module() -> None:\n" + "\n".join(lines) + "\n"
