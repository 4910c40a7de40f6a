"""`python -m benchmarks`, `make bench`: what we cost beside the bare libraries. Always exits 0."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
from langchain_core.tools import StructuredTool
from mcp import Client as McpClient
from mcp import StdioServerParameters

from topcalls_tools import GetBalance, GetCall, ListCalls
from topcalls_tools.client import Client
from topcalls_tools.connect import Line
from topcalls_tools.langchain import TopCallsToolkit
from topcalls_tools.settings import Settings
from topcalls_tools.wire import Reply

from . import journal, sandbox
from .answers import CALL, REPLIES
from .measure import Racer, Row, race, table

KEY = "tc_test_benchmark"
HEADERS = {"Authorization": f"Bearer {KEY}"}
ROOT = Path(__file__).parent.parent
GIVEN = {"call_id": CALL["id"]}
REQUEST = GetCall(**GIVEN)
CALL_PATH = f"/v1/calls/{CALL['id']}"
VIEW = REQUEST.shown(REQUEST.reply(Reply(200, REPLIES[CALL_PATH])), live=False)
OURS = ["-m", "mcp_server"]


async def main() -> None:
    with tempfile.TemporaryDirectory() as home, _answering() as url:
        own = {name: value for name, value in os.environ.items() if not name.startswith("TOPCALLS_")}
        env = {**own, "TOPCALLS_API_KEY": KEY, "TOPCALLS_BASE_URL": url, "TOPCALLS_HOME": home}
        rows = await _calls(url, Path(home))
        rows += [await _over_mcp(url, Path(home), env, mode) for mode in ("auto", "legacy")]
        rows += await _starts(Path(home), env)
        rows += await journal.rows(Path(home))
        rows += await sandbox.rows(Path(home))
    print(table(rows))


@contextmanager
def _answering() -> Iterator[str]:
    """The local server of fixed replies, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.answers"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield f"http://127.0.0.1:{_line_of(server)}"
        finally:
            server.terminate()


async def _calls(url: str, home: Path) -> list[Row]:
    """Client and LangChain tool beside one shared `httpx.Client`, and that beside itself."""
    client = Client(line=Line(Settings(api_key=KEY, base_url=url, home=home)))
    tool = next(tool for tool in TopCallsToolkit(client=client).get_tools() if tool.name == GetCall.tool)
    with client, httpx.Client(base_url=url, headers=HEADERS, trust_env=False) as raw:
        page = ListCalls(limit=50)

        def read(path: str) -> Any:
            return raw.get(path).json()

        def get_call(call_id: str) -> dict[str, Any]:
            read(f"/v1/calls/{call_id}")
            return VIEW

        # LangChain reads these at each call; quoted ones, as this file has, would slow the baseline.
        get_call.__annotations__ = {"call_id": str, "return": dict[str, Any]}
        words = {"description": GetCall.description, "args_schema": GetCall.input_schema()}
        plain = StructuredTool(name=GetCall.tool, func=get_call, **words)
        assert json.loads(tool.invoke(GIVEN).partition("\n")[2]) == plain.invoke(GIVEN)
        pairs: list[tuple[str, float | None, Racer, Racer]] = [
            ("(noise) raw httpx, itself", None, lambda: read(CALL_PATH), lambda: read(CALL_PATH)),
            ("send GetBalance", 1.25, lambda: client.send(GetBalance()), lambda: read("/v1/balance")),
            ("send GetCall", 1.25, lambda: client.send(REQUEST), lambda: read(CALL_PATH)),
            ("send ListCalls, 50", 2.2, lambda: client.send(page), lambda: read("/v1/calls?limit=50")),
            ("LangChain get_call", 1.25, lambda: tool.invoke(GIVEN), lambda: plain.invoke(GIVEN)),
        ]
        return [await race(what, *pair, bar=bar) for what, bar, *pair in pairs]


async def _over_mcp(url: str, home: Path, env: dict[str, str], mode: Any) -> Row:
    """`get_call` over stdio, beside the least server that gives the same answer."""
    plan = {"tools": [GetCall.listing()], "url": url, "headers": HEADERS, "view": VIEW}
    ours = StdioServerParameters(command=sys.executable, args=OURS, env=env, cwd=ROOT)
    least = StdioServerParameters(command=sys.executable, args=_plain(home, plan), env=env, cwd=ROOT)
    async with McpClient(ours, mode=mode) as mine, McpClient(least, mode=mode) as theirs:
        for server in (mine, theirs):
            assert (await server.call_tool(GetCall.tool, GIVEN)).structured_content == VIEW
        pair = [lambda server=server: server.call_tool(GetCall.tool, GIVEN) for server in (mine, theirs)]
        return await race(f"MCP stdio get_call, {mode}", *pair, bar=1.3)


async def _starts(home: Path, env: dict[str, str]) -> list[Row]:
    """From nothing to the list of tools; what a model reads of it; what an import costs."""
    tools = _listed(OURS, env)[1]
    trivial = [{"name": tool["name"], "inputSchema": {"type": "object"}} for tool in tools]
    plain = _plain(home, {"tools": trivial})
    pair = [lambda args=args: _listed(args, env)[0] for args in (OURS, plain)]
    cold = await race(f"MCP start, {len(tools)} tools", *pair, bar=1.25, rounds=21, each=1)
    pair = [lambda name=name: _import_seconds(name) for name in ("topcalls_tools", "pydantic")]
    imports = await race("import, beside pydantic", *pair, bar=None, rounds=15, each=1)
    least = "import click, topcalls_tools.api"
    pair = [lambda args=args: _ran(args, env) for args in (["-m", "topcalls_tools.cli", "-h"], ["-c", least])]
    helped = await race("topcalls --help, beside import", *pair, bar=1.2, rounds=21, each=1)
    seen = [{key: tool.get(key) for key in ("name", "description", "inputSchema")} for tool in tools]
    sizes = [len(json.dumps(tool, ensure_ascii=False, separators=(",", ":")).encode()) / 4 for tool in seen]
    all_most = f"{sum(sizes):.0f} in all", f"most {max(sizes):.0f}"
    words = Row("tools/list, bytes/4 a tool", *all_most, sum(sizes) / len(sizes), "", 240)
    return [cold, words, imports, helped]


def _listed(arguments: list[str], env: dict[str, str]) -> tuple[float, list[dict[str, Any]]]:
    """Spawn a server and read its first whole tools/list: seconds since the spawn, and the tools."""
    about = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "b", "version": "1"}}
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    began = time.perf_counter()
    with subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=env, **pipes) as server:
        _say(server, id=0, method="initialize", params=about)
        _line_of(server)
        _say(server, method="notifications/initialized")
        _say(server, id=1, method="tools/list", params={})
        listed = json.loads(_line_of(server))["result"]
        took = time.perf_counter() - began
    assert not listed.get("nextCursor")
    return took, listed["tools"]


def _ran(arguments: list[str], env: dict[str, str]) -> None:
    subprocess.run([sys.executable, *arguments], cwd=ROOT, env=env, stdout=subprocess.DEVNULL, check=True)


def _import_seconds(module: str) -> float:
    """Seconds that an import takes in a fresh interpreter, without the interpreter's own start."""
    code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
    return float(subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True))


def _plain(home: Path, plan: dict[str, Any]) -> list[str]:
    path = home / f"plan-{len(plan['tools'])}.json"
    path.write_text(json.dumps(plan))
    return ["-m", "benchmarks.plain_mcp", str(path)]


def _say(server: subprocess.Popen[str], **message: Any) -> None:
    print(json.dumps({"jsonrpc": "2.0", **message}), file=server.stdin, flush=True)


def _line_of(server: subprocess.Popen[str]) -> str:
    assert server.stdout
    return server.stdout.readline().strip()


if __name__ == "__main__":
    anyio.run(main)
