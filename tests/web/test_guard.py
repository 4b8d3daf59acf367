"""Who is refused, and how: always in JSON, always at once, and never at another's cost."""

from __future__ import annotations

import errno
import json
import os
import re
import socket
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from ctui.web.events import MOST_STREAMS
from ctui.web.server import BODY_SECONDS, HEAD_SECONDS
from tests.cli.test_bad_input import refused
from tests.web.conftest import Served, serving

_TASKS = "/api/claude/tasks"


def _refusal(answer: requests.Response, status: int) -> str:
    """The error of a refusal."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    assert set(found) == {"error", "hint"}
    assert "\n" not in found["error"]
    assert "Traceback" not in answer.text
    return str(found["error"])


def _exchange(served: Served, request: bytes, *, half_close: bool = False) -> bytes:
    """Everything that the server says to these bytes before it closes the connection."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=HEAD_SECONDS + 10) as sent:
        said = b""
        try:
            sent.sendall(request)
            if half_close:
                sent.shutdown(socket.SHUT_WR)
            while data := sent.recv(1 << 16):
                said += data
        except OSError as error:
            # It may have said all it has to say, and closed, before it was told everything.
            if error.errno not in {errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN}:
                raise
        return said


def test_only_the_token_in_the_header_opens(quiet: Served) -> None:
    right = quiet.token
    for header in ("", "Bearer", "Bearer wrong", f"Bearer {right}x", f"Basic {right}", right):
        answer = quiet.ask("GET", _TASKS, headers={"Authorization": header})
        _refusal(answer, 401)
        assert answer.headers["www-authenticate"].startswith("Bearer")
    for query in (f"?token={right}", f"?access_token={right}", f"?authorization=Bearer+{right}"):
        _refusal(quiet.ask("GET", _TASKS + query, headers={"Authorization": ""}), 401)
    for path in (_TASKS, "/api/claude/asks", "/api/nothing", f"{_TASKS}/x/events"):
        _refusal(quiet.ask("GET", path, headers={"Authorization": ""}), 401)
    assert quiet.ask("GET", _TASKS, headers={"Authorization": f"bearer {right}"}).ok


def test_the_token_is_not_given_to_whoever_has_it(quiet: Served) -> None:
    for method, path in (("GET", "token"), ("POST", "token/regenerate")):
        for header in (f"Bearer {quiet.token}", ""):
            url = f"/api/claude/auth/{path}"
            answer = quiet.ask(method, url, headers={"Authorization": header})
            _refusal(answer, 401 if method == "GET" or not header else answer.status_code)
            assert answer.status_code in {401, 405}
            assert quiet.token not in answer.text


def test_a_regenerated_token_counts_at_once(quiet: Served, repository: Path) -> None:
    from tests.cli.test_bad_input import ctui

    before, environ = quiet.token, quiet.paths.environment()
    shown = ctui(repository, "serve", "token", "show", **environ).stdout.strip()
    assert shown == before
    after = ctui(repository, "serve", "token", "regenerate", **environ).stdout.strip()
    assert after not in {"", before}
    _refusal(quiet.ask("GET", _TASKS, headers={"Authorization": f"Bearer {before}"}), 401)
    assert quiet.ask("GET", _TASKS, headers={"Authorization": f"Bearer {after}"}).ok


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.2", "localhost:80:80", "", "[::1"]
)
def test_a_wrong_host(quiet: Served, host: str) -> None:
    for header in (f"Bearer {quiet.token}", ""):
        _refusal(quiet.ask("GET", _TASKS, headers={"Host": host, "Authorization": header}), 421)
    _refusal(quiet.ask("GET", "/openapi.json", headers={"Host": host}), 421)


def test_right_hosts_and_origins(quiet: Served) -> None:
    for host in (f"localhost:{quiet.port}", "LOCALHOST", "127.0.0.1:1", f"[::1]:{quiet.port}"):
        assert quiet.ask("GET", _TASKS, headers={"Host": host}).ok
    own = f"http://127.0.0.1:{quiet.port}"
    assert quiet.ask("GET", _TASKS, headers={"Origin": own}).ok


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://127.0.0.1:1",
        "http://localhost",
        "file://",
        "http://[",
    ],
)
def test_a_foreign_origin(quiet: Served, origin: str) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        answer = quiet.ask(method, _TASKS, headers={"Origin": origin})
        _refusal(answer, 403)
        assert "access-control-allow-origin" not in answer.headers


def test_paths_and_methods_that_are_not_there(quiet: Served) -> None:
    prefix = quiet.url + "/api/claude"
    for path in (
        "/tasks/",
        "/tasks//",
        "/tasks/a/b",
        "/tasks/%2e%2e",
        "/tasks/..%2f..",
        "/tasks/é",
    ):
        request = requests.Request("GET", prefix).prepare()
        request.url = prefix + path
        request.headers["Authorization"] = f"Bearer {quiet.token}"
        with requests.Session() as session:
            _refusal(session.send(request, timeout=10), 404)
    for method in ("PUT", "PATCH", "OPTIONS", "TRACE", "BREW"):
        answer = quiet.ask(method, _TASKS)
        _refusal(answer, 405)
        assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}
    for path in ("", "/output", "/asks", "/events"):
        assert "no task" in _refusal(quiet.ask("GET", f"{_TASKS}/nobody{path}"), 404)


def test_bodies_that_cannot_be_used(quiet: Served) -> None:
    as_json = {"Content-Type": "application/json"}
    bodies: list[bytes] = [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"{}",
        b'{"prompt": 1}',
        b'{"prompt": null}',
        b'{"prompt": " \\n"}',
        b'{"prompt": "\\ud800"}',
        b'{"prompt": "\xff"}',
        b'{"prompt": "x", "budget": "much"}',
        b'{"prompt": "x", "budget": -1}',
        b'{"prompt": "x", "permission_mode": "bypassPermissions"}',
        b'{"prompt": "x", "name": "../../etc"}',
        b'{"prompt": "x", "workdir": ""}',
        b'{"prompt": "x", "workdir": "."}',
        b'{"prompt": "x", "workdir": "/etc"}',
        b'{"prompt": "x", "workdir": "/proc/self/root/etc/.."}',
        b'{"prompt": "x", "workdir": "/a\\u0000b"}',
        b'{"prompt": "x", "workdir": "/nowhere/at/all"}',
        b'{"prompt":' + b"[" * 100_000,
    ]
    for body in bodies:
        _refusal(quiet.ask("POST", _TASKS, data=body, headers=as_json), 400)
    assert _refusal(quiet.ask("POST", _TASKS, json={}), 400) == "prompt is required"
    assert _refusal(quiet.ask("POST", _TASKS, json={"prompt": "  "}), 400) == "prompt is required"
    _refusal(quiet.ask("POST", _TASKS, data={"prompt": "x"}), 400)
    assert quiet.get("/tasks") == {"tasks": []}


def test_fields_that_no_request_has(quiet: Served) -> None:
    """T22: they were accepted with 201, and a misspelt one had no effect."""
    for path, body in (
        ("/tasks", {"prompt": "x", "promt": "y"}),
        ("/tasks", {"prompt": "x", "skipPermissions": True}),
        ("/tasks", {"prompt": "x", "": 1}),
        ("/tasks", {"prompt": "x", "a\x1b[31m\nb": 1}),
        ("/tasks/nobody/message", {"prompt": "x", "wait": True}),
        ("/tasks/nobody/asks", {"ask_id": 1, "decision": "allow", "answer": "x"}),
    ):
        said = _refusal(quiet.ask("POST", f"/api/claude{path}", json=body), 400)
        assert said.endswith("is no field of this request"), said
        assert "\x1b" not in said
    long = {"prompt": "x", "y" * 100_000: 1}
    assert len(_refusal(quiet.ask("POST", _TASKS, json=long), 400)) <= 500
    assert quiet.get("/tasks") == {"tasks": []}


def test_the_document_says_what_is_refused(quiet: Served) -> None:
    """T22: schema and server disagreed."""
    schemas = quiet.ask("GET", "/openapi.json").json()["components"]["schemas"]
    for name in ("NewTask", "FollowUp", "AskAnswer"):
        assert schemas[name]["additionalProperties"] is False
    workdir = schemas["NewTask"]["properties"]["workdir"]["anyOf"]
    (pattern,) = [one["pattern"] for one in workdir if one["type"] == "string"]
    for given in ("", ".", "sub", " /tmp"):
        assert not re.search(pattern, given)
        body = {"prompt": "x", "workdir": given}
        assert "workdir" in _refusal(quiet.ask("POST", _TASKS, json=body), 400)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_the_repository_of_somebody_else(quiet: Served, repository: Path) -> None:
    os.chown(repository / ".git", 12345, 12345)
    answer = quiet.ask("POST", _TASKS, json={"prompt": "x", "workdir": str(repository)})
    assert "not yours" in _refusal(answer, 400)


def test_bodies_that_are_too_large(quiet: Served) -> None:
    large = b'{"prompt": "' + b"x" * 17_000_000 + b'"}'
    _refusal(quiet.ask("POST", _TASKS, data=large), 413)
    pieces = (large[at : at + 65536] for at in range(0, len(large), 65536))
    with requests.Session() as session:
        headers = {"Authorization": f"Bearer {quiet.token}", "Content-Type": "application/json"}
        _refusal(session.post(quiet.url + _TASKS, data=pieces, headers=headers, timeout=30), 413)
    quiet.healthy()


def test_bytes_that_are_no_request(quiet: Served) -> None:
    for junk in (
        b"\x00\x01\x02\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    ):
        said = _exchange(quiet, junk, half_close=True)
        if said:
            head, _, body = said.partition(b"\r\n\r\n")
            assert head.split()[1] in {b"400", b"404", b"421"}, said
            assert set(json.loads(body)) == {"error", "hint"}
    assert b" 421 " in _exchange(quiet, b"GET /api/claude/tasks HTTP/1.0\r\n\r\n")
    quiet.healthy()


def test_clients_that_vanish_or_close_half(quiet: Served) -> None:
    head = (
        f"POST {_TASKS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {quiet.token}\r\n"
        "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    ).encode()
    for number in range(50):
        with socket.create_connection(("127.0.0.1", quiet.port)) as sent:
            sent.sendall(head + b'{"prompt"')
            if number % 2:
                sent.shutdown(socket.SHUT_WR)
    _exchange(quiet, head + b'{"prompt"', half_close=True)
    quiet.healthy()
    assert quiet.get("/tasks") == {"tasks": []}


def test_whoever_sends_too_slowly_is_cut_off(quiet: Served) -> None:
    """Slow-loris: a byte now and then, in hundreds of connections, never a whole request."""
    assert HEAD_SECONDS < BODY_SECONDS
    begun = time.monotonic()
    with ExitStack() as stack:
        sockets = []
        for _ in range(300):
            made = socket.create_connection(("127.0.0.1", quiet.port))
            sockets.append(stack.enter_context(made))
            made.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        quiet.healthy()
        open_ones = set(range(len(sockets)))
        while open_ones and time.monotonic() - begun < HEAD_SECONDS + 5:
            time.sleep(0.5)
            for number in list(open_ones):
                try:
                    sockets[number].sendall(b"X-A: b\r\n")
                except OSError:
                    open_ones.discard(number)
        assert not open_ones
    quiet.healthy()


def test_more_connections_than_there_are_places(quiet: Served) -> None:
    with ExitStack() as stack:
        for _ in range(600):
            made = socket.create_connection(("127.0.0.1", quiet.port))
            stack.enter_context(made)
    end = time.monotonic() + HEAD_SECONDS
    while time.monotonic() < end:
        try:
            quiet.healthy()
            break
        except requests.ConnectionError:
            continue  # it has not heard yet that the others are gone
    quiet.healthy()


def test_it_listens_only_where_nobody_reads_along(repository: Path) -> None:
    said = refused(repository, "serve", "--host", "0.0.0.0")  # noqa: S104 - it is refused
    assert "--tls-cert" in said
    assert "--insecure-listen" in said
    assert "both files" in refused(repository, "serve", "--tls-cert", "hello.txt")
    files = ("--tls-cert", "hello.txt", "--tls-key", "hello.txt")
    assert "no certificate" in refused(repository, "serve", *files)
    assert "no address" in refused(repository, "serve", "--host", "not.a.host.invalid")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert "--port" in refused(repository, "serve", "--port", port)


def test_another_address_with_the_flag(repository: Path) -> None:
    options = ("--host", "0.0.0.0", "--insecure-listen", "--name", "tasks.example.org")  # noqa: S104 - the flag is what is tested
    environ = {**os.environ, "DOCKER_HOST": "unix:///nowhere/docker.sock"}
    with serving(repository, environ, *options) as served:
        for host in ("tasks.example.org", f"127.0.0.1:{served.port}", socket.gethostname()):
            assert served.ask("GET", _TASKS, headers={"Host": host}).ok
        _refusal(served.ask("GET", _TASKS, headers={"Host": "evil.example"}), 421)


def test_tls(repository: Path, tmp_path: Path) -> None:
    import trustme

    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    for blob in issued.cert_chain_pems:
        blob.write_to_path(tmp_path / "cert.pem", append=True)
    files = ("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"))
    environ = {**os.environ, "DOCKER_HOST": "unix:///nowhere/docker.sock"}
    with serving(repository, environ, *files) as served:
        assert served.url.startswith("https://")
        answer = served.ask("GET", _TASKS, verify=str(tmp_path / "ca.pem"))
        assert answer.json() == {"tasks": []}


def test_there_are_places_for_more_followers_than_the_bench_has() -> None:
    assert 50 < MOST_STREAMS < 100
