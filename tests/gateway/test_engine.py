"""The whole way in real containers: loopback alone, uid of a task, no right, a read-only root."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path

import pytest

from ctui.gateway.egress.policy import Policy, PrivateHost, rule_of
from tests.gateway.boxes import boxes
from tests.gateway.egress.outside import certificates, serving, way_out
from tests.gateway.inside import free_port
from tests.gateway.ports.views import Hub, viewing
from tests.gateway.registries import CLIENTS, fill, site, toolchains

pytestmark = pytest.mark.engine

TRY = """
import json, os, socket, subprocess, time
# On a machine that is busy enough the relay does not wait for its other program.
while socket.socket().connect_ex(("127.0.0.1", 3128)):
    time.sleep(0.05)
for name, command in json.loads(os.environ["CLIENTS"]).items():
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    said = done.stdout[-2000:] + done.stderr[-2000:]
    print(json.dumps({"client": name, "code": done.returncode, "said": said}), flush=True)
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


async def greet_as_ssh(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say who this is, as a server of ssh does, and hear who asks."""
    writer.write(b"SSH-2.0-hello\r\n")
    await reader.readline()


async def test_every_client_reaches_what_was_named_and_nothing_else(
    tmp_path: Path, repository: Path
) -> None:
    """Clients that know a proxy and clients that do not, to a named host and to one that is not.

    The first host is a port of this machine that the person named. The second one is another port
    of it, which is refused before anything is dialled.
    """
    gateway, files = tmp_path / "gw", tmp_path / "files"
    gateway.mkdir()
    files.mkdir()
    tls = certificates(gateway, "host")
    other = free_port()
    further, mounts = toolchains()
    commands = {**CLIENTS, **further}
    with site(files, tls.server) as port:
        fill(files, repository, f"https://host:{port}")
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
                clients = {
                    name: one.format(url=url, ssh=ssh_port) for name, one in commands.items()
                }
                env = {**trusting(f"/ctui/gw/{tls.bundle.name}"), "CLIENTS": json.dumps(clients)}
                box = await start(gateway, TRY, env, mounts=mounts)
                for name in clients:
                    told = await box.said()
                    assert told["client"] == name
                    assert (told["code"] == 0, "hello" in told["said"]) == (allowed, allowed), told
            seen = {(one.host, one.port, one.verdict) for one in way.records}
            reached = {("host", port, "allowed"), ("host", ssh, "allowed")}
            assert seen == {*reached, ("host", other, "refused")}
            assert sum(one.verdict == "refused" for one in way.records) >= len(commands)


def trusting(bundle: str) -> dict[str, str]:
    """Return the variables by which clients trust an authority, and try once."""
    names = ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "PIP_CERT")
    return {**dict.fromkeys((*names, "CARGO_HTTP_CAINFO"), bundle), "UV_HTTP_RETRIES": "0"}


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
