"""An MCP client and the server over stdio, with a form for the person.

Runs without a key; no phone rings.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from mcp import Client, StdioServerParameters
from mcp.client import ClientRequestContext
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult, TextContent
from practice import practice

from topcalls_tools.connect import Line

CALL = {
    "phone_number": "+14155550177",
    "task": "Remind them of the appointment on Tuesday at 9:15, and ask whether parking is available.",
    "max_duration": 3,
}


async def form(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
    """What an assistant shows as a form. Here it is printed, and approved after long enough to be read."""
    print("--- the person is asked " + "-" * 40)
    print(params.message)
    print("--- approved by this example " + "-" * 35)
    await asyncio.sleep(1)
    return ElicitResult(action="accept", content={"yes": True})


async def main(line: Line) -> None:
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "mcp_server"],
        env={
            "TOPCALLS_HOME": str(line.settings.home),
            "TOPCALLS_BASE_URL": line.address(),
            "TOPCALLS_API_KEY": line.key(),
        },
    )
    async with Client(server, elicitation_callback=form) as client:
        tools = (await client.list_tools()).tools
        name = client.server_info.title if client.server_info else "the server"
        print(f"{name} speaks protocol {client.protocol_version} and offers {len(tools)} tools\n")

        placed = told(await client.call_tool("place_call", CALL))
        over, asked_for = False, {"call_id": placed["call_id"]}
        while not over:
            heard = told(await client.call_tool("follow_call", asked_for))
            for turn in heard.get("turns", ()):
                print(f"{turn['speaker']:>14}: {turn['text']}")
            asked_for["from_turn"] = heard["next_turn"]
            over = heard["ended"] and not heard["more"] and heard.get("completed") is not False
        print(f"\n{heard.get('call_summary') or heard.get('error_message')}")


def told(result: CallToolResult) -> dict[str, Any]:
    """The result's JSON. A refusal or a no comes back as a sentence, not as an exception."""
    if result.is_error or result.structured_content is None:
        sys.exit("\n".join(block.text for block in result.content if isinstance(block, TextContent)))
    return dict(result.structured_content)


if __name__ == "__main__":
    with practice() as practised:
        asyncio.run(main(practised))
