"""The least server that keeps calls: Starlette, one SQLite insert or read a request, the sandbox's pragmas.

`python -m benchmarks.bare FILE` prints its port.
"""

from __future__ import annotations

import json
import socket
import sqlite3
import sys
import threading
import uuid


def main(path: str) -> None:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    turn, own = threading.Lock(), threading.local()
    headers = {"content-type": "application/json"}

    def opened() -> sqlite3.Connection:
        line = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        line.execute("PRAGMA journal_mode = WAL")
        line.execute("PRAGMA synchronous = NORMAL")
        line.execute("PRAGMA wal_autocheckpoint = 8000")
        return line

    def line() -> sqlite3.Connection:
        if not hasattr(own, "line"):
            own.line = opened()
        found: sqlite3.Connection = own.line
        return found

    def insert(body: bytes) -> Response:
        call_id, given = str(uuid.uuid4()), json.dumps(json.loads(body))
        with turn:
            line().execute("BEGIN IMMEDIATE")
            line().execute("INSERT INTO calls VALUES (?, ?)", (call_id, given))
            line().execute("COMMIT")
        told = {"call_id": call_id, "provider_call_id": call_id, "status": "queued"}
        return Response(json.dumps(told), 201, headers)

    async def place(request: Request) -> Response:
        return await run_in_threadpool(insert, await request.body())

    def read(request: Request) -> Response:
        wanted = (request.path_params["id"],)
        return Response(
            line().execute("SELECT body FROM calls WHERE id = ?", wanted).fetchone()[0], 200, headers
        )

    opened().execute("CREATE TABLE calls (id TEXT PRIMARY KEY, body TEXT NOT NULL)")
    routes = [Route("/v1/calls", place, methods=["POST"]), Route("/v1/calls/{id}", read)]
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        print(listening.getsockname()[1], flush=True)
        plain = uvicorn.Config(Starlette(routes=routes), log_level="warning", access_log=False)
        uvicorn.Server(plain).run(sockets=[listening])


if __name__ == "__main__":
    main(sys.argv[1])
