"""One of two who do the same at the same sandbox times: `python -m tests.twin FOLDER calm|restless`.

The calm one goes from deed to deed in one step. The restless one takes many small steps, reads a lot in
between and starts the sandbox anew now and then. Both write what they were told at the end to standard output.
"""

from __future__ import annotations

import json
import math
import random
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx

from topcalls_tools.sandbox import open_sandbox, serve_in_background
from topcalls_tools.sandbox.people import People
from topcalls_tools.sandbox.plans import Plan

from . import audit
from .receiver import Receiver
from .test_sandbox import Hand

HOUR, DAY = 3600, 86_400
KEY = "tc_test_twin"
TASKS = (
    "Ask whether they deliver, how much the set menu costs, and book a table for two on Friday at 7 pm.",
    "Tell {{name}} that the office is closed on Monday, and ask when they would like to come instead.",
    "Confirm the appointment on Thursday at 10 am and ask where they park.",
    "Pregunta si abren el domingo y reserva una mesa para dos el viernes a las ocho.",
)
EVENTS = ["call.queued", "call.started", "call.completed", "call.failed"]
Deed = tuple[float, str, str, dict[str, Any] | None]
"""Sandbox seconds since the beginning, method, path, body. `{...}` in a path or body is what a look-up gives."""


def deeds() -> Iterator[Deed]:
    """What both do, in order of time."""
    people = People.load(None)
    endings = [ending for person in people for ending in person.endings]
    reached = [f"+1415555{ending}" for ending in endings] + [n for person in people for n in person.numbers]
    reached += [f"+4930123{number}" for number in range(2000, 2012)]
    yield 0, "POST", "/v1/webhooks", {"event": "call.completed", "url": "{hooks}/every"}
    for place, number in enumerate(reached):
        yield place // 4 * 1.5, "POST", "/v1/calls", _call(number, place)
    yield 16, "POST", "/v1/calls/{call:+14155550008}/stop", None
    yield 16, "POST", "/v1/calls/{call:+14155550009}/cancel", None
    yield 40, "POST", "/v1/campaigns/{campaign:Mornings}/start", None
    for place, number in enumerate(reached):
        yield 300 + place // 4 * 2.5, "POST", "/v1/calls", _call(number, place + 1)
    yield (
        1.02 * HOUR,
        "POST",
        "/v1/campaigns/{campaign:Nights}/start",
        None,
    )  # both of them call the same people
    yield 5 * HOUR, "PATCH", "/v1/leads/{lead:+12125552004}", {"status": "Unsubscribed"}
    yield 5 * HOUR, "DELETE", "/v1/leads/{lead:+12125552011}", None
    yield 5.5 * HOUR, "POST", "/v1/campaigns/{campaign:Mornings}/pause", None
    yield 5.5 * HOUR, "POST", "/v1/campaigns/{campaign:Mornings}/start", None
    yield 5.5 * HOUR, "POST", "/v1/campaigns/{campaign:Mornings}/pause", None
    yield 1.2 * DAY, "POST", "/v1/campaigns/{campaign:Mornings}/start", None
    yield 1.3 * DAY, "POST", "/v1/campaigns/{campaign:Everybody}/start", None
    yield 1.3 * DAY + 900, "DELETE", "/v1/phone-numbers/{number:+18005551234}", None
    gateway: Any = {"ipv4": "203.0.113.1", "inbound": True}
    yield (
        1.3 * DAY + 901,
        "POST",
        "/v1/phone-numbers/carriers",
        {"carrier_name": "Own", "sip_gateway": gateway},
    )
    again = {"number": "+18005551234", "voip_carrier_sid": "{carrier:Own}"}
    yield 1.3 * DAY + 1199, "POST", "/v1/phone-numbers", again
    yield (
        2 * DAY,
        "POST",
        "/v1/leads",
        {"name": "Late", "phone_number": "+14155551999", "list_id": "{list:+12125552002}"},
    )
    yield 4 * DAY, "GET", "/v1/balance", None


def plans(hooks: str) -> tuple[Plan, ...]:
    """Campaigns that share some of their contacts; one has more of them than are read at once."""
    few = [{"name": f"No. {n}", "phone_number": f"+1212555{2000 + n}"} for n in range(25)]
    few += [{"name": f"Ending {n}", "phone_number": f"+1212555{n:04}"} for n in range(1, 23)]
    many = [{"name": f"Far {n}", "phone_number": f"+1646555{n:04}"} for n in range(1, 530)]
    shared: dict[str, Any] = {"task": TASKS[1], "webhook_url": f"{hooks}/campaign", "max_retries": 2}
    shared["webhook_events"] = [
        *EVENTS,
        "campaign.started",
        "campaign.paused",
        "campaign.resumed",
        "campaign.completed",
    ]
    always = {"opens": "00:00", "closes": "00:00", "weekdays": range(1, 8)}
    own: list[dict[str, Any]] = [
        {"name": "Mornings", "contacts": few, "opens": "08:00", "closes": "11:00", "max_parallel_calls": 2, "task": TASKS[2]},
        {"name": "Nights", "contacts": few[::-1], "opens": "20:00", "closes": "02:00", "timezone": "Asia/Tokyo"},
        {"name": "Everybody", "contacts": many + few, **always, "max_parallel_calls": 20, "retry_minutes": 5, "max_duration": 3, "webhook_events": EVENTS[2:]},
    ]  # fmt: skip
    return tuple(Plan.model_validate({**shared, **one}) for one in own)


class Twin:
    """The sandbox in its folder, at a sandbox time in milliseconds since the beginning."""

    def __init__(self, folder: Path, hooks: str, restless: bool) -> None:
        self.path, self.hooks, self.restless = folder / "sandbox.db", hooks, restless
        self.now, self.chance = 0, random.Random(7)
        self.open = ExitStack()
        self.begin()

    def begin(self) -> None:
        self.open.close()
        sandbox = open_sandbox(self.path, seed="twins", plans=plans(self.hooks), real=Hand())
        self.open.enter_context(closing(sandbox))
        sandbox.key_path.write_text(KEY)  # once there is a world: a key without one is left of another
        sandbox.key()
        served = self.open.enter_context(serve_in_background(sandbox))
        header = {"Authorization": f"Bearer {KEY}"}
        self.http = self.open.enter_context(
            httpx.Client(base_url=served.url, headers=header, trust_env=False, timeout=60)
        )

    def ask(self, path: str) -> Any:
        return self.http.get(path).raise_for_status().json()

    def go_to(self, then: float) -> None:
        """Let time go on to an instant; the restless one cannot wait."""
        last = round(then * 1000)
        for stop in [*self.stops(last), last]:
            self.http.post(
                "/sandbox/clock", json={"advance_seconds": (stop - self.now) / 1000}
            ).raise_for_status()
            self.now = stop
            if self.restless:
                self.look_around()
        self.http.post("/sandbox/deliveries", json={}).raise_for_status()

    def stops(self, last: int) -> list[int]:
        """Where the restless one stops on its way: often soon after the last deed, hours apart later."""
        if not self.restless or last == self.now:
            return []
        several, longest = min(40, (last - self.now) // 400), math.log(last - self.now)
        return sorted(self.now + int(math.exp(self.chance.uniform(0, longest))) for _ in range(several))

    def look_around(self) -> None:
        self.ask(
            self.chance.choice(["/v1/calls?limit=5", "/v1/balance", "/sandbox/overview", "/v1/leads?limit=3"])
        )
        if self.chance.random() < 0.02:
            self.begin()

    def do(self, method: str, path: str, body: dict[str, Any] | None) -> None:
        reply = self.http.request(
            method, self.filled(path), json=body and json.loads(self.filled(json.dumps(body)))
        )
        assert reply.is_success, (method, path, reply.text)

    def filled(self, text: str) -> str:
        """A text with its look-ups answered: `{call:+1...}` is the id of the latest call to that number."""
        text = text.replace("{hooks}", self.hooks)
        for kind in ("call", "campaign", "lead", "number", "carrier", "list"):
            before, found, rest = text.partition(f"{{{kind}:")
            if found:
                wanted, _, after = rest.partition("}")
                text = f"{before}{self.id(kind, wanted)}{after}"
        return text

    def id(self, kind: str, wanted: str) -> str:
        path, name, field = {
            "call": ("/v1/calls?limit=200", "phone_number", "id"),
            "campaign": ("/v1/campaigns", "name", "id"),
            "lead": (f"/v1/leads?phone={wanted.replace('+', '%2B')}", "phone_number", "id"),
            "list": (f"/v1/leads?phone={wanted.replace('+', '%2B')}", "phone_number", "list_ids"),
            "number": ("/v1/phone-numbers", "number", "id"),
            "carrier": ("/v1/phone-numbers/carriers", "carrier_name", "voip_carrier_sid"),
        }[kind]
        page = self.ask(path)
        found = next(row for row in page.get("data", page.get("items")) if row[name] == wanted)[field]
        return str(found if isinstance(found, str) else found[0])

    def told(self) -> dict[str, str]:
        """All that it is told at the end, as it came."""
        paths = ["/v1/balance", "/v1/webhooks", "/v1/phone-numbers", "/sandbox/rings?campaigns=true"]
        for path, rows in (("/v1/calls", "data"), ("/v1/campaigns", "data"), ("/v1/leads", "items")):
            found = audit.pages(self.ask, path, rows)
            paths += [f"{path}?limit=200"]
            paths += [f"{path}?limit=200&cursor={row['created_at']}" for row in found[199::200]]
            paths += [f"{path}/{row['id']}" for row in found if row.get("campaign_id", row["id"]) is None]
            paths += [f"{path}/{row['id']}" for row in found if rows == "data" and "timezone" in row]
        return {path: self.http.get(path).raise_for_status().text for path in paths}


def _call(number: str, place: int) -> dict[str, Any]:
    voices: tuple[dict[str, Any], ...] = (
        {},
        {"mode": "legacy", "voice": "rachel"},
        {"max_duration": 1},
        {"first_sentence": "Hi, {{name}}."},
    )
    hook = {"webhook_url": "{hooks}/call", "webhook_events": EVENTS} if place % 2 else {}
    return {
        "phone_number": number,
        "task": TASKS[place % 4],
        "request_data": {"name": "Kim"},
        **voices[place % 3],
        **hook,
    }


def main() -> None:
    folder, mood = sys.argv[1:]
    receiver = Receiver()
    with receiver.open() as hooks:
        twin = Twin(Path(folder), hooks, mood == "restless")
        with twin.open:
            for then, method, path, body in deeds():
                twin.go_to(then)
                twin.do(method, path, body)
            told = twin.told()
    told |= {f"webhook {id}": body for id, body in receiver.bodies.items()}
    print(json.dumps(told).replace(hooks, "http://hooks"))


if __name__ == "__main__":
    main()
