"""The whole way in real containers: loopback alone, uid of a task, no right, a read-only root."""

from __future__ import annotations

import asyncio
import hashlib
import http.server
import io
import json
import ssl
import subprocess
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ctui.gateway.egress.policy import Policy, PrivateHost, rule_of
from tests.conftest import git
from tests.gateway.boxes import boxes
from tests.gateway.egress.outside import certificates, serving, way_out
from tests.gateway.inside import free_port
from tests.gateway.ports.views import Hub, viewing

pytestmark = pytest.mark.engine

TOOLS = {
    "curl": "curl -sS -m 20 {url}/page",
    "curl without a proxy": "env -u HTTPS_PROXY -u https_proxy curl -sS -m 20 {url}/page",
    "git": "git clone -q {url}/repository.git /tmp/clone && cat /tmp/clone/hello.txt",
    "urllib": "python3 -c \"import urllib.request as u; print(u.urlopen('{url}/page').read())\"",
    "node's fetch": "node -e \"fetch('{url}/page').then(r => r.text()).then(console.log)\"",
    "npm": "cd /tmp && npm install --no-fund --no-audit --fetch-retries=0 --prefix /tmp/n"
    " --registry {url}/npm/ tiny && cat /tmp/n/node_modules/tiny/index.js",
    "pip": "pip install -q --retries 0 --no-cache-dir --no-deps --target /tmp/p"
    " --index-url {url}/simple tiny && cat /tmp/p/tiny.py",
    "uv": "uv pip install -q --no-cache --target /tmp/u --index-url {url}/simple tiny"
    " && cat /tmp/u/tiny.py",
    "ssh": "ssh -v -o BatchMode=yes -o StrictHostKeyChecking=no -p {ssh} host true 2>&1"
    " | grep 'remote software version hello'",
}

TRY = """
import json, os, subprocess
for name, command in json.loads(os.environ["TOOLS"]).items():
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    said = done.stdout[-2000:] + done.stderr[-2000:]
    print(json.dumps({"tool": name, "code": done.returncode, "said": said}), flush=True)
"""

SERVE = """
import http.server, json, os
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = ("page of " + os.environ["NAME"] + " " + self.path).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
http.server.HTTPServer(("127.0.0.1", 3000), Page).serve_forever()
"""


@contextmanager
def site(folder: Path, context: ssl.SSLContext) -> Iterator[int]:
    """Serve a folder by HTTPS."""

    class Files(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def fill(folder: Path, repository: Path, port: int) -> None:
    """Put a page, a repository, a package for npm and one for pip into a folder."""
    (folder / "page").write_text("hello from outside\n")
    git(folder, "clone", "-q", "--bare", str(repository), "repository.git")
    git(folder / "repository.git", "update-server-info")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in (
            ("package/package.json", '{"name": "tiny", "version": "1.0.0"}'),
            ("package/index.js", "hello from outside\n"),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    (folder / "npm").mkdir()
    (folder / "tiny-1.0.0.tgz").write_bytes(packed.getvalue())
    version = {
        "name": "tiny",
        "version": "1.0.0",
        "dist": {
            "tarball": f"https://host:{port}/tiny-1.0.0.tgz",
            "shasum": hashlib.sha1(packed.getvalue(), usedforsecurity=False).hexdigest(),
        },
    }
    tiny = {"name": "tiny", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
    (folder / "npm/tiny").write_text(json.dumps(tiny))
    wheel = folder / "simple/tiny/tiny-1.0.0-py3-none-any.whl"
    wheel.parent.mkdir(parents=True)
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("tiny.py", "# hello from outside\n")
        file.writestr(
            "tiny-1.0.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0.0\n"
        )
        file.writestr(
            "tiny-1.0.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        file.writestr(
            "tiny-1.0.0.dist-info/RECORD",
            "tiny.py,,\ntiny-1.0.0.dist-info/METADATA,,\ntiny-1.0.0.dist-info/WHEEL,,\n"
            "tiny-1.0.0.dist-info/RECORD,,\n",
        )
    (wheel.parent / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')


async def greet_as_ssh(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say who this is, as a server of ssh does, and hear who asks."""
    writer.write(b"SSH-2.0-hello\r\n")
    await reader.readline()


async def test_every_tool_reaches_what_was_named_and_nothing_else(
    tmp_path: Path, repository: Path
) -> None:
    """Tools that know a proxy and tools that do not, to a named host and to one that nobody named.

    The first host is a port of this machine that the person named. The second one is another port
    of it, which is refused before anything is dialled.
    """
    gateway, files = tmp_path / "gw", tmp_path / "files"
    gateway.mkdir()
    files.mkdir()
    tls = certificates(gateway, "host")
    other = free_port()
    bundles = ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO")
    env = dict.fromkeys((*bundles, "PIP_CERT"), f"/ctui/gw/{tls.bundle.name}")
    env["UV_HTTP_RETRIES"] = "0"
    with site(files, tls.server) as port:
        fill(files, repository, port)
        async with (
            serving(greet_as_ssh) as ssh,
            boxes() as start,
            way_out(gateway, Policy()) as way,
        ):
            named = (PrivateHost("host", port), PrivateHost("host", ssh))
            # A port is offered to what knows no proxy where somebody named it for any host.
            way.policy = Policy(private=named, allow=(rule_of(f"elsewhere.invalid:{other}"),))
            way.server.recheck()
            for web, ssh_port, allowed in ((port, ssh, True), (other, other, False)):
                url = f"https://host:{web}"
                tools = {name: one.format(url=url, ssh=ssh_port) for name, one in TOOLS.items()}
                box = await start(gateway, TRY, {**env, "TOOLS": json.dumps(tools)})
                for name in tools:
                    told = await box.said()
                    assert told["tool"] == name
                    assert (told["code"] == 0, "hello" in told["said"]) == (allowed, allowed), told
            seen = {(one.host, one.port, one.verdict) for one in way.records}
            reached = {("host", port, "allowed"), ("host", ssh, "allowed")}
            assert seen == {*reached, ("host", other, "refused")}
            assert sum(one.verdict == "refused" for one in way.records) >= len(TOOLS)


ATTACKS = """
import json, os, socket
found = {}
def attack(name, call):
    try:
        found[name] = "reached " + str(call())[:200]
    except Exception as error:
        found[name] = "no: " + str(error)[:200]
def dial(address, port, kind=socket.AF_INET):
    with socket.socket(kind) as one:
        one.settimeout(5)
        one.connect((address, port))
        return one.recv(20)
def through(where):
    with socket.create_connection(("127.0.0.1", 3128), 20) as one:
        one.sendall(f"CONNECT {where} HTTP/1.1\\r\\nHost: {where}\\r\\n\\r\\n".encode())
        head = one.recv(4096).decode()
        if " 200 " in head.partition("\\r\\n")[0]:
            return head
        raise OSError(head.partition("\\r\\n")[0])
for name, address in json.loads(os.environ["ADDRESSES"]).items():
    attack("dial " + name, lambda: dial(*address))
    attack("proxy to " + name, lambda: through(f"{address[0]}:{address[1]}" if ":" not in address[0]
                                             else f"[{address[0]}]:{address[1]}"))
attack("udp", lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("1.1.1.1", 53)))
attack("ipv6", lambda: dial("2606:4700:4700::1111", 443, socket.AF_INET6))
attack("raw", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
found["interfaces"] = " ".join(name for _, name in socket.if_nameindex())
attack("gateway's folder", lambda: open("/ctui/gw/x", "w"))
attack("gateway's socket", lambda: os.unlink("/ctui/gw/egress.sock"))
print(json.dumps(found), flush=True)
"""


def own_addresses() -> list[str]:
    """Return the addresses of this machine's interfaces."""
    said = subprocess.run(("hostname", "-I"), check=True, capture_output=True, text=True)
    return [one for one in said.stdout.split() if ":" not in one]


async def test_nothing_else_is_there(tmp_path: Path) -> None:
    """The host by each of its addresses, the metadata service, a neighbour: neither straight nor
    through the gateway, and the sockets themselves cannot be exchanged."""
    gateway, beside = tmp_path / "gw", tmp_path / "beside"
    gateway.mkdir()
    beside.mkdir()
    files = tmp_path / "files"
    files.mkdir()
    tls = certificates(tmp_path, "host")
    with site(files, tls.server) as port:
        addresses = {
            **{f"the host at {one}": (one, port) for one in own_addresses()},
            "the host at loopback": ("127.0.0.1", port),
            "the host at 0": ("0.0.0.0", port),  # noqa: S104 - an address to dial
            "the host by IPv6": ("::1", port),
            "the host, mapped": ("::ffff:127.0.0.1", port),
            "metadata": ("169.254.169.254", 80),
            "a neighbour": ("172.17.0.2", 8080),
        }
        async with way_out(gateway, Policy()) as way, boxes() as start:
            box = await start(gateway, ATTACKS, {"ADDRESSES": json.dumps(addresses)})
            found = await box.said()
            assert found.pop("interfaces") == "lo"
            assert {name: said for name, said in found.items() if not said.startswith("no: ")} == {}
            for name in addresses:
                assert "403" in found[f"proxy to {name}"], found
            assert way.asked == []
            assert {one.verdict for one in way.records} == {"refused"}


async def test_pages_of_two_tasks_at_the_same_port(tmp_path: Path) -> None:
    """Both serve on their own loopback at 3000, and each is seen at its own address."""
    hubs = {}
    try:
        for label in ("one", "two"):
            folder = tmp_path / label
            folder.mkdir()
            hubs[label] = Hub(folder)
            await hubs[label].hub.start()
        async with boxes() as start, viewing({k: v.hub for k, v in hubs.items()}) as browser:
            for label in hubs:
                await start(tmp_path / label, SERVE, {"NAME": label})
            for label, hub in hubs.items():
                await hub.has(3000)
                # Nothing of what ctui itself listens on is offered.
                assert hub.hub.ports == (3000,)
                await browser.enter(browser.view.link(label, 3000))
                page = f"http://3000.{label}.localhost:{browser.view.port}/x?y"
                assert (await browser.get(page)).body == f"page of {label} /x?y".encode()
    finally:
        for hub in hubs.values():
            await hub.hub.close()
