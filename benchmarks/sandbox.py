"""The sandbox beside the least server that keeps calls, beside itself when small, and a large campaign."""

from __future__ import annotations

import json
import random
import re
import resource
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median

import httpx

from topcalls_tools.sandbox import Plan, Sandbox, open_sandbox, serve_in_background
from topcalls_tools.sandbox.plans import Contact
from topcalls_tools.sandbox.store import Store

from .load import request, requests_a_second
from .measure import Row, race

BODY = json.dumps({"phone_number": "+14155550123", "task": "Ask whether Tuesday is free."}).encode()
ROOT = Path(__file__).parent.parent
ROUNDS, EACH = 7, 3000
LARGE, SMALL = 1_000_000, 1000
LEADS = 100_000
_ENDLESS = ("0008", "0009")
"""Calls that somebody must stop; with them a campaign does not end."""
_OURS = """
import sys
from pathlib import Path
from topcalls_tools.sandbox import open_sandbox, serve_forever
world = open_sandbox(Path(sys.argv[1]), plans=())
key = world.add_account(10_000_000, 0, name="load", plans=())
serve_forever(world, 0, 1.0, lambda url: print(url.rpartition(":")[2], key, flush=True))
"""


async def rows(home: Path) -> list[Row]:
    """All lines of the table that concern the sandbox."""
    return [*await _throughput(home), *await _sizes(home), *_campaign(home)]


async def _throughput(home: Path) -> list[Row]:
    """Requests a second over 64 connections; a ratio of 2 is half the bare server's throughput."""
    with (
        _serving([sys.executable, "-m", "benchmarks.bare", str(home / "bare.db")]) as (bare, _),
        _serving([sys.executable, "-c", _OURS, str(home / "load.db")]) as (ours, key),
    ):
        call_id = {port: _one_call(port, key) for port in (bare, ours)}

        def posts(port: int) -> list[bytes]:
            keys = (str(uuid.uuid4()) for _ in range(EACH))
            return [request("POST", "/v1/calls", key, BODY, idempotency=one) for one in keys]

        def gets(port: int) -> list[bytes]:
            return [request("GET", f"/v1/calls/{call_id[port]}", key)] * EACH

        found = []
        for what, sent in (("POST /v1/calls", posts), ("GET /v1/calls/ID", gets)):
            rates = [
                (await requests_a_second(ours, sent(ours)), await requests_a_second(bare, sent(bare)))
                for _ in range(ROUNDS)
            ]
            found.append(_slower(f"{what}, 64 connections", rates))
        return found


def _slower(what: str, rates: list[tuple[float, float]]) -> Row:
    mine, theirs = (median(rate) for rate in zip(*rates, strict=True))
    ratios = sorted(bare / ours for ours, bare in rates)
    spread = f"{ratios[len(ratios) // 4]:.2f}-{ratios[-1 - len(ratios) // 4]:.2f}"
    return Row(what, f"{mine:.0f}/s", f"{theirs:.0f}/s", median(ratios), spread, 2)


def _one_call(port: int, key: str) -> str:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    reply = httpx.post(f"http://127.0.0.1:{port}/v1/calls", content=BODY, headers=headers, trust_env=False)
    return str(reply.raise_for_status().json()["call_id"])


@contextmanager
def _serving(command: list[str]) -> Iterator[tuple[int, str]]:
    """A server in a process of its own: its port, and its key where it has one."""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            port, *key = server.stdout.readline().split()
            yield int(port), key[0] if key else "none"
        finally:
            server.kill()


async def _sizes(home: Path) -> list[Row]:
    """Reads of a world with a million calls beside those of one with a thousand, through the HTTP route."""
    large, small = _filled(home / "large.db", LARGE), _filled(home / "small.db", SMALL)
    for sandbox in (large, small):
        sandbox.advance(600)  # all calls are over, and read as much
    with closing(large), closing(small), serve_in_background(large) as one, serve_in_background(small) as two:
        pair = [_Reader(one.url, large.add_key()), _Reader(two.url, small.add_key())]
        what = f"{LARGE} calls beside {SMALL}"
        return [
            await race(f"GET /v1/calls/ID, {what}", pair[0].read, pair[1].read, bar=1.5, rounds=20),
            await race(f"GET /v1/calls, {what}", pair[0].listed, pair[1].listed, bar=1.5, rounds=20),
        ]


class _Reader:
    """Reads single calls and pages of one sandbox, over one connection."""

    def __init__(self, url: str, key: str) -> None:
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, trust_env=False)
        self._ids = [call["id"] for call in self.listed().json()["data"]]

    def read(self) -> httpx.Response:
        return self._http.get(f"/v1/calls/{random.choice(self._ids)}").raise_for_status()

    def listed(self) -> httpx.Response:
        return self._http.get("/v1/calls").raise_for_status()


def _filled(path: Path, count: int) -> Sandbox:
    """A world whose first account has so many calls: one that was placed, and its copies."""
    sandbox = open_sandbox(path, plans=())
    with serve_in_background(sandbox) as served:
        _one_call(int(served.url.rpartition(":")[2]), sandbox.key())
    with closing(Store(path)) as store:
        for start in range(1, count, 10_000):
            with store.write() as book:
                call = book.rows("calls", limit=1)[0]
                numbers = range(start, min(count, start + 10_000))
                fresh = ({"id": str(uuid.UUID(int=n)), "created_at": call["created_at"] - n} for n in numbers)
                book.add("calls", *({**call, **one} for one in fresh))
    return sandbox


def _campaign(home: Path) -> list[Row]:
    """A campaign of 100,000 leads from its start to its end: seconds, and the memory of the process."""
    command = [sys.executable, "-m", "benchmarks.sandbox", str(home / "campaign.db")]
    done = subprocess.run(
        command, cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=True
    )
    seconds, megabytes, calls = map(float, done.stdout.split())
    what = f"campaign of {LEADS} leads"
    return [
        Row(f"{what}: seconds", f"{calls:.0f} calls", "", seconds, "", 60),
        Row(f"{what}: MB", "", "", megabytes, "", 500),
    ]


def main(path: Path) -> None:
    """Step a campaign to its end; print seconds, megabytes and calls."""
    every = (f"+1212{2_000_000 + 79 * place}" for place in range(LEADS + 100))
    ending = [number for number in every if number[-4:] not in _ENDLESS][:LEADS]
    contacts = tuple(Contact(name=f"Lead {n}", phone_number=number) for n, number in enumerate(ending))
    plan = Plan(
        name="Large",
        task="Ask {{name}} whether Tuesday suits them.",
        contacts=contacts,
        max_parallel_calls=50,
    )
    with closing(open_sandbox(path, plans=())) as sandbox:
        key = sandbox.add_account(10_000_000, 0, name="large", plans=[plan])
        with (
            serve_in_background(sandbox) as served,
            httpx.Client(
                base_url=served.url, headers={"Authorization": f"Bearer {key}"}, timeout=600
            ) as http,
        ):
            (campaign,) = http.get("/v1/campaigns").json()["data"]
            url = f"/v1/campaigns/{campaign['id']}"
            began = time.perf_counter()
            http.post(f"{url}/start").raise_for_status()
            while (now := http.get(url).json())["status"] == "running":
                http.post("/sandbox/clock", json={"advance_seconds": 7 * 86_400}).raise_for_status()
            took = time.perf_counter() - began
    stats = now["stats"]
    print(took, _most_memory(), stats["calls_completed"] + stats["calls_failed"])


def _most_memory() -> float:
    """The most memory that this process had, in megabytes. Linux carries `ru_maxrss` over from the process
    that started it, so its own mark is read where there is one."""
    try:
        (mark,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(mark) / 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]))
