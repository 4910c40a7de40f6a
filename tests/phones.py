"""TopCalls as a live key meets it, without a network: calls that end when a test says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from topcalls_tools import Client, PlaceCall
from topcalls_tools.connect import Line
from topcalls_tools.deeds import CheckCall
from topcalls_tools.deeds.check_call import CallCheck
from topcalls_tools.errors import Refused
from topcalls_tools.settings import Settings

from .owner import owner

BERLIN, OTHERS = "+493055501401", tuple(f"+49305550142{last}" for last in range(10))
TASK = "Ask whether a table for two is free."
MONDAY = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
"""15:00 in Berlin."""


class Phones:
    """A client of such an account, its owner, and the clock in the test's hands. With `lines` of None there is no
    owner yet."""

    def __init__(self, home: Path, lines: str | None = "", *, now: datetime = MONDAY) -> None:
        if lines is not None:
            owner(home, lines)
        self.home, self.now = home, now
        self.calls: dict[str, dict[str, Any]] = {}
        self.line = Line(
            Settings(api_key="tc_live_canary0123", base_url="https://topcalls.invalid", home=home),
            clock=lambda: self.now,
        )
        transport = httpx.MockTransport(self._answer)
        self.client = Client(line=self.line, transport=transport, approve=lambda ask: True)

    def place(self, number: str = BERLIN, *, used: float | None = None, **more: Any) -> None:
        """A call; one that `used` minutes has ended a minute later."""
        task = f"{TASK} This is the call of {self.now:%H:%M:%S}."
        self.client.send(PlaceCall(**{"phone_number": number, "task": task, **more}))
        if used is not None:
            self.pass_(minutes=1)
            self.end(used)

    def end(self, minutes: float) -> None:
        for call in self.calls.values():
            if call["status"] == "in_progress":
                call.update(status="completed", completed=True, duration=minutes)

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)

    def check(self, number: str = BERLIN, **more: Any) -> CallCheck:
        return self.client.send(CheckCall(**{"phone_number": number, "task": TASK, **more}))

    def refused(self, **more: Any) -> bool:
        """Whether place_call refuses what check_call is asked about."""
        try:
            self.client.send(PlaceCall(**{"phone_number": BERLIN, "task": TASK, **more}))
        except Refused:
            return True
        return False

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.method == "POST":
            call_id = f"c{len(self.calls)}"
            self.calls[call_id] = {"id": call_id, "status": "in_progress", "created_at": self.now.isoformat()}
            return httpx.Response(200, json={"call_id": call_id, "status": "queued", "provider_call_id": "p"})
        if path == "/v1/balance":
            return httpx.Response(200, json={"remaining": 900, "reserved": 0})
        if path == "/v1/phone-numbers":
            own = {"id": "n", "number": "+493055501499", "status": "active"}
            return httpx.Response(200, json={"data": [own], "next_cursor": None})
        return httpx.Response(200, json=self.calls[path.rpartition("/")[2]])
