"""The rules, one table each: what may be dialled, and the sentence where it may not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import phonenumbers
import pytest
from phonenumbers import PhoneNumberType

from topcalls_tools import AddPhoneNumber, PlaceCall, StartCampaign, StopCall
from topcalls_tools.action import Effect
from topcalls_tools.api import CATALOG
from topcalls_tools.api.account import Balance
from topcalls_tools.api.campaigns import Campaign
from topcalls_tools.api.fields import E164
from topcalls_tools.errors import Refused
from topcalls_tools.guard import DIALS, Facts, Refuse, judge, numbers
from topcalls_tools.guard.policy import Policy
from topcalls_tools.guard.rules import RULES
from topcalls_tools.tools import TOOLS

from .conftest import CALL, allowing

FACTS = Facts(datetime(2026, 11, 23, tzinfo=UTC))
ADD = (
    "call one of those, or let the owner add it to numbers in policy.toml (with a live key, topcalls policy "
    "accept makes it count)."
)


def place(number: str, **more: Any) -> PlaceCall:
    return PlaceCall(**{**CALL, "phone_number": number, **more})


def refusal(number: str) -> str | None:
    try:
        judge(place(number), FACTS, allowing())
    except Refused as refused:
        return str(refused)
    return None


@pytest.mark.parametrize(
    "number",
    [
        "+14155550123",
        "+14155551234",
        "+18005551234",
        "+493055501401",
        "+442079460018",
        "+5511987654321",
        "+911126100000",
    ],
)
def test_ordinary_numbers_pass(number: str) -> None:
    assert refusal(number) is None


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("+19005550123", "a premium-rate number"),
        ("+449098790000", "a premium-rate number"),
        ("+499001234567", "a premium-rate number"),
        ("+881612345678", "a satellite number"),
        ("+870773111632", "a satellite number"),
        ("+979123456789", "an international premium-rate number"),
        ("+49110", "an emergency number"),
        ("+49112", "an emergency number"),
        ("+10000000000", "no number that is assigned"),
        ("+11111111111", "no number that is assigned"),
    ],
)
def test_forbidden_numbers_are_refused_with_a_reason_and_a_remedy(number: str, words: str) -> None:
    said = refusal(number)
    assert said
    assert words in said
    assert "; call an ordinary" in said
    assert said.endswith("[rule: never-numbers]")


def test_every_premium_example_of_every_country_is_refused() -> None:
    found = 0
    for region in phonenumbers.SUPPORTED_REGIONS:
        example = phonenumbers.example_number_for_type(region, PhoneNumberType.PREMIUM_RATE)
        if example and phonenumbers.number_type(example) == PhoneNumberType.PREMIUM_RATE:
            number = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
            assert refusal(number), number
            found += 1
    assert found > 100


def test_every_mobile_and_fixed_example_of_every_country_passes() -> None:
    for region in phonenumbers.SUPPORTED_REGIONS:
        for kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE):
            example = phonenumbers.example_number_for_type(region, kind)
            if example:
                number = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
                assert refusal(number) is None, number


def test_a_number_is_found_however_deep_it_sits() -> None:
    hidden = E164.parse("+19005550123")
    assert list(numbers({"a": [{"b": ({hidden},)}]})) == [hidden]
    with pytest.raises(Refused):
        judge(place("+14155550123", from_number="+19005550123"), FACTS, allowing())


def test_only_what_dials_is_judged_by_number() -> None:
    for action in (AddPhoneNumber(number="+19005550123"), StopCall(call_id="c1")):
        assert all(said.why is None for said in judge(action, FACTS, allowing(numbers=frozenset())))


CALLED, OTHER = "+14155550123", "+493055501401"
NOT_ANY_MORE = (
    f"{CALLED} is not to be called any more; call somebody else; only the owner takes a number off that list, "
    "with topcalls dnc remove."
)
CAMPAIGN = StartCampaign(campaign_id="k")
SPRING = Campaign.model_validate({"id": "k", "name": "Spring", "from_number": OTHER})


def facts(balance: Balance | None = None, **more: Any) -> Facts:
    return Facts(FACTS.now, (balance,) if balance else (), **more)


def said(rule: str, action: Any, facts: Facts, policy: Policy) -> str | None:
    """What one rule says: a refusal as its sentence, what a person may decide as it is, else nothing."""
    if not isinstance(action, RULES[rule].of):
        return None
    match RULES[rule].check(action, facts, policy):
        case Refuse(why, works):
            return f"{why}; {works}."
        case verdict:
            return getattr(verdict, "why", None)


@pytest.mark.parametrize(
    ("action", "blocked", "sentence"),
    [
        (place(CALLED), {CALLED}, NOT_ANY_MORE),
        (place("+1 (415) 555-0123"), {CALLED}, NOT_ANY_MORE),
        (place(CALLED), {OTHER}, None),
        (place(CALLED), set(), None),
        (AddPhoneNumber(number=CALLED), {CALLED}, None),
        (StopCall(call_id="c1"), {CALLED}, None),
    ],
)
def test_a_number_that_is_not_to_be_called_is_not(
    action: Any, blocked: set[str], sentence: str | None
) -> None:
    assert said("do-not-call", action, facts(blocked=frozenset(blocked)), allowing()) == sentence


@pytest.mark.parametrize(
    ("action", "allowed", "sentence"),
    [
        (place(CALLED), None, None),
        (place(CALLED), {CALLED, OTHER}, None),
        (place(CALLED, from_number=OTHER), {CALLED}, None),
        (
            place(CALLED),
            {OTHER},
            f"{CALLED} is not among the numbers that policy.toml allows; {ADD}",
        ),
        (
            place(CALLED, from_number=OTHER),
            {OTHER},
            f"{CALLED} is not among the numbers that policy.toml allows; {ADD}",
        ),
        (
            place(CALLED),
            set(),
            f"{CALLED} is not among the numbers that policy.toml allows; {ADD}",
        ),
        (CAMPAIGN, None, None),
        (
            CAMPAIGN,
            {CALLED},
            "Start campaign phones people that policy.toml does not name; call them one by one.",
        ),
        (AddPhoneNumber(number=CALLED), set(), None),
        (StopCall(call_id="c1"), set(), None),
    ],
)
def test_where_the_owner_names_numbers_no_other_is_called(
    action: Any, allowed: set[str] | None, sentence: str | None
) -> None:
    policy = allowing(numbers=None if allowed is None else frozenset(allowed))
    assert said("only-these", action, FACTS, policy) == sentence


WAIT = "; wait until calls under way have ended, or see to more minutes."
ENDED = "; wait until calls under way have ended."
RAISE = (
    "; let the owner raise minutes_per_day to {} in policy.toml (with a live key, topcalls policy accept makes "
    "it count)."
)


@pytest.mark.parametrize(
    ("most", "balance", "unseen", "sentence"),
    [
        (10, None, 99, None),
        (10, Balance(remaining=10), 0, None),
        (10, Balance(remaining=30, reserved=20), 0, None),
        (7.5, Balance(remaining=8), 0.5, None),
        (1.1, Balance(remaining=3.3), 2.2, None),
        (
            10,
            Balance(remaining=9.99),
            0,
            "This may use 10 minutes and 9.99 are free; set max_duration to 9 or less.",
        ),
        (
            10,
            Balance(remaining=9.999),
            0,
            "This may use 10 minutes and 9.999 are free; set max_duration to 9 or less.",
        ),
        (
            60,
            Balance(remaining=1500, reserved=1490),
            0,
            "This may use 60 minutes and 10 are free; set max_duration to 10 or less.",
        ),
        (
            10,
            Balance(remaining=30),
            22.5,
            "This may use 10 minutes and 7.5 are free; set max_duration to 7 or less.",
        ),
        (
            10,
            Balance(remaining=3.3),
            2.3,
            "This may use 10 minutes and 1 are free; set max_duration to 1 or less.",
        ),
        (10, Balance(remaining=0.75), 0, f"This may use 10 minutes and 0.75 are free{WAIT}"),
        (10, Balance(remaining=5), 20, f"This may use 10 minutes and 0 are free{WAIT}"),
        (10, Balance(remaining=5, reserved=90), 0, f"This may use 10 minutes and 0 are free{WAIT}"),
        (10, Balance(), 0, "TopCalls did not say how many call minutes are left."),
        (10, Balance(reserved=5), 500, "TopCalls did not say how many call minutes are left."),
    ],
)
def test_a_call_needs_free_minutes(
    most: float, balance: Balance | None, unseen: float, sentence: str | None
) -> None:
    known = facts(balance, unseen_minutes=unseen)
    assert said("minutes-left", place(CALLED, max_duration=most), known, allowing()) == sentence


@pytest.mark.parametrize(
    ("most", "a_day", "used", "sentence"),
    [
        (60, None, 10_000, None),
        (10, 10, 0, None),
        (10, 30, 20, None),
        (1.1, 3.3, 2.2, None),
        (
            10,
            30,
            20.5,
            "This may use 10 minutes and 9.5 of the owner's 30 in 24 hours are left; set max_duration to 9 or "
            "less.",
        ),
        (
            10,
            1_000_000.5,
            999_999,
            "This may use 10 minutes and 1.5 of the owner's 1,000,000.5 in 24 hours are left; set max_duration "
            "to 1 or less.",
        ),
        (10, 30, 29.5, f"This may use 10 minutes and 0.5 of the owner's 30 in 24 hours are left{ENDED}"),
        (1, 0, 0, f"This may use 1 minutes and 0 of the owner's 0 in 24 hours are left{RAISE.format(1)}"),
        (
            9,
            5,
            4.5,
            f"This may use 9 minutes and 0.5 of the owner's 5 in 24 hours are left{RAISE.format(14)}",
        ),
        (10, 30, 45, f"This may use 10 minutes and 0 of the owner's 30 in 24 hours are left{ENDED}"),
    ],
)
def test_in_a_day_no_more_is_used_than_the_owner_allows(
    most: float, a_day: float | None, used: float, sentence: str | None
) -> None:
    action, policy = place(CALLED, max_duration=most), allowing(minutes_per_day=a_day)
    assert said("minutes-per-day", action, facts(day_minutes=used), policy) == sentence


@pytest.mark.parametrize(
    ("rule", "balance", "a_day", "known", "sentence"),
    [
        ("minutes-left", Balance(remaining=90, reserved=10), None, {}, None),
        ("minutes-left", Balance(remaining=0), None, {}, None),
        ("minutes-left", Balance(remaining=90), None, {"day_minutes": 500}, None),
        (
            "minutes-left",
            Balance(remaining=1_234_567.5),
            None,
            {"unseen_minutes": 10},
            None,
        ),
        ("minutes-left", Balance(), None, {}, "TopCalls did not say how many call minutes are left."),
        ("minutes-per-day", Balance(remaining=90), None, {"day_minutes": 500}, None),
        ("minutes-per-day", Balance(remaining=90), 100, {"day_minutes": 10}, None),
        (
            "minutes-per-day",
            Balance(remaining=90),
            100,
            {"day_minutes": 10.5},
            f"This may use 90 minutes and 89.5 of the owner's 100 in 24 hours are left{ENDED}",
        ),
        (
            "minutes-per-day",
            Balance(remaining=2500),
            2000,
            {},
            f"This may use 2,500 minutes and 2,000 of the owner's 2,000 in 24 hours are left{RAISE.format(2500)}",
        ),
        ("minutes-per-day", Balance(), None, {}, None),
        (
            "minutes-per-day",
            Balance(),
            100,
            {},
            "What this may use is bounded by the call minutes left alone, and TopCalls did not say how many "
            "there are; call people one by one.",
        ),
    ],
)
def test_a_campaign_may_use_all_that_is_free(
    rule: str, balance: Balance, a_day: float | None, known: dict[str, float], sentence: str | None
) -> None:
    heard = Facts(FACTS.now, (SPRING, balance), **known)
    assert said(rule, CAMPAIGN, heard, allowing(minutes_per_day=a_day)) == sentence


@pytest.mark.parametrize("rule", ["minutes-left", "minutes-per-day"])
def test_only_what_dials_is_judged_by_its_minutes(rule: str) -> None:
    spent = facts(Balance(remaining=0), day_minutes=99, unseen_minutes=99)
    for action in (AddPhoneNumber(number=CALLED), StopCall(call_id="c1")):
        assert said(rule, action, spent, allowing(minutes_per_day=0)) is None


def test_what_every_rule_of_such_a_deed_says_is_given_in_their_order() -> None:
    heard = judge(place(CALLED), facts(Balance()), allowing())
    assert [one.rule for one in heard] == [
        name for name, rule in RULES.items() if issubclass(PlaceCall, rule.of)
    ]
    assert {one.rule: one.why for one in heard if one.why} == {
        "from-number": "No active number was found from which TopCalls could call.",
        "minutes-left": "TopCalls did not say how many call minutes are left.",
    }


def test_whatever_rings_is_heard_by_the_rules_of_what_rings() -> None:
    for action in (*CATALOG, *TOOLS):
        carries = "phone_number" in json.dumps(action.input_schema()) and action.toolset in ("calls", "leads")
        if action.effect in (Effect.SPEND, Effect.WRITE) and carries:
            assert issubclass(action, RULES["never-numbers"].of), action.tool
            assert issubclass(action, RULES["do-not-call"].of), action.tool
        if action.effect is Effect.SPEND:
            assert issubclass(action, DIALS), action.tool
            assert issubclass(action, RULES["minutes-left"].of), action.tool


def test_of_several_refusals_the_first_is_said() -> None:
    policy = allowing(numbers=frozenset({OTHER}), minutes_per_day=1)
    known = facts(Balance(remaining=0), blocked=frozenset({CALLED}))
    for changed, rule in (
        (known, "do-not-call"),
        (facts(Balance(remaining=0)), "only-these"),
    ):
        with pytest.raises(Refused) as got:
            judge(place(CALLED), changed, policy)
        assert got.value.rule == rule
        assert str(got.value).endswith(f"[rule: {rule}]")


def test_every_rule_says_what_it_is_and_where_it_comes_from() -> None:
    for name, rule in RULES.items():
        assert rule.guards, name
        assert rule.source, name
        assert str(rule.checked).startswith("20"), name
