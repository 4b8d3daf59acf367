"""Tunnels to hosts for which the person has a credential, over real TLS on both sides."""

from __future__ import annotations

import asyncio
import json
import ssl
from pathlib import Path

import pytest

from ctui.gateway.egress.opened.authority import Authority, certificate_of
from ctui.gateway.egress.opened.credential import Credential
from tests.gateway.egress.opened import SECRET, VALUE, opened
from tests.gateway.egress.outside import PAGE, Pages, certificates, serving

GET = "GET /page HTTP/1.1\r\nHost: HOST\r\n"
LAST = "Connection: close\r\n\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"


class Upstream:
    """A server that keeps connections, and remembers each request with its body."""

    def __init__(self, *answers: bytes) -> None:
        self.seen: list[tuple[str, bytes]] = []
        self.connections = 0
        self._answers = list(answers)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while head := await reader.readuntil(b"\r\n\r\n"):
            text = head.decode("latin-1")
            self.seen.append((text, await _body(reader, writer, text)))
            writer.write(self._answers.pop(0) if self._answers else _answer(b"hello\n"))
            await writer.drain()


async def _body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> bytes:
    names = head.lower()
    if "expect: 100-continue" in names:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    if "content-length: " in names:
        return await reader.readexactly(int(names.split("content-length: ")[1].split()[0]))
    found = b""
    while "transfer-encoding: chunked" in names:
        size = int(await reader.readuntil(b"\r\n"), 16)
        found += (await reader.readexactly(size + 2))[:size]
        if not size:
            break
    return found


def _answer(body: bytes, more: str = "") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


async def test_the_credential_stands_in_place_of_the_tasks_own(tmp_path: Path) -> None:
    """Whatever the task says for it, in every way of writing its name, the host gets the person's;
    all else is as it was said, and the log has the credential's name."""
    tls = certificates(tmp_path, "localhost")
    host = Upstream()
    own = "authorization: Bearer mine\r\nAUTHORIZATION: x\r\nAuthorization_: y\r\nX-Other: kept\r\n"
    own = own.replace("Authorization_", "authori\x7aation")
    async with serving(host, tls.server) as port, opened(tmp_path, port, tls) as one:
        said = await one.say(GET + own + LAST)
        [record] = await one.way.over()
    assert said.endswith("\r\n\r\nhello\n")
    [(head, _)] = host.seen
    lines = head.split("\r\n")
    assert [line for line in lines if line.lower().startswith("authori")] == [
        f"Authorization: {VALUE}"
    ]
    assert lines[0] == "GET /page HTTP/1.1"
    assert f"Host: localhost:{port}" in lines
    assert "X-Other: kept" in lines
    assert (record.verdict, record.credential) == ("allowed", "TOKEN")
    assert SECRET not in json.dumps([str(one) for one in one.way.records]) + said


async def test_a_header_that_a_server_takes_for_the_credentials_goes_too(tmp_path: Path) -> None:
    """Servers that put headers into variables make no difference of `-` and `_`."""
    tls = certificates(tmp_path, "localhost")
    host = Upstream()
    async with serving(host, tls.server) as port:
        key = Credential("localhost", port, "X-Api-Key", "KEY", SECRET)
        async with opened(tmp_path, port, tls, key) as one:
            await one.say(GET + "X_Api_Key: mine\r\nx-api_key: mine\r\n" + LAST)
    [(head, _)] = host.seen
    assert "mine" not in head
    assert f"X-Api-Key: {SECRET}\r\n" in head


async def test_connections_are_kept_and_each_request_has_the_credential(tmp_path: Path) -> None:
    """Two requests of a connection use one to the host, also where they come at once."""
    tls = certificates(tmp_path, "localhost")
    host = Upstream()
    async with serving(host, tls.server) as port, opened(tmp_path, port, tls) as one:
        said = await one.say(f"{GET}\r\n{GET}{LAST}")
    assert said.count("hello\n") == 2
    assert host.connections == 1
    assert [head.count(VALUE) for head, _ in host.seen] == [1, 1]


async def test_a_host_that_ends_a_connection_ends_the_tasks(tmp_path: Path) -> None:
    """Its client hears that no request may follow, and what follows all the same is not sent."""
    tls = certificates(tmp_path, "localhost")
    pages = Pages(PAGE)
    async with serving(pages, tls.server) as port, opened(tmp_path, port, tls) as one:
        said = await one.say(f"{GET}\r\n{GET}\r\n")
    assert said.count("HTTP/1.1 200") == 1
    assert "Connection: close" in said
    assert len(pages.heads) == 1


BODY = b"0123456789" * 30_000


@pytest.mark.parametrize("expect", ["", "Expect: 100-continue\r\n"])
@pytest.mark.parametrize("chunked", [False, True])
async def test_bodies_go_on_whole(tmp_path: Path, *, chunked: bool, expect: str) -> None:
    """By length or in chunks, also by a client that waits for the host's leave."""
    tls = certificates(tmp_path, "localhost")
    host = Upstream()
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(BODY)}"
    async with serving(host, tls.server) as port, opened(tmp_path, port, tls) as one:
        reader, writer = await one.tls()
        head = f"POST / HTTP/1.1\r\nHost: localhost:{port}\r\n{expect}{framing}\r\n{LAST}"
        writer.write(head.encode())
        if expect:
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        for at in range(0, len(BODY), 50_000):
            part = BODY[at : at + 50_000]
            writer.write(b"%x\r\n%s\r\n" % (len(part), part) if chunked else part)
        if chunked:
            writer.write(b"0\r\nAuthorization: mine\r\n\r\n")
        assert (await reader.read()).endswith(b"hello\n")
        writer.close()
    [(seen, body)] = host.seen
    assert body == BODY
    assert "mine" not in seen


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (f"GET / HTTP/1.1\r\nHost: evil.example\r\n{LAST}", 403),
        (f"GET / HTTP/1.1\r\nHost: HOST\r\nHost: evil.example\r\n{LAST}", 400),
        (f"GET / HTTP/1.1\r\nHost: HOST\r\nHost: HOST\r\n{LAST}", 400),
        (f"GET / HTTP/1.1\r\n{LAST}", 400),
        (f"GET https://HOST/ HTTP/1.1\r\nHost: HOST\r\n{LAST}", 400),
        (f"GET https://evil.example/ HTTP/1.1\r\nHost: HOST\r\n{LAST}", 400),
        (f"CONNECT evil.example:443 HTTP/1.1\r\nHost: HOST\r\n{LAST}", 400),
        *(
            (f"{echo} / HTTP/1.1\r\nHost: HOST\r\n{LAST}", 405)
            for echo in ("TRACE", "tRaCK", "trace")
        ),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (f"GET / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\nContent-Length: 2\r\n{LAST}", 400),
        (
            f"POST / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 3\r\n{CHUNKED}{LAST}0\r\n\r\n{GET}",
            400,
        ),
        (f"POST / HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: x, chunked\r\n{LAST}", 400),
        (f"POST / HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding : chunked\r\n{LAST}", 400),
        (f"GET / HTTP/1.1\r\nHost: HOST\r\n\x00X: y\r\n{LAST}", 400),
        (f"GET / HTTP/1.1\r\nHost: HOST\r\nX: {'y' * 200_000}\r\n{LAST}", 400),
        (f"GET /a b HTTP/1.1\r\nHost: HOST\r\n{LAST}", 400),
    ],
)
async def test_what_could_be_read_in_another_way_gets_no_credential(
    tmp_path: Path, request_: str, status: int
) -> None:
    """Two hosts, whole addresses, two lengths, HTTP/2: refused in a line, and nothing is sent."""
    tls = certificates(tmp_path, "localhost")
    host = Upstream()
    async with serving(host, tls.server) as port, opened(tmp_path, port, tls) as one:
        said = await one.say(request_)
        [record] = await one.way.over()
    assert said.startswith(f"HTTP/1.1 {status} ctui: "), said
    assert host.seen == []
    assert record.verdict == "failed"
    assert bool(record.anomaly) == ("evil.example\r\n" in request_ and status == 403)


async def test_a_request_behind_a_body_is_one_of_its_own(tmp_path: Path) -> None:
    """What a task hides behind a length gets the credential as any request does, and no other."""
    tls = certificates(tmp_path, "localhost")
    host = Upstream()
    hidden = "GET /hidden HTTP/1.1\r\nHost: evil.example\r\n\r\n"
    async with serving(host, tls.server) as port, opened(tmp_path, port, tls) as one:
        text = f"POST / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 2\r\n\r\nxy{hidden}"
        said = await one.say(text)
    assert "HTTP/1.1 403 ctui: " in said
    assert [(head.split()[1], body) for head, body in host.seen] == [("/", b"xy")]


async def test_another_protocol_is_not_agreed_to(tmp_path: Path) -> None:
    """An upgrade to HTTP/2 does not reach the host, and ALPN offers HTTP/1.1 alone."""
    tls = certificates(tmp_path, "localhost")
    host = Upstream()
    async with serving(host, tls.server) as port, opened(tmp_path, port, tls) as one:
        one.client.set_alpn_protocols(["h2", "http/1.1"])
        reader, writer = await one.tls()
        assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"
        more = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n\r\n"
        writer.write((GET + more).replace("HOST", f"localhost:{port}").encode())
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        writer.close()
    [(head, _)] = host.seen
    assert "h2c" not in head
    assert "HTTP2" not in head


async def greet_by_websocket(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    assert VALUE.encode() in head
    upgrade = b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    upgrade += b"Set-Cookie: session=as-good-as-the-token\r\n\r\n"
    writer.write(upgrade + b"hello\n")
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()


async def test_a_websocket_begins_with_the_credential(tmp_path: Path) -> None:
    """Once the host agrees, both ways pass as they are, what comes early too, until one ends."""
    tls = certificates(tmp_path, "localhost")
    async with serving(greet_by_websocket, tls.server) as port, opened(tmp_path, port, tls) as one:
        reader, writer = await one.tls()
        ask = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n"
        writer.write((GET + ask).replace("HOST", f"localhost:{port}").encode() + b"early\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        assert b"session=" not in head
        assert await reader.readline() == b"hello\n"
        assert await reader.readline() == b"early\n"
        writer.write(BODY + b"\n")
        assert await reader.readexactly(len(BODY) + 1) == BODY + b"\n"
        writer.close()
        [record] = await one.way.over()
    assert record.verdict == "allowed"
    assert record.up > len(BODY)
    assert record.down > len(BODY)


async def test_a_redirect_goes_to_the_task_and_the_credential_stays(tmp_path: Path) -> None:
    """The task may follow it, to a host that gets nothing; a session does not come back either."""
    tls = certificates(tmp_path, "localhost")
    moved = b"HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n"
    host = Upstream(moved + b"Set-Cookie: session=as-good-as-the-token\r\n\r\n")
    async with serving(host, tls.server) as port, opened(tmp_path, port, tls) as one:
        said = await one.say(GET + LAST)
    assert "Location: https://evil.example/" in said
    assert "session=" not in said
    assert len(host.seen) == 1


SESSION = b"Set-Cookie: session=as-good-as-the-token\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Set-Cookie\r\n\r\n"
        b"6\r\nhello\n\r\n0\r\n" + SESSION + b"\r\n",
        b"HTTP/1.1 103 Early Hints\r\nConnection: X-Hop\r\nX-Hop: session=\r\nLink: </a>\r\n"
        + SESSION
        + b"\r\n"
        + PAGE,
        b"HTTP/1.1 100 Continue\r\n" + SESSION.replace(b"-Cookie", b"-Cookie2") + b"\r\n" + PAGE,
    ],
    ids=["trailer", "103", "100"],
)
async def test_a_session_comes_back_in_no_part_of_an_answer(tmp_path: Path, answer: bytes) -> None:
    tls = certificates(tmp_path, "localhost")
    host = Upstream(answer)
    async with serving(host, tls.server) as port, opened(tmp_path, port, tls) as one:
        said = await one.say(GET + LAST)
    assert "hello\n" in said
    assert ("Link: </a>" in said) == (b"Link:" in answer)
    assert "session=" not in said


async def test_a_host_that_changes_to_another_protocol_is_left(tmp_path: Path) -> None:
    """Only a websocket can be wanted; what else it might mean by that nobody looks into."""
    tls = certificates(tmp_path, "localhost")
    host = Upstream(b"HTTP/1.1 101 Other\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nSettings")
    async with serving(host, tls.server) as port, opened(tmp_path, port, tls) as one:
        ask = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n"
        said = await one.say(GET + ask)
    assert said.startswith("HTTP/1.1 502 ctui: ")
    assert "Settings" not in said


async def test_the_name_inside_tls_must_be_the_hosts(tmp_path: Path) -> None:
    tls = certificates(tmp_path, "localhost")
    host = Upstream()
    async with serving(host, tls.server) as port, opened(tmp_path, port, tls) as one:
        one.client.check_hostname = False
        with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
            await one.tls("evil.example")
        [record] = await one.way.over()
    assert record.anomaly == "SNI: evil.example"
    assert host.connections == 0 or not host.seen


async def test_without_tls_nothing_is_passed_on(tmp_path: Path) -> None:
    """On the port of an opened host a request in the clear gets no credential, nor does it go."""
    tls = certificates(tmp_path, "localhost")
    host = Upstream()
    async with serving(host, tls.server) as port, opened(tmp_path, port, tls) as one:
        _, (reader, writer) = await one.way.connect(f"localhost:{port}")
        writer.write(f"{GET}{LAST}".replace("HOST", f"localhost:{port}").encode())
        assert b"200" not in await reader.read()
        writer.close()
        answer = await one.way.say(
            f"GET http://localhost:{port}/ HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode()
        )
        records = await one.way.over(2)
    assert SECRET.encode() not in answer
    assert host.seen == []
    assert [record.credential for record in records] == ["", ""]


async def test_a_host_that_is_another_one_gets_no_credential(tmp_path: Path) -> None:
    """Its certificate is checked here: by name, and by whom the person trusts."""
    folder = tmp_path / "other"
    folder.mkdir()
    tls, foreign = certificates(tmp_path, "localhost"), certificates(folder, "localhost")
    named = certificates(folder, "elsewhere.example")
    for server, trusted in ((foreign, tls), (named, named)):
        host = Upstream()
        async with serving(host, server.server) as port, opened(tmp_path, port, trusted) as one:
            said = await one.say(GET + LAST)
            [record] = await one.way.over()
        assert said.startswith("HTTP/1.1 502 ctui: ")
        assert "its certificate is not accepted" in said
        assert record.credential == ""
        assert host.seen == []


async def test_what_cannot_be_read_fills_no_log(tmp_path: Path) -> None:
    """The library quotes all of it, four times as long."""
    tls = certificates(tmp_path, "localhost")
    async with serving(Upstream(), tls.server) as port, opened(tmp_path, port, tls) as one:
        said = await one.say(GET + "\x01" * 50_000 + "\r\n\r\n")
        [record] = await one.way.over()
    assert said.startswith("HTTP/1.1 400 ")
    assert record.rule.startswith("this cannot be read: ")
    assert len(record.rule) <= 200
    assert len(said) < 1000


async def test_a_credential_that_is_not_known_is_said(tmp_path: Path) -> None:
    """No request goes without it: the host would answer as to a stranger, and nobody knew why. The
    reason can have a command of the person's in it, and what that said: it is for their log."""
    tls = certificates(tmp_path, "localhost")
    host = Upstream()
    why = "the secret TOKEN: pass failed: no agent (`pass show work/token`)"
    async with serving(host, tls.server) as port:
        none = Credential("localhost", port, "Authorization", "TOKEN", problem=why)
        async with opened(tmp_path, port, tls, none) as one:
            said = await one.say(GET + LAST)
            [record] = await one.way.over()
    assert said.startswith("HTTP/1.1 503 ctui: ")
    assert "TOKEN cannot be had" in said
    assert "pass" not in said
    assert record.rule == why
    assert host.seen == []


async def test_an_authority_that_is_damaged_is_said_in_the_log(tmp_path: Path) -> None:
    tls = certificates(tmp_path, "localhost")
    host = Upstream()
    async with serving(host, tls.server) as port, opened(tmp_path, port, tls) as one:
        (tmp_path / "authority.pem.key").write_bytes(b"")
        with pytest.raises(ConnectionError):
            await one.tls()
        [record] = await one.way.over()
    assert record.verdict == "failed"
    assert record.rule == f"{tmp_path / 'authority.pem.key'} is damaged"
    assert host.seen == []


async def test_other_hosts_are_tunnelled_untouched(tmp_path: Path) -> None:
    """The task sees the host's own certificate wherever no credential is for that port of it."""
    tls = certificates(tmp_path, "localhost")
    host = Upstream()
    async with serving(host, tls.server) as port:
        other = Credential("localhost", port + 1, "Authorization", "TOKEN", VALUE)
        async with opened(tmp_path, port, tls, other) as one:
            one.client = tls.client
            said = await one.say(GET + "Authorization: mine\r\n\r\n", end=b"hello\n")
            [record] = await one.way.over()
    assert said.endswith("hello\n")
    assert "mine" in host.seen[0][0]
    assert SECRET not in host.seen[0][0]
    assert record.credential == ""


async def test_a_slow_reader_is_waited_for_and_nothing_piles_up(tmp_path: Path) -> None:
    """Of a large answer only as much is taken from the host as the task takes from here."""
    tls = certificates(tmp_path, "localhost")
    size, part = 30_000_000, bytes(1 << 16)
    sent: list[int] = []

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        number = len(sent)
        sent.append(0)
        while (left := size - sent[number]) > 0:
            writer.write(part[:left])
            sent[number] += min(len(part), left)
            await writer.drain()

    async with serving(flood, tls.server) as port, opened(tmp_path, port, tls) as one:
        head = (GET + LAST).replace("HOST", f"localhost:{port}").encode()
        reader, writer = await one.tls()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(head)
        # As much time as another one takes for all of it is enough to take too much for this one.
        assert len(await one.say(GET + LAST)) > size
        assert len(sent) == 2
        assert min(sent) < size // 2
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
        assert len(await reader.read()) == size
        writer.close()


async def test_one_that_takes_nothing_is_cut_off(tmp_path: Path) -> None:
    tls = certificates(tmp_path, "localhost")
    host = Upstream(_answer(bytes(50_000_000)))
    async with (
        serving(host, tls.server) as port,
        opened(tmp_path, port, tls, idle=0.5) as one,
    ):
        _, writer = await one.tls()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write((GET + LAST).replace("HOST", f"localhost:{port}").encode())
        [record] = await one.way.over()
        writer.transport.abort()
    assert (record.verdict, record.rule) == ("failed", "it broke off")


def test_the_authority_is_made_once_and_its_key_is_nobodys(tmp_path: Path) -> None:
    file = tmp_path / "authority.pem"
    certificate = certificate_of(file)
    assert certificate_of(file) == certificate
    assert file.stat().st_mode & 0o777 == 0o600
    assert b"PRIVATE KEY" in file.read_bytes()
    assert b"PRIVATE" not in certificate
    assert ssl.PEM_cert_to_DER_cert(certificate.decode())


def test_a_new_authority_counts_at_once(tmp_path: Path) -> None:
    """Tasks that begin then trust no other, and a gateway lives for weeks."""
    file = tmp_path / "authority.pem"
    certificate_of(file)
    authority = Authority(file)
    first = authority.context("a.example")
    assert authority.context("a.example") is first
    file.unlink()
    certificate_of(file)
    assert authority.context("a.example") is not first


def test_a_credential_shows_its_secret_to_nobody() -> None:
    one = Credential("a.example", 443, "Authorization", "TOKEN", VALUE)
    assert SECRET not in f"{one!r} {one} {one.__rich_repr__()}"
