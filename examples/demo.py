"""`make demo`: a person is asked about a call and listens to it, over MCP and as LangChain tools.

All of it is practice: a sandbox of its own on this machine, in `.demo/`, whose clock runs fast.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import anyio
from langchain_core.messages import ToolMessage
from mcp import Client as MCPClient
from mcp import StdioServerParameters
from mcp.client import ClientRequestContext
from mcp.client.stdio import stdio_client
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult, TextContent
from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from topcalls_tools import Client, TopCallsToolkit
from topcalls_tools.api.transcript import ShownTurn
from topcalls_tools.cli.show import turn
from topcalls_tools.flow.steps import Ask
from topcalls_tools.quoting import BAR, barred

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".demo"
SPEED = 12
DINNER = {
    "phone_number": "+14155550123",
    "task": (
        "Book a table for two on Friday at 7:30 pm under Miller, ask whether they have vegan dishes, "
        "and how much the tasting menu costs."
    ),
    "max_duration": 5,
}
BIKE = {"phone_number": "+442079460018", "task": "Ask how much a bike rental costs.", "max_duration": 3}
NOTHING: dict[str, Any] = {}
console = Console(highlight=False)


def main() -> int:
    """Run the demo. Ctrl-C ends it, and everything that it started; so does a closed terminal."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs begin without it
    for ending in {"SIGTERM", "SIGHUP"} & set(dir(signal)):
        signal.signal(getattr(signal, ending), lambda *_: signal.raise_signal(signal.SIGINT))
    for name in [name for name in os.environ if name.startswith("TOPCALLS_")]:
        del os.environ[name]  # nobody's key, and nobody's settings
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(mode=0o700)
    try:
        with sandbox() as where:
            os.environ |= {"TOPCALLS_HOME": str(HOME), **where}
            anyio.run(over_mcp)
            as_langchain_tools()
    except KeyboardInterrupt:
        console.print("\nEnded; everything that the demo started has stopped.")
        return 130
    title("What is left")
    console.print(f"The sandbox's world and the record of every yes and every call: {HOME.name}/")
    console.print("Next: topcalls --help, the README, and examples/.")
    return 0


@contextmanager
def sandbox() -> Iterator[dict[str, str]]:
    """A TopCalls on this machine, as a program of its own. Gives the settings that lead to it."""
    title("A TopCalls on this machine")
    command = [sys.executable, "-m", "topcalls_tools.cli", "sandbox", "--port", "0", "--speed", str(SPEED)]
    command += ["--db", str(HOME / "sandbox.db")]
    with (
        (HOME / "sandbox.log").open("w") as log,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT, start_new_session=True
        ) as served,
    ):
        try:
            assert served.stdout
            where: dict[str, str] = {}
            while len(where) < 2 and (printed := served.stdout.readline()):
                name, given, value = printed.strip().partition("=")
                if given:
                    where[name] = value
            if len(where) < 2:
                sys.exit(f"The sandbox did not start: {(HOME / 'sandbox.log').read_text().strip()}")
            address = where["TOPCALLS_BASE_URL"]
            console.print(f"topcalls sandbox answers at {address}; its clock runs {SPEED} times as fast.")
            yield where
        finally:
            served.terminate()


async def over_mcp() -> None:
    """What an assistant does: tools over the Model Context Protocol, and a form for the person."""
    title("1  An assistant calls, over MCP")
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "mcp_server"],
        env={name: value for name, value in os.environ.items() if name.startswith("TOPCALLS_")},
        cwd=ROOT,
    )
    with (HOME / "mcp.log").open("w") as log:
        async with MCPClient(stdio_client(server, errlog=log), elicitation_callback=form) as client:
            tools = (await client.list_tools()).tools
            console.print(f"topcalls-mcp offers {len(tools)} tools, among them place_call and follow_call.")
            before = told(await client.call_tool("get_balance"))
            console.print(f"Call minutes now: {before['remaining']:g}\n")

            answered = await client.call_tool("place_call", DINNER)
            if answered.is_error:
                console.print(Text(f"The assistant is told: {words(answered)}"))
                return
            placed = told(answered)
            reached, heard = 1, NOTHING
            while not over(heard):
                with waiting(heard):
                    arguments = {"call_id": placed["call_id"], "from_turn": reached}
                    heard = told(await client.call_tool("follow_call", arguments))
                show(heard.get("turns", []))
                reached = heard["next_turn"]
            after = told(await client.call_tool("get_balance"))
            console.print()
            aside(heard)
            console.print(f"{'minutes':>17}    {before['remaining']:g} before, {after['remaining']:g} after")


def as_langchain_tools() -> None:
    """The same, as tools of LangChain in this process; `approve` takes the place of the form."""
    title("2  The same as LangChain tools")
    with Client() as client:
        tools = {tool.name: tool for tool in TopCallsToolkit(client=client, approve=approve).get_tools()}

        def use(name: str, arguments: dict[str, Any]) -> ToolMessage:
            call = {"type": "tool_call", "id": "1", "name": name, "args": arguments}
            return cast(ToolMessage, tools[name].invoke(call))

        answered = use("place_call", BIKE)
        if answered.status == "error":
            console.print(Text(f"The model is told: {answered.content}"))
            return
        reached, heard = 1, NOTHING
        while not over(heard):
            with waiting(heard):
                reply = use("follow_call", {"call_id": answered.artifact.call_id, "from_turn": reached})
            heard = reply.artifact.model_dump(mode="json", exclude_none=True)
            show(heard["turns"])
            reached = heard["next_turn"]
        console.print()
        aside(heard)


async def form(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
    """What an assistant shows as a form."""
    match person(params.message):
        case True:
            return ElicitResult(action="accept", content={"yes": True})
        case False:
            return ElicitResult(action="decline")
        case None:
            return ElicitResult(action="cancel")


def approve(ask: Ask) -> bool | None:
    return person(ask.question.text())


def person(question: str) -> bool | None:
    """Show the question as it stands, and let whoever sits at the terminal answer it; None is no answer."""
    console.print(Text("The person is asked:", style="bold yellow"))
    for line in question.splitlines():
        mark = BAR if line.startswith(BAR) else ""  # quoted words keep their mark on every line they need
        width = max(20, console.width - len(mark))
        for part in textwrap.wrap(line.removeprefix(mark), width) or [""]:
            console.print(Text(mark + part))
    if not sys.stdin.isatty():
        console.print(Text("Approve? approved by the demo\n", style="bold yellow"))
        return True
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # Ctrl-C ends the wait for an answer
    said: bool | None = None
    interrupted = False
    try:
        said = input("Approve? [y/n] ").strip().lower() in ("y", "yes")
    except EOFError:
        pass
    except KeyboardInterrupt:
        interrupted = True
    finally:
        signal.signal(signal.SIGINT, before)
    console.print()
    if interrupted:
        signal.raise_signal(signal.SIGINT)  # now for the demo as a whole
    return said


def told(result: CallToolResult) -> dict[str, Any]:
    """A result's JSON."""
    if result.is_error or result.structured_content is None:
        raise RuntimeError(words(result))
    return dict(result.structured_content)


def words(result: CallToolResult) -> str:
    """What a result says in words; a no or a refusal is a sentence."""
    return " ".join(block.text for block in result.content if isinstance(block, TextContent))


def over(heard: dict[str, Any]) -> bool:
    return bool(heard) and heard["ended"] and not heard["more"] and heard.get("completed", True)


@contextmanager
def waiting(heard: dict[str, Any]) -> Iterator[None]:
    """A moving sign while there is no news; on a terminal alone."""
    match heard.get("status"):
        case None | "queued":
            sign = "It rings ..."
        case "in_progress":
            sign = "They are talking ..."
        case _:
            sign = "The call is over; it is being summed up ..."
    with console.status(sign):
        yield


def show(turns: list[dict[str, Any]]) -> None:
    """Print turns as they come. The words are a stranger's: they stay behind their bar."""
    for one in turns:
        for line in turn(ShownTurn.model_validate(one), console.width):
            console.print(line, soft_wrap=True)


def aside(heard: dict[str, Any]) -> None:
    """What came of a call: words that are derived from a stranger's, behind a bar too."""
    label = f"{'summary':>17}"
    for line in barred(heard.get("call_summary", ""), console.width - len(label) - len(BAR), label):
        console.print(Text(line), soft_wrap=True)


def title(words: str) -> None:
    console.print()
    console.print(Rule(Text(words, style="bold"), align="left", characters="-"))


if __name__ == "__main__":
    sys.exit(main())
