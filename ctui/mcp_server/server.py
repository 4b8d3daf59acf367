"""The server of `ctui --mcp`: what it answers, and how it ends.

Tools are loaded when somebody asks for them: `initialize` is answered without.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import NoReturn

import anyio
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    InputRequiredResult,
    ListToolsResult,
    PaginatedRequestParams,
)

from ctui import __version__
from ctui.mcp_server.protocol.call import Call, State
from ctui.mcp_server.protocol.stdio import stdio
from ctui.paths import Paths
from ctui.text import one_line

_LAST_MOMENT = 0.5
"""Seconds from the end of stdin, or a signal, to the end of the process, whatever still runs:
removals and imports can be cut off anywhere, and tasks belong to the driver."""

INSTRUCTIONS = """\
ctui runs Claude Code tasks, each in its own git worktree and its own sealed container.
execute_claude delegates one piece of work and waits for it. For several at once: run_task returns \
a task_id at once; get_task with wait_seconds waits until it is done or asks something; \
get_task_output reads what it did; list_asks and answer_ask answer it; send_message goes on.
A task's commits are on its worktree's branch. Worktrees that were removed can be restored."""


def build_server(state: State) -> Server[State]:
    """Return the server with all tools; it keeps nothing but `state`."""

    async def list_tools(
        _context: ServerRequestContext[State], _params: PaginatedRequestParams | None
    ) -> ListToolsResult:
        from ctui.mcp_server.registry import TOOLS

        return ListToolsResult(tools=[tool.wire() for tool in TOOLS.values()])

    async def call_tool(
        context: ServerRequestContext[State], params: CallToolRequestParams
    ) -> CallToolResult | InputRequiredResult:
        from ctui.mcp_server.registry import TOOLS

        tool = TOOLS.get(params.name)
        if tool is None:
            raise MCPError(INVALID_PARAMS, f"Unknown tool: {one_line(params.name, 80)}")
        call = Call(state, context, params.input_responses or {}, params.request_state)
        return await tool.call(call, params.arguments or {})

    return Server[State](
        "ctui",
        version=__version__,
        title="ctui",
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def run(repo: str) -> NoReturn:
    """Serve stdin and stdout until the client closes stdin or a signal comes; then exit with 0."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="ctui: %(message)s")
    asyncio.run(_serve(State(Paths.from_environment(), Path(repo).absolute())))
    # Taking a thousand modules apart takes the interpreter longer than all else.
    os._exit(0)


async def _serve(state: State) -> None:
    server = build_server(state)
    with anyio.CancelScope() as scope:

        def signalled() -> None:
            _leave_soon()
            scope.cancel()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, signalled)
        async with stdio(_leave_soon) as streams:
            options = server.create_initialization_options()
            await server.run(streams.incoming, streams.outgoing, options)
    _leave_soon()


def _leave_soon() -> None:
    """End the process in a moment, whatever threads wait for git or for a client that reads not."""
    timer = threading.Timer(_LAST_MOMENT, os._exit, (0,))
    timer.daemon = True
    timer.start()
