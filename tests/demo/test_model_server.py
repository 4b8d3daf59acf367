"""The scripted model's server: held, cut and broken connections, and what it tells tests."""

from __future__ import annotations

import hashlib
import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPResponse, IncompleteRead
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ctui.demo.model.script import fenced

if TYPE_CHECKING:
    from .conftest import Model, Start, Talk


@contextmanager
def open_stream(talk: Talk) -> Iterator[HTTPResponse]:
    """A stream that has begun; leaving it hangs up, whether it was read to its end or not."""
    connection = talk.model.connect()
    body = json.dumps(talk.request(stream=True))
    connection.request("POST", "/v1/messages", body, {"x-api-key": "k"})
    response = connection.getresponse()
    try:
        yield response
    finally:
        response.close()
        connection.close()


def read_until(response: HTTPResponse, text: bytes) -> bytes:
    read = b""
    while text not in read:
        line = response.readline()
        assert line, read
        read += line
    return read


def until(seen: Callable[[], bool]) -> None:
    """Ask the server again and again: it has no call that waits for this."""
    end = time.monotonic() + 20
    while not seen():
        assert time.monotonic() < end


def test_a_stream_waits_for_its_name_to_be_released(model: Model) -> None:
    with open_stream(model.talk(fenced("say Before.", "wait gate", "say After."))) as stream:
        assert b"After" not in read_until(stream, b"Before.")
        until(lambda: model.get("/waiting").json == {"gate": 1})
        assert model.post("/release/gate").status == 200
        assert b"message_stop" in read_until(stream, b"After.") + stream.read()
    assert model.get("/waiting").json == {}


def test_a_name_can_be_released_before_anyone_waits(model: Model) -> None:
    model.post_bytes("/release/early", b"", {})
    assert model.talk(fenced("wait early", "say Through.")).stream().text == "Through."


@pytest.mark.parametrize(("step", "name"), [("wait never", "never"), ("hang", "(hang)")])
def test_a_client_that_goes_away_is_not_waited_for(model: Model, step: str, name: str) -> None:
    with open_stream(model.talk(fenced("say Here.", step))) as stream:
        read_until(stream, b"Here.")
        until(lambda: model.get("/waiting").json == {name: 1})
    until(lambda: model.get("/waiting").json == {})


def test_a_cut_stream_ends_without_its_end(model: Model) -> None:
    talk = model.talk(fenced("say Some.", "cut", "say All."), user="cut")
    with open_stream(talk) as stream, pytest.raises(IncompleteRead) as cut:
        stream.read()
    assert b"Some." in cut.value.partial
    assert b"message_stop" not in cut.value.partial
    assert talk.stream().text == "Some.\nAll."


def test_a_flood_arrives_whole(model: Model) -> None:
    assert len(model.talk(fenced("flood 2000000")).stream().text) == 2_000_000


def test_the_calls_tell_what_reached_the_api_but_no_secret(model: Model) -> None:
    talk = model.talk("Hello.", user="told")
    model.post("/v1/messages", talk.request(system=[{"type": "text", "text": "x" * 9000 + "end"}]))
    secret = "sk-ant-oat01-secret"
    headers = {"authorization": f"Bearer {secret}", "anthropic-beta": "a,oauth-2025-04-20"}
    model.post_bytes("/v1/messages", json.dumps(talk.request()).encode(), headers)
    told = model.get("/calls")
    first, second = told.json[-2:]
    assert first["system"].endswith("xend")
    assert first["prompt"] == "Hello."
    assert first["tools"][:2] == ["Bash", "Read"]
    assert first["messages"] == 1
    assert [entry["kind"] for entry in first["credentials"]] == ["api-key"]
    digest = hashlib.sha256(secret.encode()).hexdigest()
    assert second["credentials"] == [{"kind": "oauth", "sha256": digest}]
    assert secret.encode() not in told.body


def test_only_the_last_calls_are_kept(model: Model) -> None:
    talk = model.talk("Hello.")
    first = len(model.get("/calls").json)
    for _ in range(201 - first):
        talk.stream()
    calls = model.get("/calls").json
    assert len(calls) == 200
    assert calls[-1]["number"] - calls[0]["number"] == 199


@pytest.mark.parametrize("key", ["", "sk-ant-expired"])
def test_a_missing_or_expired_credential_is_rejected(model: Model, key: str) -> None:
    reply = model.post("/v1/messages", model.talk("Hello.").request(stream=True), key=key)
    assert reply.status == 401
    assert reply.json["error"]["type"] == "authentication_error"


def test_the_log_has_each_call_with_its_status(start_model: Start, tmp_path: Path) -> None:
    log = tmp_path / "calls.jsonl"
    model = start_model("--log", str(log))
    talk = model.talk(fenced("fail 429", "say x"))
    talk.stream()
    talk.stream()
    until(lambda: len(log.read_text().splitlines()) == 2)
    statuses = [json.loads(line)["status"] for line in log.read_text().splitlines()]
    assert statuses == [429, 200]


def test_tokens_can_be_counted_without_an_answer(model: Model) -> None:
    short, long = model.talk("x"), model.talk("x" * 4000)
    counts = [
        model.post("/v1/messages/count_tokens", talk.request()).json["input_tokens"]
        for talk in (short, long)
    ]
    assert counts[1] - counts[0] == pytest.approx(1000, abs=2)


@pytest.mark.parametrize("path", ["/", "/healthz"])
def test_it_says_that_it_is_there(model: Model, path: str) -> None:
    assert model.get(path).status == 200


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b"[" * 100_000, b"\xff\xfe"])
def test_a_request_that_makes_no_sense_is_rejected(model: Model, body: bytes) -> None:
    reply = model.post_bytes("/v1/messages", body, {"x-api-key": "k"})
    assert reply.status == 400
    assert reply.json["error"]["type"] == "invalid_request_error"


def test_a_request_that_is_too_large_is_rejected_unread(model: Model) -> None:
    headers = {"x-api-key": "k", "content-length": str(64 * 1024 * 1024 + 1)}
    assert model.post_bytes("/v1/messages", b"", headers).status == 413


def test_a_request_of_unknown_length_is_rejected(model: Model) -> None:
    headers = {"x-api-key": "k", "transfer-encoding": "chunked"}
    assert model.post_bytes("/v1/messages", b"0\r\n\r\n", headers).status == 411


def test_an_unknown_path_is_not_found(model: Model) -> None:
    assert model.get("/nothing").status == 404
    assert model.post("/v1/nothing", {}).status == 404


def test_broken_clients_leave_no_trace(start_model: Start) -> None:
    model = start_model()
    for data in (b"\x16\x03\x01\x00", b"POST /v1/messages HTTP/1.1\r\ncontent-length: 9\r\n\r\n{"):
        with socket.create_connection(("127.0.0.1", model.port)) as client:
            client.sendall(data)
    for _ in range(5):
        with open_stream(model.talk(fenced("flood 3000000"))) as stream:
            stream.readline()
    assert model.talk(fenced("say Alive.")).stream().text == "Alive."
    model.process.send_signal(signal.SIGTERM)
    _, stderr = model.process.communicate(timeout=10)
    assert (model.process.returncode, stderr) == (0, "")
