"""The least MCP server that the SDK allows, to compare with: `python -m benchmarks.plain_mcp PLAN`.

PLAN is a JSON file: `tools` as listed, and for calls `url`, `headers` and the `view` that is returned.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server


async def main(plan: dict[str, Any]) -> None:
    tools = [types.Tool.model_validate(tool) for tool in plan["tools"]]
    clients: list[Any] = []

    async def list_tools(
        ctx: ServerRequestContext[Any], params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=tools)

    async def call_tool(
        ctx: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        if not clients:
            import httpx  # a server that only lists its tools does without

            clients.append(httpx.AsyncClient(headers=plan["headers"], trust_env=False))
        (await clients[0].get(f"{plan['url']}/v1/calls/{(params.arguments or {})['call_id']}")).json()
        text = types.TextContent(type="text", text=json.dumps(plan["view"], ensure_ascii=False))
        return types.CallToolResult(content=[text], structured_content=plan["view"])

    server: Server[Any] = Server("plain", on_list_tools=list_tools, on_call_tool=call_tool)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


if __name__ == "__main__":
    anyio.run(main, json.loads(Path(sys.argv[1]).read_text()))
