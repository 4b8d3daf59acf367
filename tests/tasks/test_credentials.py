"""Credentials that stay outside, from inside a real task: tools have them, no means finds them."""

from __future__ import annotations

import base64
import http.server
import json
import re
import shlex
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ctui.gateway.egress.opened.authority import certificate_of
from ctui.gateway.finding import connected
from ctui.tasks.model import AskKind, AskState
from tests.conftest import git
from tests.gateway.egress.outside import certificates
from tests.gateway.registries import CLIENTS, fill
from tests.gateway.ssh.servers import USER, keys, needs_sshd, server
from tests.tasks.conftest import Person

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]

_PATIENCE = 120.0
"""Seconds for a turn of several tools, on a machine that does much else."""

SECRET = "tok-5fGh1qZ9wLx3Rt7"
LOGIN = base64.b64encode(f"person:{SECRET}".encode()).decode()
# Of what the image brings, nothing was written here.
_PLACES = (
    "/home /tmp /ctui/gw /ctui/git /etc /workspace /run /var /root /mnt /srv /proc/[0-9]*/cmdline"
)
_ENDS = "ctui-tool-ended"


class Shop(http.server.SimpleHTTPRequestHandler):
    """A server of files that wants a login, and of one address that sends back what it gets."""

    folder: Path

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments, directory=str(self.folder))

    def do_GET(self) -> None:
        if self.headers["Authorization"] != f"Basic {LOGIN}":
            self.send_error(401)
        elif self.path == "/echo":
            body = str(self.headers).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        else:
            super().do_GET()

    def log_message(self, *_: object) -> None: ...


@contextmanager
def shop(folder: Path, context: ssl.SSLContext) -> Iterator[int]:
    kind = type("TheShop", (Shop,), {"folder": folder})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def _look(*secrets: str) -> str:
    """Return the command that looks for secrets by every means at hand.

    The pattern of one does not match itself: the prompt is in the CLI's own files.
    """
    forms = "|".join(f"{one[:12]}[{one[12]}]" for one in secrets)
    environ = "env | sort; cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'"
    return f"{environ}; grep -raoE '{forms}' {_PLACES} 2>/dev/null; echo looked"


async def _prepared(person: Person, folder: Path, port: int, bundle: Path) -> None:
    """Name the host, give it a credential, and have a gateway that trusts the host's authority."""
    given = folder / "token"
    given.write_text(SECRET)
    code, said = await person.ctui("secret", "set", "SHOP", "--from-file", str(given))
    assert code == 0, said
    config = person.world.paths.config_file
    named = config.read_text().replace("[network]", f'[network]\nprivate = ["host:{port}"]')
    header = "Authorization: Basic {person:secret}"
    rule = f'host = "host:{port}"\nheader = "{header}"\nsecret = "SHOP"'
    config.write_text(f"{named}\n[[gateway.credentials]]\n{rule}\n")
    environ = {**person.world.environ, "CTUI_CA_FILE": str(bundle)}
    _, writer = await connected(person.world.paths, environ)
    writer.close()


def _key_of(person: Person) -> str:
    """Return a part of the key by which the gateway is the host, which is made for that."""
    certificate_of(person.world.paths.authority)
    # Each key of this kind begins with the same.
    body = person.world.paths.authority.read_text().splitlines()[2]
    found = re.search(r"[A-Za-z0-9]{13}", body)
    assert found is not None
    return found[0]


async def test_every_tool_has_the_credential_and_nothing_in_the_task_has_it(
    person: Person, tmp_path: Path
) -> None:
    """The attack table: environment, files, processes and the log; what a host sends back is the
    known exception, and is taken out of what is kept."""
    files = tmp_path / "files"
    files.mkdir()
    tls = certificates(tmp_path, "host")
    with shop(files, tls.server) as port:
        await _prepared(person, tmp_path, port, tls.bundle)
        url = f"https://host:{port}"
        fill(files, person.repository, url)
        tools = {name: one.format(url=url, ssh=0) for name, one in CLIENTS.items() if name != "ssh"}
        # Its own login is not what the host gets.
        tools["curl with a login of its own"] = f"curl -sS -m 20 -u me:mine {url}/page"
        lines = [f"bash sh -c {shlex.quote(one)} 2>&1; echo {_ENDS}" for one in tools.values()]
        count = "bash echo trusted: $(grep -c BEGIN.CERT /etc/ssl/certs/ca-certificates.crt)"
        key = _key_of(person)
        look = f"bash {_look(SECRET, LOGIN, key)}"
        turns = ((count, *lines[:5]), lines[5:], (look, f"bash curl -sS {url}/echo"))
        await person.start("buys", *turns[0], skip_permissions=True)
        await person.idle("buys", seconds=_PATIENCE)
        for number, steps in enumerate(turns[1:], 2):
            await person.say("buys", *steps)
            await person.idle("buys", turns=number, seconds=_PATIENCE)
        said = person.tool_output("buys")
        answers = said.split(_ENDS)[: len(tools)]
        assert dict(zip(tools, ["hello" in one for one in answers], strict=True)) == dict.fromkeys(
            tools, True
        ), said
    trusted = re.search(r"trusted: (\d+)", said)
    assert trusted is not None
    assert int(trusted[1]) > 50  # the image's own are among them
    looked, mark, echoed = said.split(_ENDS)[-1].rpartition("looked")
    assert mark
    # What was found of a secret would have been taken out of what is kept.
    assert "[redacted]" not in looked
    assert key not in looked
    assert "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt" in looked
    assert "[redacted]" in echoed
    for entry in person.journal("buys"):
        assert SECRET not in entry.line
        assert LOGIN not in entry.line
    _, log = await person.ctui("network", "log", "buys", "--json")
    rows = [row for row in json.loads(log[log.index("[") :]) if row["host"] == "host"]
    assert {(row["verdict"], row["credential"]) for row in rows} == {("allowed", "SHOP")}
    assert SECRET not in log
    gateway = person.world.paths.gateway_log.read_text()
    assert SECRET not in gateway
    assert LOGIN not in gateway


@needs_sshd
async def test_git_over_ssh_with_a_key_that_stays_outside(person: Person, tmp_path: Path) -> None:
    """It is asked once in the task, what git brings is there, and the private directory has no
    remote; the key is found by no means."""
    made = await keys(tmp_path / "person")
    git(tmp_path, "clone", "-q", "--bare", str(person.repository), "theirs.git")
    async with server(made) as port:
        known = made.folder / "known_hosts"
        host_key = made.host_key.with_name("host_key.pub").read_text()
        known.write_text(f"[host]:{port} {host_key}")
        config = person.world.paths.config_file
        named = config.read_text().replace("[network]", f'[network]\nprivate = ["host:{port}"]')
        rule = f'host = "host:{port}"\nkey = "{made.key}"\nknown_hosts = "{known}"'
        config.write_text(f"{named}\n[[gateway.ssh]]\n{rule}\n")
        url = f"ssh://{USER}@host:{port}{tmp_path}/theirs.git"
        secret = made.key.read_text().splitlines()[3]
        found = re.search(r"[A-Za-z0-9]{13}", secret)
        assert found is not None
        clone = (
            f"bash git clone -q {url} /tmp/clone && cat /tmp/clone/hello.txt",
            "bash echo remotes: $(git remote | wc -l)",
        )
        push = (
            f"bash git -C /tmp/clone push -q {url} HEAD:refs/heads/new && echo pushed",
            f"bash {_look(found[0])}",
        )
        await person.start("signs", *clone, skip_permissions=True)
        ask = await person.asked("signs", seconds=_PATIENCE)
        assert (ask.kind, ask.title) == (AskKind.HOST, f"sign in at host:{port} by ssh")
        code, said = await person.ctui("task", "answer", "signs", "allow")
        assert code == 0, said
        await person.idle("signs", seconds=_PATIENCE)
        await person.say("signs", *push)
        await person.idle("signs", turns=2, seconds=_PATIENCE)
        said = person.tool_output("signs")
        assert "hello" in said, said
        assert "pushed" in said
        assert "looked" in said
        assert found[0] not in said.partition("pushed")[2]
        assert "remotes: 0" in said
        for entry in person.journal("signs"):
            assert secret not in entry.line
        asks = person.store.asks.list(*AskState, task="signs")
        assert [one.kind for one in asks] == [AskKind.HOST]
    assert git(tmp_path / "theirs.git", "rev-parse", "new")
    _, log = await person.ctui("network", "log", "signs", "--json")
    rows = json.loads(log[log.index("[") :])
    assert [row["rule"] for row in rows if row["credential"] == str(made.key)] == [
        "signed in by ssh"
    ] * 2
