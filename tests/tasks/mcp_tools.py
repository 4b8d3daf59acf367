"""A real MCP server for tests, of nothing but Python's own library: it runs in a task's container.

    python3 mcp_tools.py            on stdio
    python3 mcp_tools.py PORT       streamable HTTP, answering with plain JSON

Its tool `approve` is for --permission-prompt-tool: it allows what has `allowed` in it. `secret`
tells a hash of what it was given as a secret, which is `TOOL_SECRET` or the Authorization header;
`leak` tells the thing itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOOLS = [
    {"name": name, "description": name, "inputSchema": {"type": "object", "properties": {}}}
    for name in ("approve", "secret", "leak")
]


def call(name: str, arguments: dict[str, Any], secret: str) -> str:
    """The text that a tool gives back."""
    if name == "secret":
        return hashlib.sha256(secret.encode()).hexdigest()
    if name == "leak":
        return f"it is {secret}"
    wanted = arguments["input"]
    if "allowed" in json.dumps(wanted) or arguments["tool_name"].startswith("mcp__"):
        return json.dumps({"behavior": "allow", "updatedInput": wanted})
    return json.dumps({"behavior": "deny", "message": "the approval tool says no"})


def answer(message: dict[str, Any], secret: str) -> dict[str, Any] | None:
    """The reply to one message, None for a notification."""
    if "id" not in message:
        return None
    params = message.get("params", {})
    result: dict[str, Any] = {}
    if message["method"] == "initialize":
        result = {
            "protocolVersion": params["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "tools", "version": "1"},
        }
    elif message["method"] == "tools/list":
        result = {"tools": TOOLS}
    elif message["method"] == "tools/call":
        text = call(params["name"], params.get("arguments", {}), secret)
        result = {"content": [{"type": "text", "text": text}]}
    return {"jsonrpc": "2.0", "id": message["id"], "result": result}


class Handler(BaseHTTPRequestHandler):
    """One request, one reply."""

    def do_POST(self) -> None:
        """A message of the client."""
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        reply = answer(message, self.headers.get("Authorization", ""))
        body = b"" if reply is None else json.dumps(reply).encode()
        self.send_response(202 if reply is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        """There is no stream of our own accord."""
        self.send_error(405)


def main() -> None:
    """Serve until there is nobody left."""
    if sys.argv[1:]:
        server = ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), Handler)  # noqa: S104 - of a sealed network
        sys.stderr.write("listening\n")
        sys.stderr.flush()
        server.serve_forever()
    for line in sys.stdin:
        reply = answer(json.loads(line), os.environ.get("TOOL_SECRET", ""))
        if reply is not None:
            sys.stdout.write(json.dumps(reply) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
