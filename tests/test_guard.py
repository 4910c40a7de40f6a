"""The rules, one table each: what may be dialled, and the sentence where it may not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import phonenumbers
import pytest
from phonenumbers import PhoneNumberType

from topcalls_tools import AddPhoneNumber, PlaceCall, StopCall
from topcalls_tools.api.fields import E164
from topcalls_tools.errors import Refused
from topcalls_tools.guard import Facts, judge, numbers
from topcalls_tools.guard.rules import RULES

from .conftest import CALL

FACTS = Facts(datetime(2026, 11, 23, tzinfo=UTC))


def place(number: str, **more: Any) -> PlaceCall:
    return PlaceCall(**{**CALL, "phone_number": number, **more})


def refusal(number: str) -> str | None:
    try:
        judge(place(number), FACTS)
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
        judge(place("+14155550123", from_number="+19005550123"), FACTS)


def test_only_what_dials_is_judged_by_number() -> None:
    judge(AddPhoneNumber(number="+19005550123"), FACTS)
    judge(StopCall(call_id="c1"), FACTS)


def test_every_rule_says_what_it_is_and_where_it_comes_from() -> None:
    for name, rule in RULES.items():
        assert rule.__doc__, name
        assert "Source: " in rule.__doc__
        assert "checked 20" in rule.__doc__
