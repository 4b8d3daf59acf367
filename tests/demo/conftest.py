"""A scripted model as a real process on loopback, and a client that speaks as the CLI does."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import ctui.demo.model

FOLDER = Path(ctui.demo.model.__file__).parent
TOOLS = [{"name": name} for name in ("Bash", "Read", "Write", "Edit", "AskUserQuestion")]

Json = dict[str, Any]


@dataclass
class Reply:
    """What came back for one request."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[Json]:
        frames = self.body.decode().split("\n\n")
        return [json.loads(frame.split("\ndata: ", 1)[1]) for frame in frames if frame]

    @property
    def text(self) -> str:
        deltas = [event.get("delta", {}) for event in self.events]
        return "".join(delta.get("text", "") for delta in deltas)


@dataclass
class Talk:
    """A conversation: its messages so far, sent whole with each request."""

    model: Model
    user: str = "somebody"
    messages: list[Any] = field(default_factory=list)
    tools: list[Json] = field(default_factory=lambda: TOOLS)

    def say(self, *texts: str) -> None:
        content = [{"type": "text", "text": text} for text in texts]
        self.messages.append({"role": "user", "content": content})

    def give(self, *results: str, error: bool = False) -> None:
        """Answer the tool requests of the last message."""
        asked = [part for part in self.messages[-1]["content"] if part["type"] == "tool_use"]
        content = [
            {
                "type": "tool_result",
                "tool_use_id": tool["id"],
                "content": [{"type": "text", "text": text}],
                "is_error": error,
            }
            for tool, text in zip(asked, results, strict=True)
        ]
        self.messages.append({"role": "user", "content": content})

    def request(self, **fields: object) -> Json:
        request = {
            "model": "claude-test",
            "max_tokens": 1000,
            "metadata": {"user_id": self.user},
            "messages": self.messages,
            "tools": self.tools,
        }
        return {**request, **fields}

    def stream(self) -> Reply:
        """Ask for the answer as a stream, and leave the conversation as it is."""
        return self.model.post("/v1/messages", self.request(stream=True))

    def next(self) -> list[Json]:
        """The content of the next message, which becomes part of the conversation."""
        reply = self.model.post("/v1/messages", self.request())
        assert reply.status == 200, reply.body
        content: list[Json] = reply.json["content"]
        self.messages.append({"role": "assistant", "content": content})
        return content

    def next_text(self) -> str:
        return "".join(part["text"] for part in self.next() if part["type"] == "text")


@dataclass
class Model:
    """The server, as its clients see it."""

    port: int
    process: subprocess.Popen[str]

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def get(self, path: str) -> Reply:
        return self._send("GET", path, None, {})

    def post(self, path: str, body: object = None, key: str = "sk-ant-api03-test") -> Reply:
        return self._send("POST", path, json.dumps(body).encode(), {"x-api-key": key})

    def post_bytes(self, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        return self._send("POST", path, body, headers)

    def talk(self, *texts: str, user: str = "somebody") -> Talk:
        talk = Talk(self, user)
        talk.say(*texts)
        return talk

    def _send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Reply:
        connection = self.connect()
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return Reply(response.status, response.read())
        finally:
            connection.close()


Start = Callable[..., Model]


@pytest.fixture(scope="module")
def start_model() -> Iterator[Start]:
    """Starts a server as a container does: by its folder, without the package."""
    running: list[subprocess.Popen[str]] = []

    def start(*options: str) -> Model:
        argv = [sys.executable, "-I", str(FOLDER), "--port", "0", *options]
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stdout is not None
        return Model(int(process.stdout.readline().rpartition(":")[2]), process)

    yield start
    for process in running:
        process.terminate()
        process.communicate(timeout=10)


@pytest.fixture(scope="module")
def model(start_model: Start) -> Model:
    return start_model()
