"""A TopCalls that always answers the same bytes, at once: `python -m benchmarks.answers` prints its port."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

WITNESS = Path(__file__).parent.parent / "tests" / "witness"
SAID = "Thank you, half past seven on Thursday suits us; is there a table by the window left?"


def _documented(name: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((WITNESS / f"{name}.json").read_text())["reply"]["body"]
    return body


TURNS = [
    {
        "id": n,
        "user": "assistant" if n % 2 else "user",
        "text": SAID,
        "created_at": f"2025-12-22T10:30:{n:02d}Z",
    }
    for n in range(1, 11)
]
CALL = {**_documented("get_call"), "transcript": TURNS}
PAGE = {"data": [{**CALL, "id": f"{n:08d}{CALL['id'][8:]}"} for n in range(50)], "next_cursor": None}
REPLIES = {
    "/v1/balance": json.dumps(_documented("get_balance")).encode(),
    f"/v1/calls/{CALL['id']}": json.dumps(CALL).encode(),
    "/v1/calls": json.dumps(PAGE).encode(),
}


def main() -> None:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    async def answer(request: Request) -> Response:
        return Response(REPLIES[request.url.path], media_type="application/json")

    # The protocol must be named: asyncio turns Nagle's delay (40 ms a reply) off for such sockets alone.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    print(listening.getsockname()[1], flush=True)
    app = Starlette(routes=[Route(path, answer) for path in REPLIES])
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_keep_alive=120)
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
