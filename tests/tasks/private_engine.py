"""An engine of a test's own, in a network namespace, with folders that nobody else uses."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

needs_engine_of_its_own = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("dockerd"), reason="needs root and dockerd"
)
_START_SECONDS = 60.0


class PrivateEngine:
    """A dockerd that may be killed: it has no other tasks than the test's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "docker.sock"
        self.data = folder / "data"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        return f"unix://{self.socket}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        daemon = (
            *("dockerd", "--host", self.host, "--data-root", str(self.data)),
            *("--exec-root", str(self.folder / "exec"), "--pidfile", str(self.folder / "pid")),
            *("--config-file", str(self.folder / "daemon.json")),
        )
        (self.folder / "daemon.json").write_text("{}")
        (self.folder / "pid").unlink(missing_ok=True)
        inner = "ip link set lo up && exec " + " ".join(daemon)
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["unshare", "--net", "sh", "-c", inner], stdout=log, stderr=log
            )
        self._wait()

    def kill(self) -> None:
        """Kill the engine and everything that it started, as a machine that crashes does."""
        process = self._process
        if process is None:
            return
        containerd = self.folder / "exec" / "containerd" / "containerd.pid"
        process.send_signal(signal.SIGKILL)
        process.wait()
        self._process = None
        _kill(containerd)
        # Nobody reaps it in a container without an init, and it would count as one that runs.
        containerd.unlink(missing_ok=True)

    def terminate(self) -> None:
        """Let it stop its containers and end."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            process.wait(60)

    def docker(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Run docker's command on it."""
        return subprocess.run(
            ["docker", "--host", self.host, *arguments], check=True, capture_output=True
        )

    def load(self, tag: str) -> None:
        """Copy an image from the engine that everybody uses."""
        with subprocess.Popen(["docker", "save", tag], stdout=subprocess.PIPE) as saved:
            subprocess.run(
                ["docker", "--host", self.host, "load"],
                stdin=saved.stdout,
                check=True,
                capture_output=True,
            )

    def _wait(self) -> None:
        end = time.monotonic() + _START_SECONDS
        ask = ["docker", "--host", self.host, "version"]
        while subprocess.run(ask, check=False, capture_output=True).returncode:
            assert self._process is not None
            if time.monotonic() > end or self._process.poll() is not None:
                raise AssertionError((self.folder / "log").read_text()[-2000:])
            time.sleep(0.2)


def _kill(pid_file: Path) -> None:
    try:
        os.kill(int(pid_file.read_text()), signal.SIGKILL)
    except (OSError, ValueError):
        return


@contextmanager
def private_engine(folder: Path, *, disk: str = "") -> Iterator[PrivateEngine]:
    """Run an engine, and leave nothing of it behind.

    Args:
        folder: to be made, for all that it has.
        disk: size of a file system of its own for images, containers and volumes, such as `4g`.
    """
    engine = PrivateEngine(folder)
    engine.data.mkdir(parents=True)
    if disk:
        of_its_own = ["mount", "-t", "tmpfs", "-o", f"size={disk}", "tmpfs", str(engine.data)]
        subprocess.run(of_its_own, check=True)
    try:
        engine.start()
        yield engine
    finally:
        with_containers = ["docker", "--host", engine.host, "ps", "-aq"]
        if engine._process is None:
            engine.start()
        found = subprocess.run(with_containers, capture_output=True, text=True, check=True)
        if names := found.stdout.split():
            engine.docker("rm", "-f", *names)
        engine.terminate()
        for mount in _mounts_below(folder):
            subprocess.run(["umount", "-l", mount], check=False)
        subprocess.run(["rm", "-rf", str(folder)], check=False)


def _mounts_below(folder: Path) -> list[str]:
    lines = Path("/proc/self/mounts").read_text().splitlines()
    found = [line.split()[1] for line in lines]
    return sorted((path for path in found if path.startswith(f"{folder}/")), reverse=True)
