"""The smallest MCP server of the SDK: what the answer to `initialize` is measured against."""

import anyio
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server


async def main() -> None:
    server: Server[dict[str, object]] = Server("minimal", version="1")
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


if __name__ == "__main__":
    anyio.run(main)
