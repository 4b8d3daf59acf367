"""A real sshd of this machine, and the way to it as a task has it."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from ctui.config.gateway_section import SshRule
from ctui.gateway.egress.names import Target
from ctui.gateway.egress.policy import Attempt
from ctui.gateway.ssh.agent import SshAgent
from ctui.gateway.ssh.files import AGENT_SOCKET, CONFIG, files_of
from ctui.gateway.ssh.keys import SshKey
from ctui.paths import resource
from ctui.tasks.network.ssh_keys import ssh_key
from tests.gateway.egress.outside import Way, private, way_out
from tests.gateway.inside import free_port

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
needs_sshd = pytest.mark.skipif(SSHD is None, reason="needs Debian's openssh-server")

USER = pwd.getpwuid(os.getuid()).pw_name
WAIT_SECONDS = 30.0
_CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
AuthenticationMethods publickey
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
UseDNS no
PidFile none
LogLevel VERBOSE
"""


class Keys(NamedTuple):
    """A person's key, and the files of a server that lets it in."""

    folder: Path
    key: Path
    host_key: Path

    @property
    def public(self) -> str:
        return self.key.with_name(f"{self.key.name}.pub").read_text()


async def run(*command: str, environ: dict[str, str] | None = None) -> tuple[int, str]:
    """Run a program; return its exit code and all that it said."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **(environ or {})},
    )
    async with asyncio.timeout(WAIT_SECONDS):
        said, _ = await process.communicate()
    return process.returncode or 0, said.decode("utf-8", "replace")


async def keys(folder: Path, kind: str = "ed25519", words: str = "") -> Keys:
    """Make a person's key, which these words open, and a host's key of the same kind."""
    folder.mkdir(exist_ok=True)
    for name, opened_by in (("id", words), ("host_key", "")):
        make = ("ssh-keygen", "-q", "-t", kind, "-N", opened_by, "-f", str(folder / name))
        code, said = await run(*make)
        assert code == 0, said
    made = Keys(folder, folder / "id", folder / "host_key")
    (folder / "authorized_keys").write_text(made.public)
    return made


@asynccontextmanager
async def server(made: Keys) -> AsyncIterator[int]:
    """Run sshd on loopback; its port."""
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    port, config = free_port(), made.folder / "sshd_config"
    config.write_text(_CONFIG.format(port=port, folder=made.folder))
    process = await asyncio.create_subprocess_exec(
        *(str(SSHD), "-D", "-e", "-f", str(config)), stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while b"Server listening" not in (line := await process.stderr.readline()):
                assert line, "sshd does not start"
        reading = asyncio.create_task(process.stderr.read())
        yield port
        process.terminate()
        await reading
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def named(made: Keys, port: int, environ: dict[str, str] | None = None) -> SshKey:
    """Return the key as the settings of a person name it for that server."""
    known = made.folder / "known_hosts"
    host_key = made.host_key.with_name("host_key.pub").read_text()
    known.write_text(f"[localhost]:{port} {host_key}")
    rule = SshRule(f"localhost:{port}", str(made.key), str(known))
    found = ssh_key(rule, Target("localhost", port), Path("/"), environ or {})
    assert found.problem == ""
    return found


class SshWay:
    """A run with keys: its way out, its agent, and who is asked."""

    def __init__(self, folder: Path, way: Way, key: SshKey) -> None:
        self.folder, self.way = folder, way
        self.keys = (key,)
        self.environ = {
            "SSH_AUTH_SOCK": str(folder / AGENT_SOCKET),
            "GIT_SSH_COMMAND": f"ssh -F {folder / CONFIG}",
        }

    async def agree(self, attempt: Attempt) -> bool:
        """Answer as a person and the driver do: the rule is kept, and counts at once."""
        sign = (*self.way.policy.sign, Target(attempt.host, attempt.port))
        self.way.policy = msgspec.structs.replace(self.way.policy, sign=sign)
        return True

    async def ssh(self, *command: str) -> tuple[int, str]:
        """Sign in as a task does, and run a command there."""
        where = f"{USER}@localhost"
        return await run("ssh", "-F", str(self.folder / CONFIG), where, *command)

    def localise(self) -> None:
        """Let the files lead here, and not into a sandbox."""
        dial = resource("docker") / "relay/network/dial.py"
        way_out_ = f"{sys.executable} -I -S {dial} %h %p {self.way.path}"
        for name, text in files_of(self.keys).items():
            there = text.replace(
                "/ctui/tree/bin/python3 -I -S /ctui/bin/relay/network/dial.py %h %p", way_out_
            )
            (self.folder / name).write_text(there.replace("/ctui/gw", str(self.folder)))


@asynccontextmanager
async def signing(folder: Path, key: SshKey, *, allowed: bool = True) -> AsyncIterator[SshWay]:
    """Serve the way out and the agent of a run."""
    folder.mkdir(exist_ok=True)
    async with way_out(folder, private(key.port)) as way:
        way.allowed = allowed
        made = SshWay(folder, way, key)
        if allowed:
            way.answer = made.agree
        path = folder / AGENT_SOCKET
        way.policy = msgspec.structs.replace(way.policy, hold=WAIT_SECONDS)
        agent = SshAgent(path, lambda: made.keys, way.ask, way.record, lambda: way.policy)
        try:
            await agent.start()
            made.localise()
            yield made
        finally:
            await agent.close()


def elsewhere(key: SshKey, host_keys: tuple[bytes, ...]) -> SshKey:
    """Return the same key for a host with other keys."""
    return msgspec.structs.replace(key, host_keys=host_keys)
