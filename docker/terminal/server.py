"""An MCP server on stdio for the terminals of one task, which the CLI starts in the sandbox.

It comes with the task's managed settings, so that no image needs it and no task can change it. The
few methods that a client of tools uses are served by hand:
modelcontextprotocol.io/specification/2025-11-25.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from terminals import COLUMNS, KEYS, ROWS, Terminals, Wrong

_LONGEST = 1 << 20
_TERMINAL = {"terminal": {"type": "string", "description": "As terminal_open named it."}}
_TOOLS: dict[str, tuple[str, dict[str, Any], list[str], bool]] = {
    "terminal_open": (
        "Start an interactive program (a debugger, a REPL, an installer that asks) on a terminal.",
        {
            "command": {"type": "string", "description": "For bash; without it a shell."},
            "rows": {"type": "integer", "minimum": 1, "maximum": 100, "default": ROWS},
            "columns": {"type": "integer", "minimum": 1, "maximum": 250, "default": COLUMNS},
        },
        [],
        False,
    ),
    "terminal_send": (
        "Type into a terminal: a text, then keys. Returns the screen once it is quiet.",
        {
            **_TERMINAL,
            "text": {"type": "string", "description": "Typed as it is; a newline is not enter."},
            "keys": {"type": "array", "items": {"type": "string", "enum": list(KEYS)}},
        },
        ["terminal"],
        False,
    ),
    "terminal_snapshot": (
        "Return the screen of a terminal, or wait until it shows a text.",
        {
            **_TERMINAL,
            "wait_for": {"type": "string"},
            "seconds": {"type": "integer", "minimum": 1, "maximum": 60},
        },
        ["terminal"],
        True,
    ),
    "terminal_close": ("End a terminal and its program.", _TERMINAL, ["terminal"], False),
}


def main() -> None:
    """Answer requests until stdin ends."""
    terminals = Terminals()
    try:
        while line := sys.stdin.buffer.readline(_LONGEST):
            if (answer := _answer(line, terminals)) is not None:
                sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
                sys.stdout.buffer.flush()
    finally:
        terminals.close_all()


def _answer(line: bytes, terminals: Terminals) -> dict[str, Any] | None:
    try:
        message = json.loads(line)
    except ValueError:
        return None
    if not isinstance(message, dict) or "id" not in message:
        return None
    call, method, params = message["id"], message.get("method"), message.get("params")
    params = params if isinstance(params, dict) else {}
    if method == "initialize":
        return _result(call, _introduction(params))
    if method == "ping":
        return _result(call, {})
    if method == "tools/list":
        return _result(call, {"tools": [_described(name) for name in _TOOLS]})
    if method == "tools/call":
        return _result(call, _called(terminals, params))
    error = {"code": -32601, "message": "this server has tools and nothing else"}
    return {"jsonrpc": "2.0", "id": call, "error": error}


def _introduction(params: dict[str, Any]) -> dict[str, Any]:
    return {
        "protocolVersion": params.get("protocolVersion", "2025-11-25"),
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "terminal", "version": "1"},
    }


def _described(name: str) -> dict[str, Any]:
    about, properties, required, reads = _TOOLS[name]
    schema = {"type": "object", "properties": properties, "required": required}
    return {
        "name": name,
        "description": about,
        "inputSchema": {**schema, "additionalProperties": False},
        "annotations": {"readOnlyHint": reads},
    }


def _called(terminals: Terminals, params: dict[str, Any]) -> dict[str, Any]:
    name, given = params.get("name"), params.get("arguments")
    given = given if isinstance(given, dict) else {}
    tools = {
        "terminal_open": terminals.open,
        "terminal_send": terminals.send,
        "terminal_snapshot": terminals.snapshot,
        "terminal_close": terminals.close,
    }
    try:
        if name not in tools:
            raise Wrong("there is no such tool")
        return {"content": [{"type": "text", "text": tools[name](given)}]}
    except (Wrong, OSError) as error:
        return {"content": [{"type": "text", "text": str(error)}], "isError": True}


def _result(call: Any, result: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": call, "result": result}


if __name__ == "__main__":
    main()
    os._exit(0)
