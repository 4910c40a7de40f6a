"""What stays true whatever happens: minutes, statistics, hours and rings, under random deeds."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from topcalls_tools.sandbox.plans import Plan

from . import audit
from .audit import OVER, Seen, Told
from .door import A_DAY, CALL_EVENTS, ENDING, NOWHERE, Door, dump, in_hours, plans
from .test_sandbox import TASK, Hand


class Deeds(RuleBasedStateMachine):
    """Anything that a program or its owner does, in any order; `seen` is how all stands after the last deed."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.door = Door(Path(self.folder.name) / "sandbox.db", Hand())
        self.seen = Seen("", {}, [], [], [], [], [])
        self.longest: dict[str, float] = {}
        self.hooks: dict[str, dict[str, tuple[str, ...]]] = {}
        self.accepted: list[tuple[str, Told, str, datetime]] = []
        self.ended: dict[str, Told] = {}
        self.lists: dict[str, str] = {}
        self.silent: dict[tuple[str | None, str], set[str]] = {}
        """Calls that a lead had got when it was not to be called any more: by one campaign, or by none."""
        self.doubtful: set[str] = set()

    def teardown(self) -> None:
        self.door.close()
        self.folder.cleanup()

    @initialize(
        plans=st.tuples(plans("2"), plans("3"), plans("4")),
        allocated=st.sampled_from([1000, 60, 5.5]),
        bonus=st.sampled_from([500, 4, 0]),
        started=st.sets(st.integers(0, 2), min_size=1),
    )
    def an_account(self, plans: tuple[Plan, ...], allocated: float, bonus: float, started: set[int]) -> None:
        self.plans = {plan.name: plan for plan in plans}
        self.allocated, self.bonus = allocated, bonus
        self.door.key = self.door.sandbox.add_account(allocated, bonus, plans=plans)
        for row in self.door.ask("/v1/campaigns")["data"]:
            first = self.plans[row["name"]].contacts[0].phone_number.replace("+", "%2B")
            self.lists[row["id"]] = self.door.ask(f"/v1/leads?phone={first}")["items"][0]["list_ids"][0]
        for place in started:
            self.door.send("POST", f"/v1/campaigns/{list(self.lists)[place]}/start")

    @rule(ending=ENDING, most=st.sampled_from([1, 2.25, 10, 60]), hooked=st.booleans())
    def place(self, ending: str, most: float, hooked: bool) -> None:
        body: Told = {"phone_number": f"+1415555{ending}", "task": TASK, "max_duration": most}
        body |= {"webhook_url": NOWHERE, "webhook_events": list(CALL_EVENTS)} if hooked else {}
        key = f"key-of-call-{len(self.accepted)}"
        status, told = self.door.send("POST", "/v1/calls", body, **{"idempotency-key": key})
        balance = self.seen.balance
        if not self.numbers():
            assert status == 400
        elif balance["remaining"] - balance["reserved"] < most:
            assert status == 402
        else:
            assert status == 201
            self.accepted.append((key, body, told["call_id"], audit.at(self.seen.now)))
            self.hooks[told["call_id"]] = {"call": CALL_EVENTS} if hooked else {}

    @precondition(lambda self: self.accepted)
    @rule(place=st.integers(0))
    def repeat(self, place: int) -> None:
        key, body, call_id, then = self.accepted[place % len(self.accepted)]
        if audit.at(self.seen.now) - then < A_DAY:
            status, told = self.door.send("POST", "/v1/calls", body, **{"idempotency-key": key})
            assert (status, told["call_id"]) == (201, call_id)

    @precondition(lambda self: self.seen.calls)
    @rule(place=st.integers(0), deed=st.sampled_from(["stop", "cancel"]), open_one=st.booleans())
    def cut(self, place: int, deed: str, open_one: bool) -> None:
        chosen = (
            [call for call in self.seen.calls if call["status"] not in OVER] if open_one else self.seen.calls
        )
        if not chosen:
            return
        call = chosen[place % len(chosen)]
        status, _ = self.door.send("POST", f"/v1/calls/{call['id']}/{deed}")
        may = {"queued": ("stop", "cancel"), "in_progress": ("stop",)}
        assert status == (200 if deed in may.get(call["status"], ()) else 400)
        if status == 200:
            now = self.door.ask(f"/v1/calls/{call['id']}")
            assert (now["status"], now["started_at"]) == ("cancelled", call["started_at"])

    @rule(
        place=st.integers(0, 2), deed=st.sampled_from(["start", "start", "start", "pause", "pause", "stop"])
    )
    def steer(self, place: int, deed: str) -> None:
        campaign = self.seen.campaigns[place]
        way = "sandbox" if deed == "stop" else "v1"
        status, _ = self.door.send("POST", f"/{way}/campaigns/{campaign['id']}/{deed}", {})
        may = {
            "start": ("draft", "scheduled", "paused"),
            "pause": ("running",),
            "stop": ("draft", "scheduled", "running", "paused"),
        }
        if campaign["status"] not in may[deed] or (
            deed == "start" and not campaign["stats"]["pending_contacts"]
        ):
            assert status == 400
        elif deed == "start" and self.seen.balance["remaining"] <= self.seen.balance["reserved"]:
            assert status == 402
        else:
            assert status in (200, 204)

    @rule(place=st.integers(0), called=st.booleans())
    def unsubscribe(self, place: int, called: bool) -> None:
        if lead := self.lead(place, called):
            assert self.door.send("PATCH", f"/v1/leads/{lead['id']}", {"status": "Unsubscribed"})[0] == 200
            self.hush(None, lead["id"])

    @rule(place=st.integers(0), called=st.booleans(), deed=st.sampled_from(["delete", "off", "off"]))
    def lose(self, place: int, called: bool, deed: str) -> None:
        """A lead is deleted, or taken off one of its lists."""
        if not (lead := self.lead(place, called)):
            return
        path, gone_from = f"/v1/leads/{lead['id']}", None
        if deed == "off":
            list_id = lead["list_ids"][place % len(lead["list_ids"])]
            gone_from = next(id for id, of in self.lists.items() if of == list_id)
            path += f"?list_id={list_id}"
        assert self.door.send("DELETE", path)[0] == 204
        self.hush(gone_from, lead["id"])

    @rule(place=st.integers(0, 2), ending=ENDING)
    def enlist(self, place: int, ending: str) -> None:
        """Somebody joins a list, or comes back to it."""
        campaign_id = self.seen.campaigns[place]["id"]
        body = {"name": "Newcomer", "phone_number": f"+1415555{ending}", "list_id": self.lists[campaign_id]}
        status, lead = self.door.send("POST", "/v1/leads", body)
        assert status in (200, 201), lead
        self.silent.pop((campaign_id, lead["id"]), None)

    @precondition(lambda self: self.silent)
    @rule(place=st.integers(0))
    def come_back(self, place: int) -> None:
        """Somebody who was taken off a list joins it again, whether called meanwhile or not."""
        off = [(campaign_id, lead_id) for campaign_id, lead_id in self.silent if campaign_id]
        if not off:
            return
        campaign_id, lead_id = off[place % len(off)]
        status, lead = self.door.send("GET", f"/v1/leads/{lead_id}")
        if status == 200 and lead["status"] != "Unsubscribed":
            body = {
                "name": "Returned",
                "phone_number": lead["phone_number"],
                "list_id": self.lists[campaign_id],
            }
            assert self.door.send("POST", "/v1/leads", body)[0] == 200
            del self.silent[campaign_id, lead_id]

    @rule(lost=st.sampled_from([False, False, False, True]))
    def a_number(self, lost: bool) -> None:
        """The oldest number, with which the campaigns call, is deleted; or what is gone is added again."""
        there = self.numbers()
        if lost and there:
            assert self.door.send("DELETE", f"/v1/phone-numbers/{there[-1]['id']}")[0] == 204
        for number in {"+18005551234", "+14155550100"} - {row["number"] for row in there} if not lost else ():
            assert self.door.send("POST", "/v1/phone-numbers", {"number": number})[0] == 201

    @rule(seconds=st.sampled_from([0.5, 3, 8, 12, 20, 61]), stepped=st.booleans())
    def a_moment_passes(self, seconds: float, stepped: bool) -> None:
        self.pass_(seconds, stepped)

    @rule(seconds=st.sampled_from([300, 1800, 3600, 7 * 3600, 86_400, 3 * 86_400]), stepped=st.booleans())
    def hours_pass(self, seconds: float, stepped: bool) -> None:
        self.pass_(seconds, stepped)

    def pass_(self, seconds: float, stepped: bool) -> None:
        if stepped:
            assert self.door.send("POST", "/sandbox/clock", {"advance_seconds": seconds})[0] == 200
        else:
            self.door.hand.pass_(seconds)

    @rule()
    def killed(self) -> None:
        self.door.open()

    @rule()
    def read_everything(self) -> None:
        """Reading changes nothing in the file."""
        before = dump(self.door.path)
        paths = [f"/v1/calls/{call['id']}" for call in self.seen.calls[:5]]
        paths += [
            "/sandbox/overview",
            "/v1/phone-numbers",
            "/v1/webhooks",
            "/v1/leads",
            "/v1/calls?status=busy",
        ]
        for path in paths:
            self.door.ask(path)
        assert audit.look(self.door.ask) == self.seen
        assert dump(self.door.path) == before

    @invariant()
    def all_is_as_it_must_be(self) -> None:
        if not self.lists:
            return
        before, self.seen = self.seen, audit.look(self.door.ask)
        seen = self.seen
        note(
            f"{seen.now} {seen.balance['remaining']} {[(c['phone_number'][-4:], c['status']) for c in seen.calls]}"
        )
        self._learn()
        assert seen.balance == audit.ledger(self.allocated, self.bonus, seen.calls, self.longest)
        audit.billed_as_spoken(seen)
        audit.newest_first(seen)
        audit.rings_as_told(seen)
        audit.told_once(seen, self.hooks)
        for campaign in seen.campaigns:
            calls = seen.of(campaign["id"])
            audit.adds_up(campaign, calls)
            audit.each_contact_once(campaign, calls, self.listed(campaign), self.doubtful)
            audit.never_too_many(campaign, calls)
            assert all(in_hours(self.plans[campaign["name"]], audit.at(call["created_at"])) for call in calls)
        for (campaign_id, lead_id), had in self.silent.items():
            whose = [call for call in seen.calls if call["lead_id"] == lead_id]
            assert {call["id"] for call in whose if campaign_id in (None, call["campaign_id"])} <= had
        ids = [call["id"] for call in seen.calls]
        assert ids[len(ids) - len(before.calls) :] == [call["id"] for call in before.calls]

    def lead(self, place: int, called: bool) -> Told | None:
        """One of those who are being called now, or of the others; of all where there is none."""
        leads = audit.pages(self.door.ask, "/v1/leads", "items")
        busy = {call["lead_id"] for call in self.seen.calls if call["status"] not in OVER}
        chosen = [lead for lead in leads if (lead["id"] in busy) is called] or leads
        return chosen[place % len(chosen)] if chosen else None

    def hush(self, campaign_id: str | None, lead_id: str) -> None:
        """From now on a lead gets no call of a campaign, or of none."""
        had = {call["id"] for call in self.seen.calls if call["lead_id"] == lead_id}
        self.silent.setdefault((campaign_id, lead_id), had)
        self.doubtful.add(lead_id)

    def listed(self, campaign: Told) -> set[str]:
        leads = audit.pages(self.door.ask, f"/v1/leads?list_id={self.lists[campaign['id']]}", "items")
        return {lead["id"] for lead in leads}

    def numbers(self) -> list[Told]:
        found: list[Told] = self.door.ask("/v1/phone-numbers")["data"]
        return found

    def _learn(self) -> None:
        """Note what cannot change any more, and see that it has not."""
        for call in self.seen.calls:
            if call["id"] not in self.longest:
                self.longest[call["id"]] = self.door.ask(f"/v1/calls/{call['id']}")["metadata"][
                    "max_duration"
                ]
            if call["campaign_id"]:
                self.hooks[call["id"]] = {"campaign": CALL_EVENTS}
        for row in (*self.seen.calls, *self.seen.campaigns):
            names = (
                "status",
                "call_status",
                "started_at",
                "end_at",
                "duration",
                "answered_by",
                "completed_at",
            )
            if row["status"] in OVER:
                last = {name: row.get(name) for name in names}
                assert self.ended.setdefault(row["id"], last) == last


Deeds.TestCase.settings = settings(
    max_examples=50,
    stateful_step_count=50,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestDeeds = Deeds.TestCase


def test_hours_are_told_by_the_wall_clock() -> None:
    """The check itself: a night's hours belong to the day on which they begin."""
    night = Plan.model_validate(
        {"name": "n", "task": TASK, "opens": "22:00", "closes": "04:00", "weekdays": [5], "timezone": "UTC"}
    )
    friday = datetime(2026, 3, 6, tzinfo=UTC)
    inside = [hour for hour in range(72) if in_hours(night, friday + timedelta(hours=hour))]
    assert inside == [22, 23, 24, 25, 26, 27]
