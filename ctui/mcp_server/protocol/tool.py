"""A tool: its name, what it takes and gives as msgspec structs, and how errors are told."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from mcp_types import CallToolResult, InputRequiredResult, TextContent, ToolAnnotations
from mcp_types import Tool as WireTool

from ctui.errors import CtuiError, InvalidInput
from ctui.mcp_server.protocol.call import Call
from ctui.mcp_server.protocol.pages import cut_down
from ctui.mcp_server.protocol.tool_schema import input_schema, output_schema
from ctui.text import one_line

_log = logging.getLogger("ctui.mcp")

_ERROR_WIDTH = 600

READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
ADDS = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)
ENDS = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
"""Hints for what is the same done twice as done once, and can be gone on with."""
REMOVES = ToolAnnotations(
    read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False
)
WORKS = ToolAnnotations(read_only_hint=False, destructive_hint=True, open_world_hint=True)
"""Hints for Claude's work, which may change what is in its worktree and use the network."""

A = TypeVar("A", bound=msgspec.Struct)
R = TypeVar("R", bound=msgspec.Struct)
Run = Callable[[Call, A], Awaitable[R | InputRequiredResult]]


@dataclass(frozen=True)
class Tool:
    """One tool."""

    name: str
    description: str
    takes: type[msgspec.Struct]
    gives: type[msgspec.Struct]
    annotations: ToolAnnotations
    run: Callable[[Call, Any], Awaitable[msgspec.Struct | InputRequiredResult]]

    def wire(self) -> WireTool:
        """Return it as `tools/list` has it."""
        return WireTool(
            name=self.name,
            description=self.description,
            input_schema=input_schema(self.takes),
            output_schema=output_schema(self.gives),
            annotations=self.annotations,
        )

    async def call(
        self, call: Call, arguments: dict[str, Any]
    ) -> CallToolResult | InputRequiredResult:
        """Run it; whatever goes wrong becomes one line that says what to do."""
        try:
            found = await self.run(call, self._convert(arguments))
        except CtuiError as error:
            return _failed(error.message, error.hint)
        except OSError as error:
            return _failed(f"{self.name}: {error.strerror or type(error).__name__}", "try again")
        except Exception:  # noqa: BLE001 - a mistake of ours ends one call, and nothing else
            _log.exception("%s failed", self.name)
            return _failed(f"{self.name} failed inside ctui", "its stderr has the details")
        if isinstance(found, InputRequiredResult):
            return found
        shown = cut_down(msgspec.to_builtins(found))
        text = msgspec.json.encode(shown).decode()
        return CallToolResult(
            content=[TextContent(type="text", text=text)], structured_content=shown
        )

    def _convert(self, arguments: dict[str, Any]) -> msgspec.Struct:
        try:
            return msgspec.convert(arguments, self.takes)
        except (msgspec.ValidationError, RecursionError) as error:
            names = ", ".join(self.takes.__struct_fields__) or "none"
            raise InvalidInput(
                f"{self.name}: {one_line(str(error), 300)}", hint=f"its arguments: {names}"
            ) from error


def tool(
    takes: type[A], gives: type[R], annotations: ToolAnnotations
) -> Callable[[Run[A, R]], Tool]:
    """Make a tool of a function: its name is the tool's, its docstring the description.

    Args:
        takes: the arguments; the fields' descriptions are shown to the client.
        gives: the structured result.
        annotations: what it does to the world.
    """

    def make(function: Run[A, R]) -> Tool:
        name: str = function.__name__
        return Tool(name, inspect.getdoc(function) or "", takes, gives, annotations, function)

    return make


def _failed(message: str, hint: str) -> CallToolResult:
    text = one_line(message, _ERROR_WIDTH)
    if hint:
        text = f"{text} ({one_line(hint, _ERROR_WIDTH)})"
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)
