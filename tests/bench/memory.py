"""What an idle task costs the driver."""

from __future__ import annotations

from pathlib import Path

from ctui.client.connection import driver_pid
from ctui.demo.world import demo_world
from ctui.paths import private_folder
from tests.conftest import make_repository
from tests.tasks.conftest import Person

_MORE = 8
_PRIVATE = ("Private_Clean:", "Private_Dirty:")


async def memory() -> None:
    """The driver's private memory beside nine idle tasks against that beside one."""
    async with demo_world() as world:
        private_folder(world.paths.state)
        person = Person(world, make_repository(world.folder))
        async with person.client:
            sizes = []
            for number in range(1 + _MORE):
                await person.start(f"idle-{number}", "say Hi.")
                await person.idle(f"idle-{number}")
                pid = await driver_pid(world.paths)
                if pid is None:
                    raise SystemExit("the driver is gone")
                sizes.append(_private(pid))
    each = (sizes[-1] - sizes[0]) / _MORE
    print(
        f"{'driver memory, each idle task':<34} {each / 1e6:5.2f} MB (wanted < 5)   "
        f"{sizes[0] / 1e6:.1f} MB with one, {sizes[-1] / 1e6:.1f} MB with {len(sizes)}"
    )


def _private(pid: int) -> int:
    """Bytes that a process shares with no other."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(_PRIVATE))
