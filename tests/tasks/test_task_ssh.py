"""`ssh TASK.ctui` by OpenSSH's own client, into the sandbox of a real task."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from ctui.client.access.ssh_access import write_config
from tests.tasks.conftest import WAIT_SECONDS, Person
from tests.tasks.shell_terminal import Terminal

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(shutil.which("ssh") is None, reason="OpenSSH's client is not here"),
]


class Ssh:
    """OpenSSH's programs, with the configuration of one home."""

    def __init__(self, person: Person, config: Path) -> None:
        self._person = person
        self._config = config

    def argv(self, program: str, *arguments: str) -> tuple[str, ...]:
        found = shutil.which(program)
        assert found is not None
        return (found, "-F", str(self._config), *arguments)

    async def run(self, program: str, *arguments: str, given: bytes = b"") -> tuple[int, bytes]:
        """Run one of them; its exit code, and what it wrote to stdout."""
        process = await asyncio.create_subprocess_exec(
            *self.argv(program, *arguments),
            cwd=self._person.world.folder,
            env=self._person.world.environ,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await asyncio.wait_for(process.communicate(given), WAIT_SECONDS)
        return process.returncode or 0, out


async def test_ssh_and_sftp_reach_a_task_also_without_a_driver(person: Person) -> None:
    """Part 5, done when: OpenSSH's client and sftp; a terminal resized; after the driver's end."""
    await person.start("one", "say Ready.")
    await person.idle("one")
    config = person.world.folder / "ssh" / "config"
    write_config(person.world.paths, config)
    ssh = Ssh(person, config)

    code, out = await ssh.run("ssh", "one.ctui", "id -un; cat /workspace/hello.txt; env; exit 3")
    assert code == 3
    said = out.decode().splitlines()
    assert said[0] == "claude"
    assert {"HOME=/home/claude", "GIT_TERMINAL_PROMPT=0"} <= set(said)
    assert person.world.credential not in out.decode()
    assert await ssh.run("ssh", "one.ctui", "cat", given=b"piped") == (0, b"piped")
    # Neither the agent nor a port, although the client asks for them.
    code, out = await ssh.run("ssh", "-A", "one.ctui", 'echo "agent=$SSH_AUTH_SOCK"')
    assert (code, out) == (0, b"agent=\n")
    forced = ("-o", "ClearAllForwardings=no", "-o", "ExitOnForwardFailure=yes")
    assert (await ssh.run("ssh", *forced, "-R", "9998:localhost:22", "one.ctui", "true"))[0] == 255

    (person.world.folder / "sent").write_bytes(bytes(range(256)) * 4096)
    batch = b"put sent /workspace/sent\nget /workspace/sent back\n"
    assert (await ssh.run("sftp", "-b", "-", "one.ctui", given=batch))[0] == 0
    sent = (person.world.folder / "sent").read_bytes()
    assert (person.world.folder / "back").read_bytes() == sent
    # What a session needs is gone with it.
    assert (
        b".ctui-ssh" not in (await ssh.run("ssh", "one.ctui", "sleep 0.1; ls -A /home/claude"))[1]
    )

    argv = ssh.argv("ssh", "-t", "one.ctui")
    terminal = await Terminal.open(person.repository, person.world.environ, *argv, columns=101)
    try:
        terminal.type("stty size; echo o''n\n")
        await terminal.shows("24 101")
        await terminal.shows("on\r\n")
        await person.kill_driver()
        terminal.type("trap 'stty size' WINCH; echo s''et\n")
        await terminal.shows("set\r\n")
        terminal.resize(40, 132)
        terminal.type("\n")
        await terminal.shows("40 132")
        terminal.type("exit 4\n")
        assert await terminal.exit_code() == 4
    finally:
        terminal.close()
    assert await ssh.run("ssh", "one.ctui", "echo again") == (0, b"again\n")
    batch = b"get /workspace/sent again\n"
    assert (await ssh.run("sftp", "-b", "-", "one.ctui", given=batch))[0] == 0
