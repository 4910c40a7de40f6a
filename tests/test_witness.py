"""The catalogue against the documentation's own words: `witness/` holds its literal requests and replies.

Client and sandbox share one class, so a round trip between them proves nothing about the wire; this does.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from topcalls_tools import errors
from topcalls_tools.action import Record
from topcalls_tools.api import CATALOG
from topcalls_tools.api.calls import GetCall, ListCalls, PlaceCall
from topcalls_tools.api.fields import Page, Spoken
from topcalls_tools.api.leads import CreateLead, DeleteLead, ImportLeads, LeadPage, ListLeads, UpdateLead
from topcalls_tools.api.phone_numbers import AddCarrier
from topcalls_tools.endpoint import Endpoint
from topcalls_tools.wire import Reply

WITNESSES = Path(__file__).parent / "witness"
TRAVEL_BY_DESIGN = {
    "place_call": {"mode", "max_duration"},
    "add_carrier": {"trunk_type"},
    "import_leads": {"mode"},
}
"""Defaults that are sent although the caller did not give them, because a person must see them."""
NEEDED = {"id", "call_id", "text"}
"""What a reply cannot do without: handles, and the words of a turn."""
KEYED = {"place_call", "stop_call", "cancel_call", "start_campaign", "pause_campaign", "add_phone_number",
         "add_carrier", "create_webhook"}  # fmt: skip
"""Where the documentation promises to honour an Idempotency-Key (contract 1.4)."""
ABSURD = {"x": []}

every_endpoint = pytest.mark.parametrize("cls", CATALOG, ids=lambda cls: cls.tool)


def witness(cls: type[Endpoint[Any]]) -> dict[str, Any]:
    file = WITNESSES / f"{cls.tool}.json"
    assert file.exists(), f"{cls.tool} has no witness: write {file.name} by hand from the documentation"
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found


def given(cls: type[Endpoint[Any]]) -> Endpoint[Any]:
    return cls.model_validate(witness(cls)["arguments"])


def holes(cls: type[Endpoint[Any]], path: str) -> dict[str, str]:
    shape = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(cls.path))
    match = re.fullmatch(shape, path)
    assert match, f"{path} is not {cls.path}"
    return match.groupdict()


def answer(cls: type[Endpoint[Any]], body: Any, status: int = 200) -> Any:
    content = b"" if body is None else json.dumps(body).encode()
    return given(cls).reply(Reply(status, content))


def test_each_witness_belongs_to_an_endpoint() -> None:
    assert {file.stem for file in WITNESSES.glob("*.json")} == {cls.tool for cls in CATALOG}
    assert len(CATALOG) == 29


# What is sent


@every_endpoint
def test_the_request_is_the_documented_one(cls: type[Endpoint[Any]]) -> None:
    literal, sent = witness(cls)["request"], given(cls).request()
    assert (sent.method, sent.path, dict(sent.query)) == (
        literal["method"],
        literal["path"],
        literal["query"],
    )
    body, documented = dict(sent.body or {}), literal["body"] or {}
    extra = {name: body.pop(name) for name in body.keys() - documented.keys()}
    assert body == documented
    assert extra.keys() <= TRAVEL_BY_DESIGN.get(cls.tool, set())
    assert extra == {name: cls.model_fields[name].default for name in extra}
    if literal["body"] is None and not extra:
        assert sent.body is None


@pytest.mark.parametrize(
    ("value", "body"),
    [
        (
            PlaceCall(phone_number="+1 (415) 555-1234", task="Book a table for two."),
            {
                "phone_number": "+14155551234",
                "task": "Book a table for two.",
                "mode": "realtime",
                "max_duration": 10,
            },
        ),
        (
            AddCarrier.model_validate({"carrier_name": "Mine", "sip_gateway": {"ipv4": "sip.example.com"}}),
            {
                "carrier_name": "Mine",
                "trunk_type": "static_ip",
                "sip_gateway": {"ipv4": "sip.example.com", "port": 5060, "inbound": False, "outbound": True},
            },
        ),
        (
            ImportLeads.model_validate(
                {"list_id": "l", "leads": [{"name": "Ann", "phone_number": "+1 415 555 1234"}]}
            ),
            {"list_id": "l", "leads": [{"name": "Ann", "phone_number": "+14155551234"}], "mode": "merge"},
        ),
    ],
    ids=["place_call", "add_carrier", "import_leads"],
)
def test_no_default_travels_but_these(value: Endpoint[Any], body: dict[str, Any]) -> None:
    assert value.request().body == body


@every_endpoint
def test_what_arrives_reads_as_the_value_that_was_sent(cls: type[Endpoint[Any]]) -> None:
    value, literal = given(cls), witness(cls)["request"]
    assert cls.read(holes(cls, literal["path"]), literal["query"], literal["body"] or {}) == value
    sent = value.request()
    assert cls.read(holes(cls, sent.path), sent.query, sent.body or {}) == value


def test_what_a_patch_changes_travels_in_its_body_alone() -> None:
    sent = UpdateLead(lead_id="a:b", notes="New.", tags=("x", "y")).request()
    assert (sent.method, sent.path) == ("PATCH", "/v1/leads/a%3Ab")
    assert (sent.query, sent.body) == ({}, {"notes": "New.", "tags": ["x", "y"]})
    assert UpdateLead.read({"lead_id": "a:b"}, {}, sent.body) == UpdateLead(
        lead_id="a:b", notes="New.", tags=("x", "y")
    )


def test_a_delete_has_a_query_where_it_is_given_one() -> None:
    assert DeleteLead(lead_id="a").request().query == {}
    sent = DeleteLead(lead_id="a", list_id="7").request()
    assert (sent.query, sent.body) == ({"list_id": "7"}, None)
    assert DeleteLead.read({"lead_id": "a"}, sent.query, {}) == DeleteLead(lead_id="a", list_id="7")


@every_endpoint
def test_unknown_names_in_a_request_are_dropped_by_the_reader(cls: type[Endpoint[Any]]) -> None:
    literal = witness(cls)["request"]
    where = holes(cls, literal["path"])
    query, body = literal["query"], literal["body"] or {}
    if cls.method in ("POST", "PATCH"):
        assert cls.read(where, query, {**body, "later": {"x": 1}}) == given(cls)
    else:
        assert cls.read(where, {**query, "later": "1"}, body) == given(cls)


@every_endpoint
def test_an_idempotency_key_is_witnessed_only_where_it_is_promised(cls: type[Endpoint[Any]]) -> None:
    assert cls.keyed == (cls.tool in KEYED)
    assert cls.keyed or "Idempotency-Key" not in witness(cls)["request"]["headers"]


# What comes back


@every_endpoint
def test_the_documented_reply_is_read_whole(cls: type[Endpoint[Any]]) -> None:
    reply = witness(cls)["reply"]
    assert reply["status"] == cls.success
    seen = answer(cls, reply["body"], reply["status"])
    assert isinstance(seen, cls.reply_type)
    assert reply["status"] == given(cls).status_of(seen)
    same(reply["body"] or {}, seen, cls.tool)


@pytest.mark.parametrize(("existed", "status"), [(False, 201), (True, 200), (None, 201)])
def test_a_lead_that_was_known_is_answered_200_and_a_new_one_201(existed: bool | None, status: int) -> None:
    body = {**witness(CreateLead)["reply"]["body"], "existed": existed}
    seen = answer(CreateLead, body, status)
    assert seen.existed is existed
    assert given(CreateLead).status_of(seen) == status


def same(literal: Any, seen: Any, where: str) -> None:
    """Assert that a typed value says what the JSON says, and that each name is one that we declare."""
    if isinstance(seen, Record):
        for wire, value in literal.items():
            name = "data" if isinstance(seen, Page) and wire == seen.listed_as else wire
            assert name in type(seen).model_fields, f"{where}.{name} is not declared"
            same(value, getattr(seen, name), f"{where}.{name}")
    elif isinstance(literal, list):
        assert len(literal) == len(seen), where
        for index, (one, other) in enumerate(zip(literal, seen, strict=True)):
            same(one, other, f"{where}.{index}")
    else:
        assert literal == (seen.words if isinstance(seen, Spoken) else seen), where


def parts(body: Any, steps: tuple[int | str, ...] = ()) -> Iterator[tuple[int | str, ...]]:
    """The path of each named value in a reply, but not inside of what is the caller's own."""
    entries = (
        body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    )  # fmt: skip
    for step, value in entries:
        if isinstance(step, str):
            yield (*steps, step)
        if step not in ("metadata", "filters"):
            yield from parts(value, (*steps, step))


def at(body: Any, steps: tuple[int | str, ...]) -> Any:
    for step in steps:
        body = body[step]
    return body


OPTIONAL = [
    pytest.param(cls, steps, id=f"{cls.tool}-{'.'.join(map(str, steps))}")
    for cls in CATALOG
    if (WITNESSES / f"{cls.tool}.json").exists()
    for steps in parts(witness(cls)["reply"]["body"])
    if steps[-1] not in NEEDED and steps not in (("data",), ("items",))
]


@pytest.mark.parametrize(("cls", "steps"), OPTIONAL)
def test_a_reply_without_an_optional_field_is_read(cls: type[Endpoint[Any]], steps: tuple[Any, ...]) -> None:
    body = copy.deepcopy(witness(cls)["reply"]["body"])
    del at(body, steps[:-1])[steps[-1]]
    same(body, answer(cls, body), cls.tool)


@pytest.mark.parametrize("absurd", [ABSURD, [ABSURD], True, "absurd", -1e300, None], ids=json.dumps)
@pytest.mark.parametrize(("cls", "steps"), OPTIONAL)
def test_a_reply_with_an_absurd_optional_field_is_read(
    cls: type[Endpoint[Any]], steps: tuple[Any, ...], absurd: Any
) -> None:
    body = copy.deepcopy(witness(cls)["reply"]["body"])
    at(body, steps[:-1])[steps[-1]] = absurd
    seen = answer(cls, body)
    others = copy.deepcopy(body)
    del at(others, steps[:-1])[steps[-1]]
    if not isinstance(at(body, steps[:-1]), list):
        same(others, seen, cls.tool)  # everything else survived


@pytest.mark.parametrize(
    "turn",
    [
        {"id": 2},
        {"text": "no id"},
        {"id": "two", "text": "Yes"},
        {"id": 2, "text": ABSURD},
        "Yes, hi...",
        None,
    ],
    ids=json.dumps,
)
def test_a_turn_in_an_unknown_shape_does_not_hide_the_call(turn: Any) -> None:
    body = witness(GetCall)["reply"]["body"]
    seen = answer(GetCall, {**body, "transcript": [body["transcript"][0], turn]})
    assert (seen.id, seen.status, seen.call_summary.words) == (
        body["id"],
        "completed",
        "Appointment confirmed.",
    )


@every_endpoint
def test_unknown_fields_of_a_reply_are_kept_and_shown(cls: type[Endpoint[Any]]) -> None:
    body = witness(cls)["reply"]["body"] or {}
    later = {"from": "a later version", "list": [1, {"x": None}]}
    seen = answer(cls, {**body, "later": later})
    assert seen.later == later
    assert json.loads(seen.model_dump_json())["later"] == later


@pytest.mark.parametrize(
    ("cls", "steps"),
    [one for one in OPTIONAL if one.values[1][-1] in {"status", "call_status", "answered_by", "user", "mode",
                                                      "source", "trunk_type", "event", "gender", "provider", "type"}],
)  # fmt: skip
def test_a_new_word_of_a_known_set_is_taken(cls: type[Endpoint[Any]], steps: tuple[Any, ...]) -> None:
    body = copy.deepcopy(witness(cls)["reply"]["body"])
    at(body, steps[:-1])[steps[-1]] = "a-word-of-2031"
    same(body, answer(cls, body), cls.tool)


PAGES = [cls for cls in CATALOG if cls.tool.startswith("list_")]


def rows_of(cls: type[Endpoint[Any]]) -> list[Any]:
    """The documented list, by the name that it has on the wire."""
    rows: list[Any] = witness(cls)["reply"]["body"][cls.reply_type.listed_as]  # type: ignore[attr-defined]
    return rows


@pytest.mark.parametrize("cls", PAGES, ids=lambda cls: cls.tool)
def test_a_list_is_read_from_data_items_or_a_bare_array(cls: type[Endpoint[Any]]) -> None:
    body = witness(cls)["reply"]["body"]
    rows, data = rows_of(cls), answer(cls, body).data
    assert len(data) == len(rows) > 0
    cursor = "2025-12-22T10:29:00Z"
    in_items = answer(cls, {"items": rows, "has_more": True, "next_cursor": cursor})
    assert in_items.data == data
    assert (in_items.next_cursor, in_items.has_more) == (cursor, True)
    assert answer(cls, {"data": rows}).data == answer(cls, rows).data == data
    assert answer(cls, []).data == answer(cls, {"data": []}).data == answer(cls, {"items": []}).data == ()


@pytest.mark.parametrize("envelope", ["data", "items", "bare"])
@pytest.mark.parametrize("cls", PAGES, ids=lambda cls: cls.tool)
def test_an_absurd_field_is_absent_in_every_envelope(cls: type[Endpoint[Any]], envelope: str) -> None:
    rows = copy.deepcopy(rows_of(cls))
    name = next(name for name in rows[0] if name not in NEEDED)
    rows[0][name] = ABSURD
    seen = answer(cls, rows if envelope == "bare" else {envelope: rows})
    assert [row.id for row in seen.data] == [row["id"] for row in rows]
    assert getattr(seen.data[0], name) is None


def test_only_leads_stand_in_items_on_the_wire_and_tell_whether_there_are_more() -> None:
    assert [cls.tool for cls in PAGES if cls.reply_type.listed_as != "data"] == ["list_leads"]  # type: ignore[attr-defined]
    value = LeadPage.model_validate({"items": [{"id": "a"}], "has_more": True, "next_cursor": "opaque/=7"})
    assert (value.data[0].id, value.has_more, value.next_cursor) == ("a", True, "opaque/=7")
    shown = ListLeads().shown(value, live=False)
    assert shown == {"live": False, "data": [{"id": "a"}], "has_more": True, "next_cursor": "opaque/=7"}
    assert ListLeads(cursor=value.next_cursor).request().query == {"cursor": "opaque/=7"}


def test_a_row_without_its_id_does_not_hide_the_others() -> None:
    rows = witness(ListCalls)["reply"]["body"]["data"]
    nameless = {name: value for name, value in rows[0].items() if name != "id"}
    assert rows[0]["id"] in [row.id for row in answer(ListCalls, {"data": [nameless, *rows]}).data]


@pytest.mark.parametrize(
    "call_id", ["call_abc123", "564d4fd4-03bc-400a-abe0-05540fbeff88", "call:42", "a.b/c"]
)
def test_an_id_is_any_text_that_topcalls_gives(call_id: str) -> None:
    assert answer(PlaceCall, {"call_id": call_id, "status": "queued"}, 201).call_id == call_id


@pytest.mark.parametrize("status", [200, 201, 202, 204])
@every_endpoint
def test_any_success_status_is_success(cls: type[Endpoint[Any]], status: int) -> None:
    body = witness(cls)["reply"]["body"]
    same(body or {}, answer(cls, body, status), cls.tool)


@pytest.mark.parametrize(
    "content",
    [b"<html>Gateway</html>", b'{"call_id": ', b"null", b"7", b"\xff\xfe", b"[" * 5000],
    ids=["html", "cut", "null", "number", "bytes", "deep"],
)
def test_a_success_in_no_known_shape_is_an_error_that_says_nobody_knows(content: bytes) -> None:
    with pytest.raises(errors.Broken) as caught:
        given(PlaceCall).reply(Reply(201, content))
    assert caught.value.happened is None
    assert caught.value.status == 201
    one_sentence(caught.value)


# What goes wrong

PROBLEM = {
    "type": "https://api.topcalls.ai/errors/insufficient_quota",
    "title": "Insufficient Quota",
    "status": 402,
    "detail": "You need 5 minutes but have 3.5 remaining",
    "instance": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
    "errors": [{"path": "string", "message": "string", "code": "string"}],
    "details": "string",
}
"""The documented example of a problem (1.7)."""
HTML = b"<html>\n<head><title>502 Bad Gateway</title></head>\n" + b"<p>nginx</p>\n" * 100
STATUSES = [
    (400, errors.Invalid),
    (401, errors.Unauthorized),
    (402, errors.PaymentRequired),
    (403, errors.Forbidden),
    (404, errors.NotFound),
    (409, errors.Invalid),
    (418, errors.Invalid),
    (422, errors.Invalid),
    (429, errors.TooMany),
    (500, errors.Broken),
    (502, errors.Broken),
    (503, errors.Broken),
    (504, errors.Broken),
    (302, errors.Broken),
]
BODIES = [
    pytest.param(json.dumps(PROBLEM).encode(), id="problem"),
    pytest.param(b"{}", id="empty object"),
    pytest.param(b"", id="nothing"),
    pytest.param(HTML, id="html"),
    pytest.param(b"\xff\xfe\x00", id="bytes"),
    pytest.param(b'["a", "list"]', id="list"),
    pytest.param(b'{"title": 7, "detail": [], "errors": {"path": 1}, "type": null, "instance": {}}', id="absurd"),
]  # fmt: skip


def one_sentence(error: errors.APIError) -> str:
    said = str(error)
    assert said.startswith("TopCalls answered ")
    assert re.search(r"[^.]\.( \(occurrence [\w-]+\))?$", said), said
    assert said.isprintable(), said
    assert ".." not in said
    assert "; ; " not in said
    assert len(said) < 1500
    return said


@pytest.mark.parametrize("content", BODIES)
@pytest.mark.parametrize(("status", "kind"), STATUSES)
@every_endpoint
def test_each_status_raises_its_error_with_one_sentence(
    cls: type[Endpoint[Any]], status: int, kind: type[errors.APIError], content: bytes
) -> None:
    with pytest.raises(errors.APIError) as caught:
        given(cls).reply(Reply(status, content, {"retry-after": "7"}))
    error = caught.value
    assert type(error) is kind
    assert error.status == status
    assert error.happened is (None if kind is errors.Broken else False)
    assert error.wait_seconds == (7.0 if status == 429 else None)
    said = one_sentence(error)
    assert cls.tool in said
    assert str(status) in said


@pytest.mark.parametrize("name", ["detail", "title", "instance", "errors"])
def test_control_characters_of_a_problem_are_not_repeated(name: str) -> None:
    hostile = "two\nlines\x1b[31m and colour"
    problem = {**PROBLEM, name: [{"path": hostile, "message": hostile}] if name == "errors" else hostile}
    if name == "title":
        del problem["detail"]
    with pytest.raises(errors.PaymentRequired) as caught:
        given(PlaceCall).reply(Reply(402, json.dumps(problem).encode()))
    assert str(caught.value).isprintable(), str(caught.value)


@pytest.mark.parametrize(("status", "kind"), STATUSES)
def test_a_problem_document_is_read_whole(status: int, kind: type[errors.APIError]) -> None:
    with pytest.raises(kind) as caught:
        given(PlaceCall).reply(Reply(status, json.dumps({**PROBLEM, "status": status}).encode()))
    error = caught.value
    assert error.slug == "insufficient_quota"
    assert error.instance == PROBLEM["instance"]
    assert error.fields == (errors.FieldError("string", "string", "string"),)
    assert "You need 5 minutes but have 3.5 remaining" in str(error)
    assert error.instance in str(error)


@pytest.mark.parametrize(("status", "kind"), STATUSES)
def test_a_reply_that_is_no_json_gives_its_first_200_characters(
    status: int, kind: type[errors.APIError]
) -> None:
    with pytest.raises(kind) as caught:
        given(PlaceCall).reply(Reply(status, HTML))
    error = caught.value
    assert (error.slug, error.instance, error.fields) == (None, None, ())
    assert "502 Bad Gateway" in str(error)
    assert str(error).count("nginx") <= 200 // len("nginx")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("0", 0.0), ("7", 7.0), ("120", 120.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None), ("", None),
     ("nan", None), ("²", None), (None, None)],
)  # fmt: skip
def test_retry_after_is_read_where_it_is_a_number(header: str | None, seconds: float | None) -> None:
    headers = {} if header is None else {"retry-after": header}
    with pytest.raises(errors.TooMany) as caught:
        given(PlaceCall).reply(Reply(429, b"{}", headers))
    assert caught.value.wait_seconds == seconds


def test_the_wrong_fields_are_named_in_the_sentence() -> None:
    problem = {
        "title": "Invalid request body",
        "status": 400,
        "detail": "Phone number must be in E.164 format",
        "errors": [
            {"path": "phone_number", "message": "Phone number must be in E.164 format"},
            {"path": "sip_gateway.ipv4", "message": "must be an IPv4 address", "code": "ipv4"},
            "not an object",
        ],
    }
    with pytest.raises(errors.Invalid) as caught:
        given(PlaceCall).reply(Reply(400, json.dumps(problem).encode()))
    assert caught.value.fields == (
        errors.FieldError("phone_number", "Phone number must be in E.164 format"),
        errors.FieldError("sip_gateway.ipv4", "must be an IPv4 address", "ipv4"),
    )
    said = one_sentence(caught.value)
    assert said.count("Phone number must be in E.164 format") == 1
    assert "sip_gateway.ipv4: must be an IPv4 address" in said


@pytest.mark.parametrize("cls", [cls for cls in CATALOG if cls.handles], ids=lambda cls: cls.tool)
def test_not_found_names_the_handle_and_where_it_comes_from(cls: type[Endpoint[Any]]) -> None:
    with pytest.raises(errors.NotFound, match=rf"check {cls.handles[-1]}: "):
        given(cls).reply(Reply(404, b'{"title": "Not found", "status": 404}'))


@pytest.mark.parametrize("cls", [cls for cls in CATALOG if cls.scope], ids=lambda cls: cls.tool)
def test_forbidden_names_the_scope(cls: type[Endpoint[Any]]) -> None:
    with pytest.raises(errors.Forbidden, match=str(cls.scope)):
        given(cls).reply(Reply(403, b'{"title": "Forbidden", "status": 403}'))
