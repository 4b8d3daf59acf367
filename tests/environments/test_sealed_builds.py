"""Builds and set-ups on a real engine: what they reach is what the repository's tasks reach."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ctui.config import ImageConfig
from ctui.sandbox.docker.image import image_tag
from tests.conftest import ENGINE_WIDE
from tests.environments.test_choice import put
from tests.gateway.inside import free_port
from tests.gateway.registries import debian_archive, site
from tests.tasks.conftest import Person

pytestmark = [pytest.mark.engine, ENGINE_WIDE]

_SECONDS = 100.0


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A server of this machine on every address: what no build may reach."""
    with socket.create_server(("0.0.0.0", 0)) as made:  # noqa: S104 - the point of the test
        made.settimeout(0)
        yield made


def _tries(port: int) -> str:
    """Return commands that try every way to this machine, and print what an allowed host says."""
    straight = "curl --noproxy '*' -sS -m 5"
    reached = "&& printf 'REA%s' CHED"
    hosts = [f"http://{host}:{port}" for host in _own_addresses()]
    return "; ".join(
        [
            *(f"{straight} {host} {reached}" for host in hosts),
            *(f"curl -sS -m 5 {host} | grep -q HTTP {reached}" for host in [*hosts, "http://host"]),
            f"{straight} http://169.254.169.254/ {reached}",
            "curl -sS -m 20 http://pastes.example.org/",
            "ls /sys/class/net",
        ]
    )


def _own_addresses() -> list[str]:
    found = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
    return sorted({"172.17.0.1", *(str(one[4][0]) for one in found)} - {"127.0.0.1"})


async def test_neither_a_dockerfile_nor_a_set_up_reaches_this_machine(
    person: Person, listener: socket.socket
) -> None:
    """A RUN of a Dockerfile, root's and the user's steps of a set-up: three rows of attacks."""
    port = int(listener.getsockname()[1])
    tries = _tries(port)
    table = "\n".join(
        [
            "[environment]",
            'dockerfile = "Dockerfile"',
            f'setup_root = ["""{tries}; true"""]',
            f'setup = ["""{tries}; true"""]',
        ]
    )
    dockerfile = f"FROM {image_tag(ImageConfig())}\nUSER root\nRUN {tries}; true\n"
    put(person.repository, {".ctui.toml": table, "Dockerfile": dockerfile})
    code, said = await person.ctui("env", "build", "--yes", seconds=_SECONDS)
    assert code == 0, said
    ident = said.split()[-1]
    log = (person.world.paths.state / "environments" / f"{ident}.log").read_text()
    assert "REACHED" not in log
    assert log.count("ctui network allow pastes.example.org") == 3
    assert "eth0" not in log
    with pytest.raises(BlockingIOError):
        listener.accept()
    assert (await person.ctui("env", "remove", ident))[0] == 0


async def test_what_the_person_allows_is_not_refused(person: Person, tmp_path: Path) -> None:
    """apt, from an archive that the person named and from one that nobody did; and a name.

    The refusal of a name says the command, and what that allows is looked up: there is no such one.
    """
    debian_archive(tmp_path / "archive")
    file = person.world.paths.config_file
    with site(tmp_path) as port:
        private = f'[[network.private]]\nhost = "host"\nport = {port}\n'
        file.write_text(f"{file.read_text()}\n{private}")
        root = [_install(port), f"{_install(free_port())}; test $? = 100", "echo REFUSED"]
        table = f"[environment]\nsetup_root = {json.dumps(root)}\n"
        named = 'setup = ["curl -sS -m 20 http://a.invalid/; true"]\n'
        put(person.repository, {".ctui.toml": table + named})
        assert (await person.ctui("network", "allow", "a.invalid", "--repo", "."))[0] == 0
        code, said = await person.ctui("env", "build", "--yes", seconds=_SECONDS)
    ident = said.split()[-1]
    log = (person.world.paths.state / "environments" / f"{ident}.log").read_text()
    assert code == 0, said + log
    assert "INSTALLED hello from outside" in log
    assert "is refused: it leads to this machine" in log
    assert "REFUSED" in log
    assert "there is no such name" in log
    assert "network allow" not in log
    assert (await person.ctui("env", "remove", ident))[0] == 0


def _install(port: int) -> str:
    """Return a command that installs a package from an archive of this machine alone."""
    source = f"deb [trusted=yes] http://host:{port}/archive ./"
    apt = "apt-get -o Dir::Etc::SourceParts=- -o APT::Update::Error-Mode=any"
    return (
        f"echo '{source}' > /etc/apt/sources.list && {apt} update"
        f" && {apt} install -y --reinstall tiny && echo INSTALLED $(cat /usr/local/share/tiny)"
    )
