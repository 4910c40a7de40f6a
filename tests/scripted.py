"""A language model that says what a test wrote: an OpenAI-compatible server on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Found = Callable[["Seen"], Any]


@dataclass(frozen=True)
class Seen:
    """What the tools have answered so far: JSON where it was some, else a sentence."""

    results: Sequence[Any]

    @property
    def last(self) -> Any:
        return self.results[-1]


@dataclass(frozen=True)
class Step:
    """One answer of the model: words, tools with their arguments, or a status of HTTP."""

    words: str | None = None
    tools: tuple[tuple[str, dict[str, Any]], ...] = ()
    status: int = 200

    def message(self, seen: Seen, number: int) -> dict[str, Any]:
        calls = [
            {
                "id": f"call_{number}_{place}",
                "type": "function",
                "function": {"name": name, "arguments": json.dumps(_filled(arguments, seen))},
            }
            for place, (name, arguments) in enumerate(self.tools)
        ]
        return {"role": "assistant", "content": self.words, **({"tool_calls": calls} if calls else {})}


def says(words: str) -> Step:
    return Step(words)


def tool(name: str, **arguments: Any) -> Step:
    """A tool is called; an argument that is a function is worked out from what was seen."""
    return Step(tools=((name, arguments),))


@dataclass
class Model:
    """The server: its address, what it was sent, and what it says."""

    steps: list[Step]
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)
    """Set once it was asked anything."""
    go: threading.Event | None = None
    """Where there is one, it answers nothing before it is set."""

    def answer(self, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.requests.append(request)
        self.asked.set()
        if self.go is not None:
            self.go.wait(30)
        number = len(self.requests)
        step = self.steps.pop(0) if self.steps else says("There is nothing more in the script.")
        if step.status != 200:
            return step.status, {"error": {"message": f"no: sk-canary-{self.keys[-1]}", "type": "wrong"}}
        results = [_read(one["content"]) for one in request["messages"] if one["role"] == "tool"]
        message = step.message(Seen(results), number)
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if step.tools else "stop"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        return 200, {
            "id": f"chatcmpl-{number}", "object": "chat.completion", "created": 0, "model": request["model"],
            "choices": [choice], "usage": usage,
        }  # fmt: skip


@contextmanager
def scripted(*steps: Step) -> Iterator[Model]:
    model = Model(list(steps))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            model.keys.append(self.headers.get("Authorization"))
            status, body = model.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            sent = json.dumps(body).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)
            except BrokenPipeError:
                pass  # nobody waits for it any more

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    model.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield model
    finally:
        if model.go is not None:
            model.go.set()
        server.shutdown()
        server.server_close()


def _filled(value: Any, seen: Seen) -> Any:
    match value:
        case dict():
            return {name: _filled(one, seen) for name, one in value.items()}
        case list() | tuple():
            return [_filled(one, seen) for one in value]
        case _:
            return value(seen) if callable(value) else value


def _read(content: str) -> Any:
    text = content.removeprefix("Practice: no phone rang.\n")
    try:
        return json.loads(text)
    except ValueError:
        return text
