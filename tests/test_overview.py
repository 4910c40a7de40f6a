"""The overview as a stream of server-sent events, over a real line."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from topcalls_tools.sandbox.web import app

from .test_sandbox import Bench, bench, calm

__all__ = ["bench", "calm"]


@pytest.fixture
def lines(bench: Bench) -> Iterator[Iterator[str]]:
    with bench.http.stream("GET", "/sandbox/events", timeout=5) as reply:
        assert reply.headers["content-type"].startswith("text/event-stream")
        yield filter(None, reply.iter_lines())


def overview(line: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(line.removeprefix("data: "))
    return found


def test_the_stream_tells_the_overview_and_each_change(bench: Bench, lines: Iterator[str]) -> None:
    first = overview(next(lines))
    assert first == bench.get("/sandbox/overview")
    call_id = bench.place()
    changed = overview(next(lines))
    assert [call["id"] for call in changed["calls"]] == [call_id]


def test_the_stream_ends_with_its_key(bench: Bench, lines: Iterator[str]) -> None:
    assert overview(next(lines))["calls"] == []
    (mine,) = [one for one in bench.sandbox.all_keys() if bench.key.endswith(one.hint[-4:])]
    bench.sandbox.revoke(mine.hint)
    assert list(lines) == []
    assert bench.http.get("/sandbox/events").status_code == 401


def test_an_overview_is_written_once_and_away_from_the_loop(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    by: list[str] = []

    class Json:
        @staticmethod
        def dumps(told: Any, **how: Any) -> str:
            by.append(threading.current_thread().name)
            return json.dumps(told, **how)

    monkeypatch.setattr(app, "json", Json)
    with bench.http.stream("GET", "/sandbox/events", timeout=httpx.Timeout(5)) as reply:
        lines = filter(None, reply.iter_lines())
        next(lines)
        bench.place()
        next(lines)
    assert len(by) == 2
    assert "topcalls-sandbox" not in by
