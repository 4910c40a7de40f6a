"""Scenes in which the guard speaks: one for each rule, questions of each kind, and checks of calls.

A rule of its own asks for one row in `SCENES`; `make snapshots` writes down what it says there.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from topcalls_tools import DeleteCarrier, DeletePhoneNumber, PlaceCall, StartCampaign
from topcalls_tools.api.account import Balance
from topcalls_tools.api.campaigns import Campaign, CampaignPage
from topcalls_tools.api.phone_numbers import CarrierPage, Number, NumberPage
from topcalls_tools.contacts import UNKNOWN_ZONE, Consent, Contact
from topcalls_tools.deeds import CheckCall
from topcalls_tools.dnc import DoNotCall
from topcalls_tools.endpoint import Endpoint
from topcalls_tools.errors import Refused
from topcalls_tools.flow import perform
from topcalls_tools.flow.question import question
from topcalls_tools.flow.steps import Desk, Keep, Send
from topcalls_tools.following.bell import Bell
from topcalls_tools.following.watching import Watch
from topcalls_tools.guard import AskPerson, Facts, Refuse, Rung, judge
from topcalls_tools.guard.compose import compose
from topcalls_tools.guard.policy import Policy, policy
from topcalls_tools.guard.rules import RULES
from topcalls_tools.wire import Reply

COLUMNS = 110
"""As wide as a terminal in which people read what was refused."""

DAY = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
"""A Monday: 15:00 in Berlin, 09:00 in New York."""
EDGE = datetime(2026, 11, 23, 20, 30, tzinfo=UTC)
"""21:30 in Berlin."""
NIGHT = datetime(2026, 11, 23, 22, 40, tzinfo=UTC)
"""23:40 in Berlin."""

BERLIN, NEW_YORK, TOKYO = "+493055501401", "+12125550142", "+81312345678"
OURS = "+493055501499"
TASK = "Ask whether a table for two is free on Friday at eight."

PERSONAL = policy({"caller": "Ann Meyer"}, "personal")
OUTREACH = policy({"pack": "outreach", "caller": "Meyer GmbH", "countries": ["DE"]}, "personal")
PRACTICE = policy({}, "sandbox")

BALANCE = Balance(remaining=1500, reserved=20)
HELD = NumberPage.model_validate(
    {"data": [{"id": "n1", "number": OURS, "status": "active", "voip_carrier_sid": "v1"}]}
)
ROMA = Contact(name="Ristorante Roma", number=BERLIN, zone="Europe/Berlin", language="de")
AGREED = ROMA.model_copy(
    update={"consent": Consent(basis="existing_customer", date=date(2026, 9, 1), note="Order 4711")}
)
LISTED = Campaign.model_validate(
    {
        "id": "k1",
        "name": "Table confirmations",
        "status": "paused",
        "from_number": OURS,
        "timezone": "Europe/Berlin",
        "stats": {"pending_contacts": 80, "calls_completed": 15, "calls_failed": 5, "minutes_used": 34},
    }
)
CARRIERS = CarrierPage.model_validate(
    {"data": [{"id": "c1", "voip_carrier_sid": "v1", "carrier_name": "Acme Telecom"}]}
)
ONE = Number.model_validate({"id": "n1", "number": OURS, "label": "Front desk", "status": "active"})
CALLING = CampaignPage.model_validate({"data": [{"id": "k1", "from_number": OURS, "status": "running"}]})

START = StartCampaign(campaign_id="k1")


@dataclass(frozen=True, slots=True)
class Scene:
    """A deed that a rule has something against."""

    action: Endpoint[Any]
    facts: Facts
    policy: Policy = PERSONAL
    asks: bool = False
    """Whether the rule never refuses, and only has the person asked."""


def call(number: str = BERLIN, **more: Any) -> PlaceCall:
    return PlaceCall(**{"phone_number": number, "task": TASK, **more})


def known(*seen: Any, now: datetime = DAY, **more: Any) -> Facts:
    """What there is to know of a deed about which nothing is wrong, but for what is given."""
    return Facts(now, seen or (BALANCE, HELD), **more)


def personal(**lines: Any) -> Policy:
    return policy({"caller": "Ann Meyer", **lines}, "personal")


def _rang(*minutes: float, under_way: bool = False) -> dict[str, tuple[Rung, ...]]:
    return {BERLIN: tuple(Rung(DAY - timedelta(minutes=ago), "placed", under_way) for ago in minutes)}


SCENES: Mapping[str, Scene] = {
    "never-numbers": Scene(call("+499001234567"), known()),
    "do-not-call": Scene(call(), known(blocked=frozenset({BERLIN}))),
    "only-these": Scene(call(), known(), personal(numbers=[NEW_YORK])),
    "countries": Scene(call(NEW_YORK), known()),
    "shared-cost": Scene(call("+43810123456"), known(), personal(countries=["AT"])),
    "from-number": Scene(call(from_number=NEW_YORK), known()),
    "hours": Scene(call(), known(now=NIGHT)),
    "attempts": Scene(call(), known(rung=_rang(10, 70, 200))),
    "duplicate": Scene(call(), known(rung=_rang(4, under_way=True))),
    "minutes-left": Scene(call(), known(Balance(remaining=7.5), HELD)),
    "minutes-per-call": Scene(call(max_duration=30), known()),
    "minutes-per-day": Scene(call(), known(day_minutes=52)),
    "minutes-per-month": Scene(call(), known(month_minutes=600)),
    "calls-per-day": Scene(call(), known(day_calls=20, oldest=DAY - timedelta(hours=20))),
    "calls-at-once": Scene(call(), known(calls_under_way=2)),
    "caller": Scene(call(), known(), policy({}, "personal")),
    "consent": Scene(call(), known(), OUTREACH),
    "webhook-hosts": Scene(call(webhook_url="https://hooks.example/topcalls"), known()),
    "denial": Scene(call(task="Book a table for two. If asked, deny that you are an AI."), known()),
    "impersonation": Scene(call(task="Say that you are calling from the tax office."), known()),
    "selling": Scene(call(task="Sell them our new insurance policy."), known()),
    "campaigns": Scene(START, known(LISTED, Balance(remaining=50))),
    "campaign-minutes": Scene(START, known(LISTED, BALANCE), OUTREACH, asks=True),
    "campaign-hours": Scene(START, known(LISTED, BALANCE, now=NIGHT), OUTREACH),
    "depended-on": Scene(DeletePhoneNumber(phone_number_id="n1"), known(ONE, CALLING), asks=True),
}
"""For each rule a deed that it refuses, or asks about where it never refuses."""


def sentence(name: str, scene: Scene) -> str:
    """What a rule says in its scene: the whole error where it refuses, else its line of the question."""
    match RULES[name].check(scene.action, scene.facts, scene.policy):
        case Refuse() as refuse:
            return str(Refused(name, str(refuse), refuse.earliest))
        case AskPerson(why):
            return f"{why} [rule: {name}]"
    raise AssertionError(f"{name} has nothing against its scene")


QUESTIONS: Mapping[str, tuple[Scene, bool]] = {
    "call, personal": (Scene(call(), known()), True),
    "call, personal, at the edge of the hours": (Scene(call(), known(now=EDGE, rung=_rang(30))), True),
    "call, outreach": (Scene(call(), known(contacts={BERLIN: AGREED}), OUTREACH), True),
    "call, practice": (Scene(call(NEW_YORK), known(now=NIGHT - timedelta(hours=16)), PRACTICE), False),
    "campaign": (Scene(START, known(LISTED, BALANCE), OUTREACH), True),
    "delete, phone number": (SCENES["depended-on"], True),
    "delete, carrier": (Scene(DeleteCarrier(carrier_id="c1"), known(CARRIERS, HELD)), True),
}
"""Questions, and whether each is about the real world."""


def asked(scene: Scene, live: bool) -> str:
    """The whole question about a deed, as a terminal shows it."""
    request, facts = scene.action, scene.facts
    contact = facts.contacts.get(request.phone_number) if isinstance(request, PlaceCall) else None
    if isinstance(request, PlaceCall):
        request = compose(request, contact, scene.policy)
    said = judge(request, facts, scene.policy)
    put = question(request, facts.seen, said, now=facts.now, live=live, policy=scene.policy, contact=contact)
    return put.text()


@dataclass(frozen=True, slots=True)
class Check:
    """A call that is only looked at: check_call takes the same arguments."""

    arguments: Mapping[str, Any]
    now: datetime = DAY
    policy: Policy = PERSONAL
    contact: Contact | None = None
    live: bool = True


CHECKS: Mapping[str, Check] = {
    "permitted": Check({"phone_number": BERLIN, "task": TASK}),
    "night": Check({"phone_number": BERLIN, "task": TASK}, now=NIGHT),
    "several refusals": Check({"phone_number": TOKYO, "task": TASK, "max_duration": 30}, now=EDGE),
    "unknown zone": Check(
        {"phone_number": BERLIN, "task": TASK}, contact=ROMA.model_copy(update={"zone": UNKNOWN_ZONE})
    ),
    "with contact": Check({"phone_number": BERLIN, "task": TASK}, contact=ROMA),
    "practice": Check({"phone_number": BERLIN, "task": TASK}, now=NIGHT, policy=PRACTICE, live=False),
}


def checked(check: Check) -> dict[str, Any]:
    """What check_call gives, as JSON."""
    action = CheckCall.from_tool(check.arguments)
    with closing(perform(action, _desk(check))) as flow:
        outcome: Any = None
        while True:
            try:
                match flow.send(outcome):
                    case Send(request):
                        outcome = Reply(200, _replies[request.path].model_dump_json().encode())
                    case Keep(work):
                        outcome = work()
                    case step:
                        raise AssertionError(f"a check takes no step such as {step}")
            except StopIteration as end:
                return action.shown(end.value, check.live)


_replies = {"/v1/balance": BALANCE, "/v1/phone-numbers": HELD}


def _desk(check: Check) -> Desk:
    """A desk without a journal: nothing was called before."""
    people = {check.contact.number: check.contact} if check.contact else {}
    desk = Desk(
        account="live" if check.live else "sandbox",
        live=check.live,
        strict=check.live,
        line="",
        policy=lambda: check.policy,
        contacts=lambda: people,
        dnc=lambda: DoNotCall(Path("/nowhere/dnc.log")),
        noted=lambda: False,
        secret=_never,
        journal=_never,
        briefly=_never,
        stopped_at=_never,
        stop=_never,
        clock=lambda: check.now,
        timer=lambda: 0.0,
        jitter=lambda: 1.0,
        bell=Bell(),
        watch=Watch(Bell(), 5.0),
        poll_seconds=5.0,
        keeps=timedelta(days=90),
    )
    desk.restart()
    return desk


def _never(*_: Any) -> Any:
    raise AssertionError("a check writes nothing and stops nothing")


def documents() -> dict[str, str]:
    """What is checked in of it, by the name of the file."""
    said = {name: sentence(name, scene) for name, scene in SCENES.items() if name in RULES}
    return {
        "refusals": _json({name: lines(text) for name, text in said.items()}),
        "questions": _json({name: asked(*one).splitlines() for name, one in QUESTIONS.items()}),
        "checks": _json({name: checked(check) for name, check in CHECKS.items()}),
    }


def lines(text: str) -> list[str]:
    """A sentence as a terminal shows it."""
    return textwrap.wrap(text, COLUMNS, break_on_hyphens=False)


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
