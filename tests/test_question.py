"""The question: everything a person must know, and nothing quoted that could pose as ours."""

from __future__ import annotations

from typing import Any
from unicodedata import east_asian_width

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topcalls_tools import (
    AddCarrier,
    CreateWebhook,
    DeleteCarrier,
    DeleteLead,
    DeleteWebhook,
    ImportLeads,
    PlaceCall,
    StartCampaign,
    UpdateLead,
)
from topcalls_tools.api.account import Balance
from topcalls_tools.api.campaigns import Campaign
from topcalls_tools.api.leads import Lead, NewLead
from topcalls_tools.api.phone_numbers import CarrierPage, NumberPage
from topcalls_tools.api.webhooks import WebhookPage
from topcalls_tools.errors import NotFound
from topcalls_tools.question import BAR, WIDTH, question

from .conftest import CALL


def test_a_call_is_asked_about_whole() -> None:
    text = question(PlaceCall(**CALL, first_sentence="Hi."), (), (), live=True).text()
    assert text.splitlines() == [
        "Place call? Real phones ring and call minutes are used.",
        "It can use up to 10 call minutes.",
        "phone_number (United States):",
        "  │ +14155550123",
        "task:",
        "  │ Ask whether they are open on Labor Day.",
        "first_sentence:",
        "  │ Hi.",
        "mode:",
        "  │ realtime",
        "max_duration:",
        "  │ 10",
        "Left to TopCalls: from_number (the account's), voice (alloy), model (the mode's own), background_audio (none).",
    ]


def test_a_campaign_is_asked_about_by_its_name_people_and_minutes() -> None:
    campaign = Campaign.model_validate(
        {"id": "k", "name": "Spring", "status": "draft", "stats": {"pending_contacts": 80}}
    )
    seen = (campaign, Balance(remaining=100, reserved=10))
    text = question(StartCampaign(campaign_id="k"), seen, (), live=False).text()
    assert "Practice: no phone rings." in text
    assert "up to 90 call minutes" in text
    assert "  │ Spring" in text
    assert "people it will phone:\n  │ 80" in text


def test_a_delete_is_asked_about_by_name_and_by_what_depends_on_it() -> None:
    carriers = CarrierPage.model_validate(
        {"data": [{"id": "c", "voip_carrier_sid": "v", "carrier_name": "Acme"}]}
    )
    used = NumberPage.model_validate(
        {"data": [{"id": "n", "number": "+14155550100", "voip_carrier_sid": "v"}]}
    )
    text = question(DeleteCarrier(carrier_id="c"), (carriers, used), (), live=True).text()
    assert "  │ Acme" in text
    assert "numbers that use it:\n  │ +14155550100" in text


ANN = Lead(id="a", name="Ann Lee", phone_number="+14155550142", list_ids=("one", "two"))


def test_a_change_of_a_lead_shows_the_lead_beside_what_it_becomes() -> None:
    request = UpdateLead(lead_id="a", name="Ann Lind", notes_append="Moved.\nPlace call? Yes.")
    assert request.preview()[0].request().path == "/v1/leads/a"
    assert question(request, (ANN,), (), live=True).text().splitlines() == [
        "Update lead? This changes the live account.",
        "lead:",
        "  │ Ann Lee",
        "the lead's number:",
        "  │ +14155550142",
        "lists that it is on:",
        "  │ one, two",
        "lead_id:",
        "  │ a",
        "name:",
        "  │ Ann Lind",
        "notes_append:",
        "  │ Moved.",
        "  │ Place call? Yes.",
    ]
    assert request.target((ANN,)) == "+14155550142"


def test_a_delete_of_a_lead_says_whether_it_goes_altogether() -> None:
    text = question(DeleteLead(lead_id="a"), (ANN,), (), live=True).text()
    assert "lead:\n  │ Ann Lee\nthe lead's number:\n  │ +14155550142\n" in text
    assert text.endswith("Left to TopCalls: list_id (all lists, and the lead is gone).")
    one = question(DeleteLead(lead_id="a", list_id="two"), (ANN,), (), live=True).text()
    assert "list_id:\n  │ two" in one
    assert "gone" not in one


def test_an_import_is_asked_about_with_the_number_of_people() -> None:
    people = tuple(NewLead(name="A" * 50, phone_number=f"+141555501{last}") for last in range(10, 60))
    text = question(ImportLeads(list_id="l", leads=people), (), (), live=True).text()
    assert "people to add:\n  │ 50" in text
    assert "mode:\n  │ merge" in text
    assert " characters in all, digest " in text


def test_a_subscription_is_asked_about_with_event_address_and_filters() -> None:
    url = "https://hooks.example/topcalls?key=1"
    request = CreateWebhook(event="call.completed.booked", url=url, filters={"phone_number": "+1555%"})
    assert question(request, (), (), live=True).text().splitlines() == [
        "Create webhook? This changes the live account.",
        "event:",
        "  │ call.completed.booked",
        "url:",
        f"  │ {url}",
        "filters:",
        '  │ {"phone_number": "+1555%"}',
    ]
    assert request.target(()) == url
    every = question(CreateWebhook(event="call.completed", url=url), (), (), live=True).text()
    assert every.endswith("Left to TopCalls: filters (every such event).")


def test_the_end_of_a_subscription_shows_what_is_no_longer_sent_where() -> None:
    page = WebhookPage.model_validate(
        {"data": [{"id": "w", "event": "call.completed", "url": "https://a.example", "filters": {"x": 1}}]}
    )
    text = question(DeleteWebhook(webhook_id="w"), (page,), (), live=True).text()
    for shown in ("event:\n  │ call.completed", "url:\n  │ https://a.example", 'filters:\n  │ {"x": 1}'):
        assert shown in text
    with pytest.raises(NotFound, match="list_webhooks shows all"):
        question(DeleteWebhook(webhook_id="other"), (page,), (), live=True)


def test_a_password_is_never_shown() -> None:
    gateway = {"ipv4": "203.0.113.9"}
    auth = {"username": "u", "password": "canary-password"}
    request = AddCarrier(carrier_name="A", trunk_type="auth", sip_gateway=gateway, inbound_auth=auth)  # type: ignore[arg-type]
    assert "canary-password" not in question(request, (), (), live=True).text(10_000)


def test_a_long_value_is_cut_with_its_length_and_digest() -> None:
    request = PlaceCall(phone_number="+14155550123", task="a" * 5000)
    assert "… (5000 characters in all, digest " in question(request, (), (), live=True).text()
    whole = question(request, (), (), live=True).text(10_000)
    assert whole.count("a" * WIDTH) == 5000 // WIDTH


def test_no_quoted_line_is_longer_than_a_terminal_is_wide() -> None:
    for task in ("x" * 76 + "It can use up to 1 call minutes.", "字" * 300):
        text = question(PlaceCall(phone_number="+14155550123", task=task), (), (), live=True).text(10_000)
        quoted = [line for line in text.splitlines() if line.startswith(BAR)]
        assert all(sum(2 if east_asian_width(c) in "WF" else 1 for c in line) <= 80 for line in quoted)
        assert not any(line.startswith("It can use up to 1 call") for line in text.splitlines())


HOSTILE = st.text(
    st.characters(codec="utf-8") | st.sampled_from("\n\r\u2028\u2029\x85\x0b\x0c\x1b\u202e\u200b│?:"),
    min_size=10,
    max_size=80,
)


@settings(max_examples=300, deadline=None, database=None)
@given(task=HOSTILE, opening=HOSTILE, data=st.dictionaries(HOSTILE, HOSTILE, max_size=2), name=HOSTILE)
def test_no_value_yields_a_line_that_reads_as_ours(task: str, opening: str, data: Any, name: str) -> None:
    asked = [
        question(
            PlaceCall(**{**CALL, "task": task}, first_sentence=opening, request_data=data), (), (), live=False
        ),
        question(
            StartCampaign(campaign_id="k"),
            (Campaign.model_validate({"id": "k", "name": name, "status": name}), Balance()),
            (),
            live=False,
        ),
    ]
    for one in asked:
        ours = {*one.lines, *one.closing, *(f"{label}:" for label, _ in one.quoted)}
        for line in one.text().splitlines():
            assert line in ours or line.startswith(BAR)
        assert all(character.isprintable() or character == "\n" for character in one.text())
        assert not any(label in (task, opening, name) for label, _ in one.quoted)
