"""Fifteen requests that people make: what is said, what a model would do, and what must have happened then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from topcalls_tools import AddCarrier, AddPhoneNumber, Client, PlaceCall

from .conftest import World
from .scripted import Seen, Step, says, tool

OPEN, BUSY = "+14155550132", "+14155550001"


@dataclass(frozen=True)
class After:
    """What there is once all was said."""

    world: World
    printed: str
    before: Mapping[str, Any]
    """What `begin` has found or made."""

    @property
    def rung(self) -> list[str]:
        return [ring["phone_number"] for ring in self.world.rings()]

    @property
    def calls(self) -> list[dict[str, Any]]:
        """Calls that no campaign made, oldest first."""
        found = self.world.get("/v1/calls?limit=200")["data"]
        return [one for one in found if not one.get("campaign_id")][::-1]

    def whole(self, place: int) -> dict[str, Any]:
        """One of the calls, as a single read tells it."""
        found: dict[str, Any] = self.world.get(f"/v1/calls/{self.calls[place]['id']}")
        return found

    @property
    def campaigns(self) -> dict[str, str]:
        return {one["name"]: one["status"] for one in self.world.get("/v1/campaigns?limit=50")["data"]}

    @property
    def numbers(self) -> dict[str, dict[str, Any]]:
        return {one["number"]: one for one in self.world.get("/v1/phone-numbers?limit=50")["data"]}

    @property
    def carriers(self) -> list[str]:
        return [one["carrier_name"] for one in self.world.get("/v1/phone-numbers/carriers")["data"]]


Begin = Callable[[World, Client], Mapping[str, Any]]


def _nothing(world: World, client: Client) -> Mapping[str, Any]:
    return {}


def _live(world: World, client: Client) -> Mapping[str, Any]:
    placed = client.send(PlaceCall(phone_number=OPEN, task="Ask whether they are open."))
    world.advance(12)
    return {"call_id": placed.call_id}


def _live_and_swift(world: World, client: Client) -> Mapping[str, Any]:
    found = _live(world, client)
    world.pace(200)
    return found


def _queued(world: World, client: Client) -> Mapping[str, Any]:
    placed = client.send(PlaceCall(phone_number=OPEN, task="Ask whether they are open."))
    return {"call_id": placed.call_id}


def _swift(world: World, client: Client) -> Mapping[str, Any]:
    world.pace(500)
    return {}


def _failed(world: World, client: Client) -> Mapping[str, Any]:
    client.send(PlaceCall(phone_number="+14155550004", task="Ask whether they are open."))
    world.advance(120)
    return {}


def _acme(world: World, client: Client) -> Mapping[str, Any]:
    made = client.send(
        AddCarrier.model_validate({"carrier_name": "Acme", "sip_gateway": {"ipv4": "203.0.113.9"}})
    )
    return {"carrier": made.voip_carrier_sid}


def _old(world: World, client: Client) -> Mapping[str, Any]:
    given = {"carrier_name": "Old Telecom", "sip_gateway": {"ipv4": "203.0.113.9"}}
    made = client.send(AddCarrier.model_validate(given))
    client.send(AddPhoneNumber(number="+493055550140", voip_carrier_sid=made.voip_carrier_sid))
    return {"carrier": made.voip_carrier_sid}


@dataclass(frozen=True)
class Case:
    """A request. `said` are the lines that a person types, `model` what a model does with them, `holds` what must
    have happened; `book` are other lines for the phrase book, where it asks another question, or None where it
    refuses."""

    name: str
    said: tuple[str, ...]
    model: tuple[Step, ...]
    holds: Callable[[After], bool]
    begin: Begin = _nothing
    book: tuple[str, ...] | None = ()
    code: int = 0
    """The exit code with the phrase book: of the first line that was not carried out."""
    hint: str = ""
    """What the phrase book says, where it refuses or asks."""
    words: str = ""
    """What must be told."""


def _first(seen: Seen) -> Any:
    return seen.last["data"][0]["id"]


def _named(words: str, key: str = "id") -> Callable[[Seen], Any]:
    """The id of what is called so, in the newest list that has it."""

    def find(seen: Seen) -> Any:
        rows = [row for one in reversed(seen.results) if isinstance(one, dict) for row in one.get("data", ())]
        return next(row[key] for row in rows if words in str(row.get("name") or row.get("carrier_name")))

    return find


def _placed(seen: Seen) -> Any:
    return next(
        one["call_id"] for one in reversed(seen.results) if isinstance(one, dict) and "call_id" in one
    )


def _unmoved(after: After) -> bool:
    return after.rung == [] and after.calls == []


FIFTEEN = (
    Case(
        "1 call and ask",
        ("Call +1 415 555 0132 and ask whether they are open on Labor Day.",),
        (
            tool("place_call", phone_number=OPEN, task="Ask whether they are open on Labor Day."),
            tool("follow_call", call_id=_placed, wait_seconds=0),
            says("They said that they are not open on Labor Day."),
        ),
        lambda after: after.rung == [OPEN] and after.calls[0]["status"] == "completed",
        _swift,
        words="not open on Labor Day",
    ),
    Case(
        "2 a number of no country",
        ("Ring Mario's, 0171 555 0199, to book for four at eight.", "It is a German number."),
        (
            says("Which country is 0171 555 0199 in?"),
            tool("place_call", phone_number="+491715550199", task="Book a table for four at eight."),
            says("I have called."),
        ),
        lambda after: after.rung == ["+491715550199"],
        _swift,
        book=(
            "Ring 0171 555 0199 to book for four at eight.",
            "Ring +49 171 555 0199 to book a table for four at eight.",
        ),
        code=2,
        hint="names no country; write it with a plus sign and the country code",
    ),
    Case(
        "3 how it went, while it goes on",
        ("How did the call go?",),
        (
            tool("list_calls", limit=1),
            tool("get_call", call_id=_first),
            says("It is still in progress. Shall I follow it?"),
        ),
        lambda after: [one["status"] for one in after.calls] == ["in_progress"],
        _live,
        book=("How is the call to +14155550132 going?",),
        words="in progress",
    ),
    Case(
        "4 hang up",
        ("Hang up now.",),
        (tool("list_calls", limit=1), tool("stop_call", call_id=_first), says("The call is ended.")),
        lambda after: [one["status"] for one in after.calls] == ["cancelled"] and after.rung == [OPEN],
        _live,
    ),
    Case(
        "5 drop what is queued",
        ("Don't make that call at five after all.",),
        (tool("list_calls", limit=1), tool("cancel_call", call_id=_first), says("It is dropped.")),
        lambda after: after.rung == [] and [one["status"] for one in after.calls] == ["cancelled"],
        _queued,
    ),
    Case(
        "6 what failed, and why",
        ("Which calls failed yesterday, and why?",),
        (
            tool("list_calls", status="failed", limit=50),
            tool("list_calls", status="busy", limit=50),
            says("One failed: the connection broke."),
        ),
        lambda after: len(after.calls) == 1,
        _failed,
        words="failed",
    ),
    Case(
        "7 call her again",
        (
            f"Call {BUSY} and ask whether Tuesday is free.",
            "Call her again, she didn't pick up.",
        ),
        (
            tool("place_call", phone_number=BUSY, task="Ask whether Tuesday is free."),
            says("The line was busy."),
            tool("place_call", phone_number=BUSY, task="Second attempt: ask whether Tuesday is free."),
            says("It was busy again."),
        ),
        lambda after: (
            [(one["phone_number"], one["call_status"]) for one in after.calls] == [(BUSY, "busy")] * 2
        ),
        _swift,
        book=(
            f"Call {BUSY} and ask whether Tuesday is free.",
            "Call her again and ask whether Wednesday is free.",
        ),
    ),
    Case(
        "8 start one of two",
        ("Start the spring campaign.", "1"),
        (
            tool("list_campaigns", limit=50),
            says(
                "Two are called so: the fair invitations, which are scheduled, and the check-up. Which one?"
            ),
            tool("start_campaign", campaign_id=_named("Spring fair")),
            says("It is started."),
        ),
        lambda after: (
            after.campaigns["Spring fair invitations"] == "running"
            and after.campaigns["Spring check-up invitations"] == "completed"
        ),
        code=2,
        hint="1. Start campaign Spring fair invitations",
    ),
    Case(
        "9 pause everything",
        ("Pause everything.",),
        (
            tool("list_campaigns", limit=50),
            Step(
                tools=(
                    ("pause_campaign", {"campaign_id": _named("Delivery slots")}),
                    ("pause_campaign", {"campaign_id": _named("December reminders")}),
                )
            ),
            says("Both are paused. Calls that are in progress go on; shall I stop them?"),
        ),
        lambda after: "running" not in after.campaigns.values(),
        book=None,
        code=2,
        hint="Pause campaign Delivery slots (running)",
    ),
    Case(
        "10 what it will cost",
        ("What will it cost to call these 40 people?",),
        (tool("get_balance"), says("Between 40 and 400 minutes; 1,500 are left.")),
        _unmoved,
        book=None,
        code=2,
        hint="This would work: How many minutes are left?",
        words="1,500 are left",
    ),
    Case(
        "11 add a number",
        ("Add our Berlin number +49 30 555 0140 on carrier Acme.",),
        (
            tool("list_carriers"),
            tool(
                "add_phone_number", number="+49305550140", voip_carrier_sid=_named("Acme", "voip_carrier_sid")
            ),
            says("It is added, and its status is pending."),
        ),
        lambda after: after.numbers["+49305550140"]["voip_carrier_sid"] == after.before["carrier"],
        _acme,
        words="pending",
    ),
    Case(
        "12 remove what is in use",
        ("Remove the old carrier.",),
        (
            tool("list_carriers"),
            tool("list_phone_numbers"),
            says("The number +493055550140 is on Old Telecom, so nothing is removed."),
        ),
        lambda after: "Old Telecom" in after.carriers and "+493055550140" in after.numbers,
        _old,
        code=4,
        hint="Numbers use this carrier",
    ),
    Case(
        "13 a voice",
        (f"Call {OPEN} and ask whether Tuesday is free. Use a calm British voice for this one.",),
        (
            tool("list_builtin_voices", language="en-GB"),
            tool("list_builtin_voices", language="en", gender="female"),
            tool("place_call", phone_number=OPEN, task="Ask whether Tuesday is free.", voice="sage"),
            says("No voice is British; I have used sage."),
        ),
        lambda after: after.rung == [OPEN] and after.whole(0)["metadata"]["voice"] == "sage",
        _swift,
        book=None,
        code=2,
        hint="This would work: Call +14155550123",
        words="No voice is British",
    ),
    Case(
        "14 minutes for an hour",
        ("How many minutes are left? Enough for an hour of calls?",),
        (tool("get_balance"), says("1,500 minutes are left; that is enough.")),
        _unmoved,
        words="500",
    ),
    Case(
        "15 follow, and text",
        ("Tell me when the call ends and text me the gist.",),
        (
            tool("list_calls", limit=1),
            tool("follow_call", call_id=_first),
            tool("follow_call", call_id=_placed, from_turn=lambda seen: seen.last["next_turn"]),
            tool("follow_call", call_id=_placed, from_turn=lambda seen: seen.last["next_turn"]),
            says("They are not open. I cannot send texts."),
        ),
        lambda after: after.rung == [OPEN] and after.calls[0]["status"] == "completed",
        _live_and_swift,
        words="text",
    ),
)
