"""Hosts with a credential: a way out that opens the tunnels to them, and clients that trust it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ctui.gateway.egress.opened.authority import Authority, certificate_of
from ctui.gateway.egress.opened.credential import Credential
from ctui.gateway.egress.opened.tunnel import Opener
from tests.gateway.egress.outside import Certificates, Streams, Way, private, way_out

SECRET = "tok-5fGh1qZ9wLx3"
VALUE = f"Bearer {SECRET}"


class OpenedWay:
    """The way out of a run whose person has a credential for a port of this machine."""

    def __init__(self, way: Way, port: int, client: ssl.SSLContext) -> None:
        self.way = way
        self.port = port
        self.client = client

    async def tls(self, server: str = "localhost") -> Streams:
        """Return a connection inside of TLS, by which the gateway is the host."""
        head, (reader, writer) = await self.way.connect(f"localhost:{self.port}")
        assert head.startswith(b"HTTP/1.1 200 "), head
        await writer.start_tls(self.client, server_hostname=server)
        return reader, writer

    async def say(self, text: str, end: bytes = b"") -> str:
        """Say something to the host, and return all that comes back, or as much as ends so."""
        reader, writer = await self.tls()
        writer.write(text.replace("HOST", f"localhost:{self.port}").encode("latin-1"))
        async with asyncio.timeout(30):
            said = await (reader.readuntil(end) if end else reader.read())
        writer.close()
        return said.decode("latin-1")


@asynccontextmanager
async def opened(
    folder: Path, port: int, tls: Certificates, credential: Credential | None = None, **more: object
) -> AsyncIterator[OpenedWay]:
    """Serve the way out of a run whose person has a credential for a port of this machine."""
    file = folder / "authority.pem.key"
    client = ssl.create_default_context(cadata=certificate_of(file).decode())
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    own = credential or Credential("localhost", port, "Authorization", "TOKEN", VALUE)
    opener = Opener(Authority(file), lambda: tls.client)
    given = {"credentials": lambda: (own,), "opener": opener, **more}
    async with way_out(folder, private(port), **given) as way:
        yield OpenedWay(way, port, client)
