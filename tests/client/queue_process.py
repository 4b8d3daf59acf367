"""A process in a queue of landings: it says what happens, and ends as stdin says."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from ctui.client.landing.queue import turn


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def main(folder: str, name: str) -> None:
    def waits(other: str) -> None:
        say(f"waits for {other}")

    async with turn(Path(folder), Path("/repository/.git"), "refs/heads/main", name, waits):
        say("turn")
        if sys.stdin.readline().strip() == "fail":
            raise SystemExit(1)
    say("done")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
