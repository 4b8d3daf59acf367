"""The dashboard on a repository with a hundred worktrees of 5,000 files, on a real pty."""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from ctui.client.worktrees.observer import Observation, Observer
from ctui.demo.world import World, demo_world
from ctui.tui.support.worker_loop import WorkerLoop
from tests.bench.big_repository import MERGED, SQUASHED
from tests.bench.terminal import Pty
from tests.bench.worktrees import Field, late, make_field, p99

_EDITS = 20
_CROWD = 50_000
_REST = 20.0


async def many() -> None:
    """An edit, an idle minute, the first look, and the removal of a worktree of 50,000 files."""
    with tempfile.TemporaryDirectory() as folder:
        field = make_field(Path(folder))
        async with demo_world() as world:
            await _first_look(field, world)
            app = Pty(
                [sys.executable, "-m", "ctui", str(field.repository.work_tree)],
                world.environ,
                (120, 115),
            )
            try:
                # The last row that is looked at has its numbers then.
                app.until("b0", "b99")
                app.drain(30)
                _edits(app, field)
                _rest(app)
                _removal(app, field)
            finally:
                app.close()


async def _first_look(field: Field, world: World) -> None:
    """How late the screen's loop wakes up while the worker loop looks at all of them."""
    done = asyncio.Event()
    here = asyncio.get_running_loop()

    def told(seen: Observation) -> None:
        if seen.complete:
            here.call_soon_threadsafe(done.set)

    worker_loop = WorkerLoop()
    ticker = asyncio.create_task(late(done))

    async def observe() -> None:
        await Observer(world.paths, field.repository.common_dir, told).run()

    began = time.perf_counter()
    job = worker_loop.submit(observe())
    waits = await ticker
    took = time.perf_counter() - began
    job.cancel()
    await worker_loop.close()
    print(
        f"{'loop stall at the first look, p99':<34} {p99(waits) * 1000:5.1f} ms (wanted <= 30)   "
        f"longest {max(waits) * 1000:.1f} ms; all {len(field.worktrees)} known after {took:.1f} s"
    )


def _edits(app: Pty, field: Field) -> None:
    """From a file's change in the worktree that is highlighted to its number on the screen."""
    # The first of those that are not merged is what the list begins with.
    place = next(path for _, path in field.worktrees if path.name == f"b{MERGED + SQUASHED}")
    files = sorted(path for path in place.rglob("*") if path.is_file() and path.name != ".git")
    took: list[float] = []
    for number, file in enumerate(files[:_EDITS], 1):
        app.press(b"")
        began = time.perf_counter()
        file.write_text(f"changed {number}\n")
        took.append(app.until(f"~{number}") - began)
        app.drain(0.4)
    print(
        f"{'an edit to its row, median':<34} {statistics.median(took) * 1000:5.0f} ms "
        f"(wanted <= 150)   longest {max(took) * 1000:.0f} ms, n={len(took)}"
    )


def _rest(app: Pty) -> None:
    app.drain(5)
    before, began = app.processor_seconds(), time.perf_counter()
    app.drain(_REST)
    share = (app.processor_seconds() - before) / (time.perf_counter() - began)
    print(f"{'at rest with 100 worktrees':<34} {share * 100:5.2f} % of a core (wanted < 1)")


def _removal(app: Pty, field: Field) -> None:
    """From the last key to the list without the worktree, whatever is found afterwards."""
    place = field.worktrees[0][1]
    crowd = place / "crowd"
    crowd.mkdir()
    for number in range(_CROWD):
        (crowd / f"f{number}").write_text("x")
    (field.repository.common_dir / "info" / "exclude").write_text("crowd/\n")
    app.drain(5)
    app.press(b"c")
    app.drain(2)
    app.press(b" ")
    app.drain(1)
    sent = app.press(b"\r")
    gone = app.until("Cleanup  99 worktrees") - sent
    done = app.until(f"Removed: {place.name}") - sent
    print(
        f"{'removal of 50,000 files, row gone':<34} {gone * 1000:5.0f} ms (wanted <= 100)   "
        f"in the trash after {done * 1000:.0f} ms"
    )
