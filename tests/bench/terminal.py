"""A program in a pty of its own, and when a text appears on it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_PATIENCE = 30.0


class Pty:
    """A terminal without limits: whatever is written is read at once."""

    def __init__(
        self, command: Sequence[str], environ: Mapping[str, str], size: tuple[int, int] = (120, 50)
    ) -> None:
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**environ, "TERM": "xterm-256color", "TEXTUAL_ANIMATIONS": "none"},
            start_new_session=True,
        )
        os.close(slave)
        self._master = master
        self._seen = bytearray()

    def press(self, keys: bytes) -> float:
        """Send keys; when that was."""
        self._seen.clear()
        sent = time.perf_counter()
        os.write(self._master, keys)
        return sent

    def until(self, *texts: str) -> float:
        """When the last of these texts had appeared, since the last key or the start."""
        missing = {text.encode() for text in texts}
        end = time.perf_counter() + _PATIENCE
        while missing:
            self._read(end - time.perf_counter())
            missing = {text for text in missing if text not in self._seen}
        return time.perf_counter()

    def drain(self, seconds: float) -> None:
        """Read whatever comes for so long."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            if select.select([self._master], [], [], left)[0]:
                os.read(self._master, 1 << 16)

    def processor_seconds(self) -> float:
        """What the program has used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    def _read(self, patience: float) -> None:
        if patience <= 0 or not select.select([self._master], [], [], patience)[0]:
            raise TimeoutError(bytes(self._seen[-2000:]).decode("utf-8", "replace"))
        self._seen += os.read(self._master, 1 << 16)
