"""Another user of the machine, who may enter the folders above a person's own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tasks.conftest import Person
from tests.tasks.faults import held, release

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user"),
]

_TRY = """
import os, socket, stat, sys
os.setgroups([]), os.setgid(4242), os.setuid(4242)
for path in sys.stdin.read().split("\\0"):
    for way, deed in {
        "listed": os.listdir,
        "read": lambda path: open(path, "rb").close(),
        "written": lambda path: open(path, "ab").close(),
        "filled": lambda path: os.mkdir(path + "/mine"),
        "spoken to": lambda path: socket.socket(socket.AF_UNIX).connect(path),
    }.items():
        try:
            deed(path)
        except OSError:
            continue
        print(way, path)
"""


def allowed_to_another(places: list[Path]) -> list[str]:
    """Return what a user without any rights of the person's can do with these."""
    done = subprocess.run(
        [sys.executable, "-c", _TRY],
        input="\0".join(map(str, places)),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


async def test_another_user_reads_nothing_and_speaks_to_nobody(person: Person) -> None:
    """T27: settings, store, journals, logs, the sockets of driver, gateway and runs, worktrees."""
    task = await held(person, "one", "say Done.")
    paths = person.world.paths
    person.world.folder.chmod(0o755)
    roots = {*paths, paths.driver_socket.parent, paths.gateway_folders}
    places = [place for root in roots for place in (root, *root.rglob("*"))]
    assert sum(place.is_socket() for place in places) >= 3
    assert await asyncio.to_thread(allowed_to_another, places) == []
    release(task)
    assert (await person.idle("one")).result == "Done."
    assert Path(task.worktree).is_dir()
