"""`python -m mcp_server`, `topcalls-mcp`: the MCP server on standard input and output."""

from __future__ import annotations

import gc
import logging
import sys


def main() -> None:
    """Serve until the assistant goes away. A setting that cannot be used is said in one line, exit code 6."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    gc.disable()  # what is loaded here stays: looking for garbage in it only delays the first answer

    import anyio
    from mcp.server.stdio import stdio_server

    from topcalls_tools.client import AsyncClient
    from topcalls_tools.errors import Misconfigured

    from .server import serve

    try:
        client = AsyncClient()
        server = serve(client)
    except Misconfigured as error:
        print(error, file=sys.stderr)
        sys.exit(6)
    gc.freeze()
    gc.enable()

    async def run() -> None:
        async with client, stdio_server() as (read, write):
            sys.stdout = sys.stderr  # a stray print would be written into the protocol at exit
            await server.run(read, write, server.create_initialization_options())

    anyio.run(run)


if __name__ == "__main__":
    main()
