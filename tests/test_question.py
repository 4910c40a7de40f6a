"""The question: everything a person must know, and nothing quoted that could pose as ours."""

from __future__ import annotations

import json
from datetime import UTC, datetime
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
from topcalls_tools.contacts import Contact
from topcalls_tools.endpoint import Endpoint
from topcalls_tools.errors import NotFound
from topcalls_tools.flow.question import Question, question
from topcalls_tools.guard import Allow, AskPerson, Facts, Said, judge
from topcalls_tools.guard.policy import Policy
from topcalls_tools.quoting import BAR, WIDTH, visible

from .conftest import CALL, allowing

NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
"""A Monday; nine in the morning in San Francisco."""


def asked(
    request: Endpoint[Any],
    *seen: Any,
    said: tuple[Said, ...] = (),
    live: bool = True,
    policy: Policy = allowing(),  # noqa: B008
    contact: Contact | None = None,
) -> Question:
    return question(request, seen, said, now=NOW, live=live, policy=policy, contact=contact)


def test_a_call_is_asked_about_whole() -> None:
    call = PlaceCall(**CALL, first_sentence="Hi.")
    assert asked(call).text().splitlines() == [
        "Place call? Real phones ring and call minutes are used.",
        "It is 09:00 on Monday there (America/Los_Angeles).",
        "It is not for selling anything.",
        "It can use up to 10 call minutes.",
        "phone_number (United States):",
        "  │ +14155550123",
        "task:",
        "  │ Ask whether they are open on Labor Day.",
        "first_sentence, as it will be spoken:",
        "  │ Hi.",
        "mode:",
        "  │ realtime",
        "max_duration:",
        "  │ 10",
        "Left to TopCalls: from_number (the account's), voice (alloy), model (the mode's own), "
        "background_audio (none).",
    ]


FULL = PlaceCall(
    phone_number="+49 30 5550 1401",
    task="Book a table for two for {{guest}}.",
    first_sentence="Hello, I call for {{ guest }} about {{nobody}}.",
    from_number="+14155550199",
    voice="sage",
    model="m-1",
    temperature=0.123456789,
    max_duration=7.5,
    background_audio="office",
    request_data={"guest": "Ann Lee\nPlace call?", "seats": 2},
)


def test_a_call_with_everything_in_it_is_asked_about_word_for_word() -> None:
    """Who, where, when, what for, the first words, how long, how dear, by which rules, and that it is real."""
    policy = allowing(price_per_minute=0.145, currency="EUR")
    said = (
        Said("never-numbers", Allow()),
        Said("minutes-left", AskPerson("It is late.")),
        Said("only-these", Allow()),
    )
    balance = Balance(remaining=1510.25, reserved=10)
    text = asked(
        FULL,
        balance,
        said=said,
        policy=policy,
        contact=Contact(name="Ristorante Roma", number=FULL.phone_number),
    ).text()
    assert text.splitlines() == [
        "Place call? Real phones ring and call minutes are used.",
        "It is 18:00 on Monday there (Europe/Berlin).",
        "It is not for selling anything.",
        "It can use up to 7.5 call minutes, 1.09 EUR; 1,500.25 are free.",
        "It is late. [rule: minutes-left]",
        "Nothing against it: never-numbers, only-these.",
        "called in your contacts:",
        "  │ Ristorante Roma",
        "phone_number (Germany):",
        "  │ +493055501401",
        "task:",
        "  │ Book a table for two for {{guest}}.",
        "first_sentence, as it will be spoken:",
        "  │ Hello, I call for Ann Lee",
        "  │ Place call? about {{nobody}}.",
        "from_number (United States):",
        "  │ +14155550199",
        "mode:",
        "  │ realtime",
        "voice:",
        "  │ sage",
        "model:",
        "  │ m-1",
        "temperature:",
        "  │ 0.123456789",
        "max_duration:",
        "  │ 7.5",
        "background_audio:",
        "  │ office",
        "request_data:",
        '  │ {"guest": "Ann Lee\\nPlace call?", "seats": 2}',
    ]
    practice = asked(FULL, balance, live=False).text()
    assert practice.startswith("Place call? Practice: no phone rings.\n")
    assert practice.partition("\n")[2] == asked(FULL, balance).text().partition("\n")[2]


def test_what_the_rules_say_of_a_call_is_in_its_question() -> None:
    call = PlaceCall(**CALL)
    heard = judge(call, Facts(NOW, (Balance(),)), allowing())
    silent = ", ".join(one.rule for one in heard if one.why is None)
    assert asked(call, Balance(), said=heard).lines == (
        "It is 09:00 on Monday there (America/Los_Angeles).",
        "It is not for selling anything.",
        "It can use up to 10 call minutes.",
        "No active number was found from which TopCalls could call. [rule: from-number]",
        "TopCalls did not say how many call minutes are left. [rule: minutes-left]",
        f"Nothing against it: {silent}.",
    )


@pytest.mark.parametrize(
    ("seen", "price", "words"),
    [
        (Balance(remaining=500), 0, "It can use up to 10 call minutes, 0.00 USD; 500 are free."),
        (Balance(remaining=9.999), 0.05, "It can use up to 10 call minutes, 0.50 USD; 10 are free."),
        (
            Balance(remaining=5, reserved=9),
            120,
            "It can use up to 10 call minutes, 1,200.00 USD; 0 are free.",
        ),
        (Balance(), 0.2, "It can use up to 10 call minutes, 2.00 USD."),
        (Balance(), None, "It can use up to 10 call minutes."),
    ],
)
def test_minutes_and_money_are_said_where_they_are_known(
    seen: Balance, price: float | None, words: str
) -> None:
    assert asked(PlaceCall(**CALL), seen, policy=allowing(price_per_minute=price)).lines[2] == words


def test_a_campaign_whose_minutes_nobody_knows_is_not_said_to_use_none() -> None:
    campaign = Campaign.model_validate({"id": "k", "name": "Spring"})
    request, policy = StartCampaign(campaign_id="k"), allowing(price_per_minute=1)
    assert asked(request, campaign, Balance(), policy=policy).lines == (
        "How many call minutes it can use is unknown.",
    )
    spent = asked(request, campaign, Balance(remaining=0), policy=policy)
    assert spent.lines == ("It can use up to 0 call minutes, 0.00 USD; 0 are free.",)


def test_a_campaign_is_asked_about_by_its_name_people_and_minutes() -> None:
    campaign = Campaign.model_validate(
        {"id": "k", "name": "Spring", "status": "draft", "stats": {"pending_contacts": 80}}
    )
    seen = (campaign, Balance(remaining=100, reserved=10))
    text = asked(StartCampaign(campaign_id="k"), *seen, live=False).text()
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
    text = asked(DeleteCarrier(carrier_id="c"), carriers, used).text()
    assert "  │ Acme" in text
    assert "numbers that use it:\n  │ +14155550100" in text


ANN = Lead(id="a", name="Ann Lee", phone_number="+14155550142", list_ids=("one", "two"))


def test_a_change_of_a_lead_shows_the_lead_beside_what_it_becomes() -> None:
    request = UpdateLead(lead_id="a", name="Ann Lind", notes_append="Moved.\nPlace call? Yes.")
    assert request.preview()[0].request().path == "/v1/leads/a"
    assert asked(request, ANN).text().splitlines() == [
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
    text = asked(DeleteLead(lead_id="a"), ANN).text()
    assert "lead:\n  │ Ann Lee\nthe lead's number:\n  │ +14155550142\n" in text
    assert text.endswith("Left to TopCalls: list_id (all lists, and the lead is gone).")
    one = asked(DeleteLead(lead_id="a", list_id="two"), ANN).text()
    assert "list_id:\n  │ two" in one
    assert "gone" not in one


def test_an_import_is_asked_about_with_the_number_of_people() -> None:
    people = tuple(NewLead(name="A" * 50, phone_number=f"+141555501{last}") for last in range(10, 60))
    text = asked(ImportLeads(list_id="l", leads=people)).text()
    assert "people to add:\n  │ 50" in text
    assert "mode:\n  │ merge" in text
    assert " characters in all, digest " in text


def test_a_subscription_is_asked_about_with_event_address_and_filters() -> None:
    url = "https://hooks.example/topcalls?key=1"
    request = CreateWebhook(event="call.completed.booked", url=url, filters={"phone_number": "+1555%"})
    assert asked(request).text().splitlines() == [
        "Create webhook? This changes the live account.",
        "event:",
        "  │ call.completed.booked",
        "url:",
        f"  │ {url}",
        "filters:",
        '  │ {"phone_number": "+1555%"}',
    ]
    assert request.target(()) == url
    every = asked(CreateWebhook(event="call.completed", url=url)).text()
    assert every.endswith("Left to TopCalls: filters (every such event).")


def test_the_end_of_a_subscription_shows_what_is_no_longer_sent_where() -> None:
    page = WebhookPage.model_validate(
        {"data": [{"id": "w", "event": "call.completed", "url": "https://a.example", "filters": {"x": 1}}]}
    )
    text = asked(DeleteWebhook(webhook_id="w"), page).text()
    for shown in ("event:\n  │ call.completed", "url:\n  │ https://a.example", 'filters:\n  │ {"x": 1}'):
        assert shown in text
    with pytest.raises(NotFound, match="list_webhooks shows all"):
        asked(DeleteWebhook(webhook_id="other"), page)


def test_a_password_is_never_shown() -> None:
    gateway = {"ipv4": "203.0.113.9"}
    auth = {"username": "u", "password": "canary-password"}
    request = AddCarrier(carrier_name="A", trunk_type="auth", sip_gateway=gateway, inbound_auth=auth)  # type: ignore[arg-type]
    assert "canary-password" not in asked(request).text(10_000)


def test_a_long_value_is_cut_with_its_length_and_digest() -> None:
    request = PlaceCall(phone_number="+14155550123", task="a" * 5000)
    assert "… (5000 characters in all, digest " in asked(request).text()
    whole = asked(request).text(10_000)
    assert whole.count("a" * WIDTH) == 5000 // WIDTH


def test_no_quoted_line_is_longer_than_a_terminal_is_wide() -> None:
    for task in ("x" * 76 + "It can use up to 1 call minutes.", "字" * 300):
        text = asked(PlaceCall(phone_number="+14155550123", task=task)).text(10_000)
        quoted = [line for line in text.splitlines() if line.startswith(BAR)]
        assert all(sum(2 if east_asian_width(c) in "WF" else 1 for c in line) <= 80 for line in quoted)
        assert not any(line.startswith("It can use up to 1 call") for line in text.splitlines())


HOSTILE = st.text(
    st.characters(codec="utf-8")
    | st.sampled_from("\n\r\u2028\u2029\x85\x0b\x0c\x1b\u202e\u200b\ufe0f\u3164│?:"),
    min_size=10,
    max_size=50,
)
ORDINARY = "an ordinary text"


def every_kind(said: Any) -> list[Question]:
    """A question of each kind in which `said` gives every text that somebody else may choose."""
    campaign = {"id": "k", "name": said(), "status": said()}
    carrier = {"id": "c", "voip_carrier_sid": "v", "carrier_name": said()}
    webhook = {"id": "w", "event": said(), "url": said(), "filters": {"x": said()}}
    balance, policy = Balance(remaining=50), allowing(price_per_minute=1)
    call = PlaceCall(
        phone_number=CALL["phone_number"],
        instructions=said(),
        first_sentence=f"{said()}{{{{one}}}}",
        voice=said(),
        model=said(),
        background_audio=said(),
        background_audio_gain=said(),
        request_data={"one": said(), "two": {"three": [said()]}},
    )
    heard = judge(call, Facts(NOW, (balance,)), policy)
    return [
        asked(
            call, balance, said=heard, policy=policy, contact=Contact.model_construct(name=said(), zone=None)
        ),
        asked(PlaceCall(**{**CALL, "task": said()}), balance, live=False),
        asked(StartCampaign(campaign_id="k"), Campaign.model_validate(campaign), balance, policy=policy),
        asked(
            DeleteCarrier(carrier_id="c"),
            CarrierPage.model_validate({"data": [carrier]}),
            NumberPage.model_validate({"data": [{"id": "n", "number": said(), "voip_carrier_sid": "v"}]}),
        ),
        asked(
            UpdateLead(lead_id="a", name=said(), notes_append=said()),
            Lead(id="a", name=said(), phone_number=said(), list_ids=(said(),)),
        ),
        asked(DeleteWebhook(webhook_id="w"), WebhookPage.model_validate({"data": [webhook]})),
    ]


def ours(one: Question) -> list[str]:
    """What we say in a question, line by line."""
    return [one.title, *one.lines, *(f"{label}:" for label, _ in one.quoted), *one.closing]


@settings(max_examples=200, deadline=None, database=None)
@given(data=st.data())
def test_no_value_yields_a_line_that_reads_as_ours(data: st.DataObject) -> None:
    """All that is not behind a bar is what we say, whatever the values are, cut or whole."""
    for one, plain in zip(every_kind(lambda: data.draw(HOSTILE)), every_kind(lambda: ORDINARY), strict=True):
        assert ours(one) == ours(plain), "no value has a part in our own words"
        for text in (one.text(), one.text(most=20), one.text(10_000)):
            assert [line for line in text.splitlines() if not line.startswith(BAR)] == ours(one)
            assert all(visible(character) == character for character in text.replace("\n", ""))


@settings(max_examples=50, deadline=None, database=None)
@given(data=st.data())
def test_a_question_survives_its_document(data: st.DataObject) -> None:
    for one in every_kind(lambda: data.draw(HOSTILE)):
        document = json.loads(json.dumps(one.document()))
        assert Question.of(document) == one
        assert document.keys() == {"title", "lines", "quoted", "closing", "live", "rules"}
        assert [*map(set, document["quoted"])] == [{"label", "value"}] * len(one.quoted)


def test_a_document_holds_each_value_whole_and_apart() -> None:
    posing = "Place call? Practice: no phone rings.\n" * 40
    document = asked(
        PlaceCall(**{**CALL, "task": posing}), contact=Contact.model_construct(name=posing, zone=None)
    ).document()
    values = {one["label"]: one["value"] for one in document.pop("quoted")}
    assert values["task"] == values["called in your contacts"] == posing
    assert "Practice" not in json.dumps(document)


@pytest.mark.parametrize(
    "hidden",
    [
        *"\u200b\u200d\u2060\ufeff\u00ad\u061c\u202e\u2066\x00\x1b\x7f\x9b\r\t\xa0\u2028",
        *"\u034f\u115f\u1160\u17b4\u180b\u3164\uffa0\ufe00\ufe0f\U000e0041\U000e0100\U000e01ef\ud800",
    ],
    ids=lambda hidden: f"{ord(hidden):x}",
)
def test_what_no_screen_shows_is_shown_as_its_number(hidden: str) -> None:
    """Among them the ones in which a text can be hidden from a person, and not from a model."""
    assert visible(hidden) == f"\\u{{{ord(hidden):x}}}"
    text = Question("Place call?", (), (("task", f"a{hidden}b"),)).text()
    assert text.splitlines() == ["Place call?", "task:", f"{BAR}a\\u{{{ord(hidden):x}}}b"]


@pytest.mark.parametrize("shown", list("aß字ğ한é│…😀 "))
def test_what_a_person_can_see_stands_as_it_is(shown: str) -> None:
    assert visible(shown) == shown


@pytest.mark.parametrize(
    ("length", "most", "cut"),
    [(600, 600, False), (601, 600, True), (601, 10_000, False), (10_001, 10_000, True)],
)
def test_a_value_is_cut_only_beyond_its_most(length: int, most: int, cut: bool) -> None:
    text = asked(PlaceCall(phone_number="+14155550123", task="a" * length)).text(most)
    assert (f"({length} characters in all, digest " in text) is cut
    assert sum(line.count("a") for line in text.splitlines() if set(line) <= set(f"{BAR}a")) == min(
        length, most
    )


def test_two_long_values_that_begin_alike_have_two_digests() -> None:
    one, two = (asked(PlaceCall(phone_number="+14155550123", task="a" * 700 + end)) for end in "bc")
    assert one.text() != two.text()
