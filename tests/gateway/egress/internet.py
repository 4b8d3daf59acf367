"""An internet of the test's own: two network namespaces, a name server, and the way out between.

    unshare -nm python -m tests.gateway.egress.internet FOLDER

The first namespace is the person's machine, with an address that looks public and is its own. The
other one is everything outside: a name server that changes its mind, pages, and a private network.
It prints what came of each attempt as one JSON object.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

from ctui.gateway.egress.policy import Mode, Policy, rule_of
from tests.gateway.egress.outside import Way, way_out

PUBLIC, SECOND, PRIVATE, OWN = "93.184.216.34", "93.184.216.35", "10.9.0.2", "185.199.108.153"
NAMES: dict[str, list[list[str]]] = {
    "public.example": [[PUBLIC]],
    "private.example": [[PRIVATE]],
    "mixed.example": [[PUBLIC, PRIVATE]],
    "own.example": [[OWN]],
    "loopback.example": [["127.0.0.1"]],
    "metadata.example": [["169.254.169.254"]],
    "mapped.example": [["::ffff:10.9.0.2"]],
    "translated.example": [["64:ff9b::a09:2"]],
    "rebind.example": [[PUBLIC], [PRIVATE]],
    "dead-first.example": [["93.184.216.36", PUBLIC]],
}


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


# -- outside


class Resolver(asyncio.DatagramProtocol):
    """A name server; who asks for a name again can get another answer."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        at, labels = 12, []
        while data[at]:
            labels.append(data[at + 1 : at + 1 + data[at]].decode())
            at += 1 + data[at]
        name, kind = ".".join(labels).lower(), struct.unpack_from(">H", data, at + 1)[0]
        self.asked.append(f"{name} {kind}")
        answers = NAMES.get(name, [[]])
        turn = min(self.asked.count(f"{name} {kind}"), len(answers)) - 1
        family = {1: socket.AF_INET, 28: socket.AF_INET6}.get(kind)
        records = b""
        for one in answers[turn]:
            if family == (socket.AF_INET6 if ":" in one else socket.AF_INET):
                packed = socket.inet_pton(family, one)
                records += struct.pack(">3HIH", 0xC00C, kind, 1, 0, len(packed)) + packed
        count = records.count(b"\xc0\x0c")
        code = 0 if name in NAMES else 3
        head = data[:2] + struct.pack(">5H", 0x8180 | code, 1, count, 0, 0)
        assert self._transport is not None
        self._transport.sendto(head + data[12 : at + 5] + records, addr)


async def outside() -> None:
    """Be everything outside, once the other end of the cable is here."""
    print("has a network of its own", flush=True)  # noqa: T201
    sys.stdin.readline()
    run("ip", "link", "set", "lo", "up")
    for address in (PUBLIC, SECOND, "8.8.8.8", "169.254.169.254"):
        run("ip", "address", "add", f"{address}/32", "dev", "lo")
    run("ip", "address", "add", f"{PRIVATE}/24", "dev", "b0")
    run("ip", "link", "set", "b0", "up")
    run("ip", "route", "add", f"{OWN}/32", "via", "10.9.0.1")
    run("ip", "route", "add", "blackhole", "93.184.216.36/32")
    resolver = Resolver()
    await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: resolver, local_addr=("8.8.8.8", 53)
    )

    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = json.dumps({"at": writer.get_extra_info("sockname")[0], "asked": resolver.asked})
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        writer.close()

    await asyncio.start_server(page, "0.0.0.0", 80)  # noqa: S104 - all of its own namespace
    print("ready", flush=True)  # noqa: T201
    await asyncio.Event().wait()


# -- the person's machine


async def get(way: Way, host: str) -> tuple[str, list[str]]:
    """Return where a page came from, or why there is none, and the names that were looked up."""
    answer = await way.say(f"GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    if head.split()[1] == b"200":
        told = json.loads(body)
        return str(told["at"]), list(told["asked"])
    return f"{head.split()[1].decode()} {body.decode().strip()}", []


async def in_tunnel(way: Way, *head: str) -> str:
    """Return the status of what is said in a tunnel to port 80 of a named host."""
    _, (reader, writer) = await way.connect("public.example:80")
    writer.write("\r\n".join([*head, "", ""]).encode("latin-1"))
    try:
        return (await reader.readline()).split()[1].decode()
    finally:
        writer.close()


async def tries(folder: Path) -> dict[str, object]:
    """Try everything, and return what came of it."""
    found: dict[str, object] = {}
    async with way_out(folder, Policy(mode=Mode.OPEN)) as way:
        for name in [*NAMES, PUBLIC, "no-such.example"]:
            found[name], _ = await get(way, name)
        begun = time.monotonic()
        await get(way, "dead-first.example")
        found["seconds"] = time.monotonic() - begun
        found["rebind.example, again"], _ = await get(way, "rebind.example")
        for host in (OWN, "[::ffff:93.184.216.35]"):
            found[host], _ = await get(way, host)
        way.policy = Policy(allow=(rule_of("public.example"),))
        found["secret.evil.example"], _ = await get(way, "secret.evil.example")
        found["named"], asked = await get(way, "public.example")
        found["names"] = sorted({one.split()[0] for one in asked})
        found["lookups of rebind.example"] = asked.count("rebind.example 1")
        get_page = "GET / HTTP/1.1"
        found["tunnels"] = [
            await in_tunnel(way, get_page, "Host: Public.Example"),
            await in_tunnel(way, get_page, "Host: evil.example"),
            await in_tunnel(way, "GET http://evil.example/ HTTP/1.1", "Host: public.example"),
            await in_tunnel(way, "CONNECT evil.example:80 HTTP/1.1", "Host: public.example"),
            await in_tunnel(way, "\x16\x03\x01\x00\x05"),
        ]
        await way.over(len(NAMES) + 12)
        found["anomalies"] = [one.anomaly for one in way.records if one.anomaly]
    return found


async def main(folder: Path) -> None:
    """Lay the cable, and try."""
    (folder / "resolv.conf").write_text("nameserver 8.8.8.8\noptions timeout:5 attempts:2\n")
    (folder / "hosts").write_text("127.0.0.1 localhost\n")
    for name in ("resolv.conf", "hosts"):
        run("mount", "--bind", str(folder / name), str(Path("/etc", name).resolve()))
    run("ip", "link", "set", "lo", "up")
    run("ip", "address", "add", f"{OWN}/32", "dev", "lo")
    other = await asyncio.create_subprocess_exec(
        *("unshare", "-n", sys.executable, "-m", __spec__.name, "outside"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert other.stdin is not None
    assert other.stdout is not None
    try:
        assert await other.stdout.readline() == b"has a network of its own\n"
        run(
            "ip", "link", "add", "a0", "type", "veth", "peer", "name", "b0", "netns", f"{other.pid}"
        )
        run("ip", "address", "add", "10.9.0.1/24", "dev", "a0")
        run("ip", "link", "set", "a0", "up")
        run("ip", "route", "add", "default", "via", PRIVATE)
        other.stdin.write(b"go\n")
        assert await other.stdout.readline() == b"ready\n"
        print(json.dumps(await tries(folder)))  # noqa: T201
    finally:
        other.kill()
        await other.wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(outside() if sys.argv[1] == "outside" else main(Path(sys.argv[1])))
