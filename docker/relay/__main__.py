"""The first process of a task's container: it stands between the engine's streams and the CLI.

The CLI ends when it reads half a line, and its stdin must never close; the engine promises neither.
So the relay reads stdin, passes on complete JSON objects and nothing else, and outlives whoever
writes. Its first line carries what must not be visible in the container's configuration, and what
the home folder is to be when the CLI starts (`home`):

    {"env": {"NAME": "value"}, "files": {"path below $HOME": {"content": "text", "mode": 384}},
     "guard": ["path"], "known": {"path": ["SHA-256"]}, "start": ["command"],
     "measure_seconds": 60}

The CLI may run what a model wrote, under the uid that all of this has. So nothing that it starts
may reach the relay or what lies between the two:

- The relay hides itself (`kernel.hide`); the CLI's binary cannot be read, which hides the CLI.
- The CLI's stdin, stdout and stderr are sockets: unlike a pipe, a socket is not opened anew through
  /proc. The engine's streams are the relay's alone.
- Signals from inside the container do not count.
- The relay's own lines are on stderr, JSON objects with the key `ctui_relay`, and are the only
  lines there that begin with a brace: those of the CLI that would get `| ` in front (`streams`).
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import sys
import threading
import time
from typing import Any, NamedTuple

import home
import kernel
import start_commands
from beside import Network
from streams import LINE_LIMIT, READ_SIZE, Lines, Pump, Sink, Teller, json_object

FORWARDED = {
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
}
ENDING = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
"""Signals that end a relay that has no child to pass them on to."""
MEASURE_SECONDS = 60.0
FIRST_SECONDS = 5.0
"""Seconds until the home is measured first; then it is measured less and less often."""
EXPOSED_SECONDS = 1.0
"""Seconds after its start by which the kernel has decided who may look into the CLI."""


class Child(NamedTuple):
    """The CLI as it runs."""

    pid: int
    input: socket.socket
    pumps: tuple[Pump, Pump]


class Relay:
    """Relay of lines and signals to the CLI, which the first line starts, and of the CLI's end."""

    def __init__(self, arguments: list[str]) -> None:
        self._arguments = arguments
        self._home = os.environ.get("HOME", "/")
        self._out, self._err = Sink(1), Sink(2)
        self._tell = Teller(self._err)
        self._lines = Lines(self._tell)
        self._signals = kernel.Signals({*FORWARDED, signal.SIGCHLD})
        self._selector = selectors.PollSelector()
        self._selector.register(self._signals.fd, selectors.EVENT_READ)
        self._reading = False
        self._ended = False
        self._waiting = bytearray()
        self._network = Network()

    def run(self) -> int:
        """Relay until the child ends; return its exit status as a shell would give it."""
        message, early = self._first_message()
        try:
            child, resumed = self._start(message)
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            self._tell("failed", reason=f"{type(error).__name__}: {error}")
            return 127
        every = float(message.get("measure_seconds") or MEASURE_SECONDS)
        del message
        self._tell("started", pid=child.pid, resumed=resumed)
        threading.Thread(target=self._look_after, args=(child, every), daemon=True).start()
        code = self._pass_on(child, early)
        for pump in child.pumps:
            pump.finish()
        self._tell("exited", code=code)
        self._err.close()
        return code

    # -- the beginning

    def _first_message(self) -> tuple[dict[str, Any], list[bytes]]:
        """Wait for the first line, and return it with the complete lines that came behind it."""
        self._read_on()
        while True:
            for key, _ in self._selector.select():
                if key.fd == self._signals.fd:
                    for number in self._signals.take():
                        if number in ENDING:
                            sys.exit(128 + number)
                    continue
                data = os.read(0, READ_SIZE)
                if not data:
                    # Nobody will ever say anything: the engine closed stdin for good.
                    sys.exit(0)
                complete = self._lines.feed(data)
                for index, line in enumerate(complete):
                    value = json_object(line)
                    if value is not None and isinstance(value.get("env"), dict):
                        return value, complete[index + 1 :]

    def _start(self, message: dict[str, Any]) -> tuple[Child, bool]:
        moved = home.set_aside(self._home, message.get("guard", ()), message.get("known", {}))
        if moved:
            self._tell("set_aside", paths=moved)
        home.write_files(message.get("files", {}), self._home)
        arguments, resumed = home.with_session(self._arguments, self._home)
        environment = {**os.environ, **{str(k): str(v) for k, v in message["env"].items()}}
        self._network.wait()
        start_commands.begin(message.get("start", ()), environment, self._tell)
        return self._spawn(arguments, environment), resumed

    def _spawn(self, arguments: list[str], environment: dict[str, str]) -> Child:
        """Start the CLI on three sockets, each of which goes one way."""
        ours, theirs = zip(*(socket.socketpair() for _ in range(3)), strict=True)
        ours[0].shutdown(socket.SHUT_RD)
        for output in ours[1:]:
            output.shutdown(socket.SHUT_WR)
        pid = os.posix_spawnp(
            arguments[0],
            arguments,
            environment,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, end.fileno(), number) for number, end in enumerate(theirs)
            ],
            setsigmask=(),
            setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),
        )
        for end in theirs:
            end.close()
        ours[0].setblocking(False)
        pumps = (
            Pump(ours[1], self._out, self._tell, mark=False),
            Pump(ours[2], self._err, self._tell, mark=True),
        )
        for pump in pumps:
            pump.start()
        return Child(pid, ours[0], pumps)

    # -- while it runs

    def _pass_on(self, child: Child, early: list[bytes]) -> int:
        self._take(child, early)
        while (status := self._reap(child)) is None:
            for key, _ in self._selector.select():
                if key.fd == self._signals.fd:
                    for number in self._signals.take():
                        if number in FORWARDED:
                            with contextlib.suppress(ProcessLookupError):
                                os.kill(child.pid, number)
                elif key.fd == 0:
                    self._read(child)
                else:
                    self._write(child)
        return status

    def _read_on(self) -> None:
        if not self._reading and not self._ended:
            self._selector.register(0, selectors.EVENT_READ)
            self._reading = True

    def _read_no_more(self) -> None:
        if self._reading:
            self._selector.unregister(0)
            self._reading = False

    def _read(self, child: Child) -> None:
        data = os.read(0, READ_SIZE)
        if not data:
            # The engine's end is gone, the conversation is not.
            self._ended = True
            self._read_no_more()
            return
        self._take(child, self._lines.feed(data))

    def _take(self, child: Child, lines: list[bytes]) -> None:
        for line in lines:
            value = json_object(line)
            if value is not None and "type" not in value and isinstance(value.get("env"), dict):
                continue  # the first line once more: whoever sent it could not know that it came
            if value is not None:
                self._waiting += line + b"\n"
            elif line.strip():
                self._tell("dropped", bytes=len(line))
        self._write(child)

    def _write(self, child: Child) -> None:
        try:
            while self._waiting:
                written = child.input.send(self._waiting[:READ_SIZE])
                del self._waiting[:written]
        except BlockingIOError:
            pass
        except OSError:
            self._waiting.clear()
        self._watch(child)

    def _watch(self, child: Child) -> None:
        watched = child.input.fileno() in self._selector.get_map()
        if self._waiting and not watched:
            self._selector.register(child.input, selectors.EVENT_WRITE)
        elif not self._waiting and watched:
            self._selector.unregister(child.input)
        if len(self._waiting) > LINE_LIMIT:
            self._read_no_more()
        elif len(self._waiting) <= LINE_LIMIT // 2:
            self._read_on()

    def _reap(self, child: Child) -> int | None:
        """Collect every process that ended: as the first one, the relay inherits all orphans."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
            except ChildProcessError:
                return 1
            if pid == 0:
                return None
            if pid != child.pid:
                continue
            if os.WIFSTOPPED(status):
                # Whoever stops it could only mean to keep it from answering.
                os.kill(pid, signal.SIGCONT)
                continue
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code

    def _look_after(self, child: Child, every: float) -> None:
        """Tell how large the home folder is when that has changed, and that the CLI is exposed."""
        told = home.Size(0, 0)
        pause = min(FIRST_SECONDS, every)
        time.sleep(EXPOSED_SECONDS)
        if os.getpid() == 1 and not kernel.is_hidden(child.pid):
            self._tell("exposed", pid=child.pid)
        while True:
            time.sleep(pause)
            pause = min(every, pause * 2)
            with contextlib.suppress(OSError):
                size = home.measure(self._home)
                if size.differs(told):
                    self._tell("home", bytes=size.bytes, files=size.files)
                    told = size


def main() -> int:
    """Run the command line behind the relay."""
    kernel.hide()
    return Relay(sys.argv[1:]).run()


if __name__ == "__main__":
    status = main()
    # Nothing waits for the threads: what they had to say is said.
    os._exit(status)
