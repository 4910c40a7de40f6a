"""The sandbox's file with requests that go straight to it, and small campaigns made up at random."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from topcalls_tools.sandbox import Sandbox, open_sandbox
from topcalls_tools.sandbox.caller import Scene
from topcalls_tools.sandbox.clock import Clock
from topcalls_tools.sandbox.deliveries import Courier
from topcalls_tools.sandbox.people import People
from topcalls_tools.sandbox.plans import Plan
from topcalls_tools.sandbox.store import Store
from topcalls_tools.sandbox.web.arrivals import Arrived
from topcalls_tools.sandbox.web.controls import Controls
from topcalls_tools.sandbox.web.gateway import Gateway

from .audit import Told
from .test_sandbox import TASK, Hand

ENDINGS = (
    "0001",
    "0002",
    "0003",
    "0004",
    "0005",
    "0006",
    "0007",
    "0008",
    "0009",
    "0013",
    "0014",
    "1234",
    "2345",
)
CALL_EVENTS = ("call.queued", "call.started", "call.completed", "call.failed")
CAMPAIGN_EVENTS = (
    "campaign.started",
    "campaign.paused",
    "campaign.resumed",
    "campaign.completed",
    "campaign.stopped",
)
NOWHERE = "http://127.0.0.1:9/hook"
A_DAY = timedelta(days=1)


@dataclass
class Door:
    """The sandbox's file, and requests on it as one process answers them; nobody sends webhooks."""

    path: Path
    hand: Hand
    key: str = ""

    def __post_init__(self) -> None:
        self.opened: list[Sandbox | Store] = []
        self.open()

    def open(self) -> None:
        """Let go of nothing and open the file anew, as after a kill."""
        sandbox, store = open_sandbox(self.path, real=self.hand, plans=()), Store(self.path)
        self.opened += [sandbox, store]
        self.sandbox = sandbox
        gateway = Gateway(store, Clock(self.hand), Scene(sandbox.seed, People.load(self.path.parent)))
        self.reply = {True: Controls(gateway, Courier(gateway)).reply, False: gateway.reply}

    def close(self) -> None:
        for one in self.opened:
            one.close()

    def send(self, method: str, path: str, body: Told | None = None, **headers: str) -> tuple[int, Any]:
        url = urlsplit(path)
        headers |= {
            "authorization": f"Bearer {self.key}",
            "host": "localhost",
            "content-type": "application/json",
        }
        content = b"" if body is None else json.dumps(body).encode()
        arrived = Arrived(method, url.path, dict(parse_qsl(url.query)), headers, content)
        reply = self.reply[url.path.startswith("/sandbox/")](arrived).reply
        assert reply is not None
        return reply.status, json.loads(reply.content) if reply.content else None

    def ask(self, path: str) -> Any:
        status, told = self.send("GET", path)
        assert status == 200, (path, told)
        return told


ENDING = st.sampled_from(ENDINGS)
HOURS = st.sampled_from([(0, 0), (0, 0), (9, 18), (22, 4), (13, 14)])
WEEKDAYS = st.sampled_from(["1234567", "12345", "67"])


@st.composite
def plans(draw: st.DrawFn, name: str) -> Plan:
    """A small campaign; one contact, the first, is on no other campaign's list."""
    opens, closes = draw(HOURS)
    numbers = [
        f"+1212555{name}{draw(ENDING)[1:]}",
        *(f"+1415555{e}" for e in draw(st.sets(ENDING, min_size=1, max_size=5))),
    ]
    return Plan.model_validate(
        {
            "name": name,
            "task": draw(st.sampled_from([TASK, "Tell {{name}} that we are closed on Friday."])),
            "contacts": [{"name": f"Somebody {number[-4:]}", "phone_number": number} for number in numbers],
            "opens": time(opens),
            "closes": time(closes),
            "weekdays": frozenset(map(int, draw(WEEKDAYS))),
            "timezone": draw(
                st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"])
            ),
            "max_parallel_calls": draw(st.integers(1, 3)),
            "max_retries": draw(st.integers(0, 2)),
            "retry_minutes": draw(st.sampled_from([1, 30, 1000])),
            "max_duration": draw(st.sampled_from([1, 2.5, 30])),
            "scheduled_at": Hand().at + timedelta(hours=2) if draw(st.booleans()) else None,
            "webhook_url": NOWHERE,
            "webhook_events": CALL_EVENTS + CAMPAIGN_EVENTS,
        }
    )


def in_hours(plan: Plan, at: datetime) -> bool:
    """Whether a campaign may call at an instant, by the clock on the wall of its zone."""
    if plan.opens == plan.closes:
        return True
    local = at.astimezone(ZoneInfo(plan.timezone))
    today, yesterday = local.isoweekday() in plan.weekdays, (local - A_DAY).isoweekday() in plan.weekdays
    if plan.opens < plan.closes:
        return today and plan.opens <= local.time() < plan.closes
    return (today and local.time() >= plan.opens) or (yesterday and local.time() < plan.closes)


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as line:
        return list(line.iterdump())
