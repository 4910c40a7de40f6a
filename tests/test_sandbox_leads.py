"""Leads of the sandbox: six endpoints, lists, and the numbers that make a lead one lead."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from .contract import covers
from .test_sandbox import Bench, bench, calm
from .test_sandbox_rules import NOWHERE, paths, slug

__all__ = ["bench", "calm"]
LIST, OTHER = str(uuid.UUID(int=11)), str(uuid.UUID(int=12))
ADA = "+14155560018"
FIELDS = {
    "id", "account_id", "name", "phone_number", "status", "tags", "email", "notes", "metadata", "converted_at",
    "list_ids", "created_at", "updated_at",
}  # fmt: skip


def create(bench: Bench, number: str = ADA, list_id: str = LIST, **more: Any) -> httpx.Response:
    body = {"name": "Ada Abel", "phone_number": number, "list_id": list_id, **more}
    return bench.http.post("/v1/leads", json=body)


def made(bench: Bench, number: str = ADA, list_id: str = LIST, **more: Any) -> dict[str, Any]:
    reply = create(bench, number, list_id, **more)
    assert reply.status_code in (200, 201), reply.text
    found: dict[str, Any] = reply.json()
    return found


def numbers(bench: Bench, query: str = "") -> list[str]:
    return [one["phone_number"] for one in bench.get(f"/v1/leads?{query}")["items"]]


def bring_in(bench: Bench, leads: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    reply = bench.http.post("/v1/leads/bulk", json={"list_id": LIST, "leads": leads, **more})
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def change(bench: Bench, lead_id: str, **said: Any) -> httpx.Response:
    return bench.http.patch(f"/v1/leads/{lead_id}", json=said)


@covers("2.2 leads", "3.6 lead", "3.6 create lead", "A132", "A133", "1.7 201")
def test_a_new_lead_is_201_and_has_every_field(bench: Bench) -> None:
    reply = create(bench)
    assert reply.status_code == 201
    lead = reply.json()
    assert lead.pop("existed") is False
    assert lead == {
        "id": lead["id"], "account_id": lead["account_id"], "name": "Ada Abel", "phone_number": ADA,
        "status": "New", "tags": [], "email": None, "notes": None, "metadata": None, "converted_at": None,
        "list_ids": [LIST], "created_at": lead["created_at"], "updated_at": lead["created_at"],
    }  # fmt: skip
    assert bench.get(f"/v1/leads/{lead['id']}") == lead
    said = {
        "email": "ada@example.com", "status": "Contacted", "tags": ["north", "vip"], "notes": "Prefers mornings.",
        "metadata": {"city": "Boston", "deep": [1, None]},
    }  # fmt: skip
    full = made(bench, "+14155560019", **said)
    assert {name: full[name] for name in said} == said
    assert full.keys() == FIELDS | {"existed"}


@covers("3.6 create lead", "A133")
def test_a_known_number_is_200_and_joins_the_list_unchanged(bench: Bench) -> None:
    lead = made(bench)
    bench.step(60)
    again = create(bench, list_id=OTHER, name="Somebody else", notes="new")
    assert (again.status_code, again.json()["existed"]) == (200, True)
    assert again.json() == {**lead, "existed": True, "list_ids": again.json()["list_ids"]}
    assert sorted(again.json()["list_ids"]) == sorted([LIST, OTHER])
    assert create(bench, list_id=OTHER).status_code == 200
    assert len(bench.get("/v1/leads")["items"]) == 1
    with bench.client(bench.sandbox.add_account(plans=())) as stranger:
        body = {"name": "Ada", "phone_number": ADA, "list_id": LIST}
        assert stranger.post("/v1/leads", json=body).status_code == 201


@covers("3.6 create lead", "3.6 lead number", "3.6 lead")
@pytest.mark.parametrize(
    ("said", "path"),
    [
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"phone_number": None}, "phone_number"),
        ({"phone_number": "+4930123"}, "phone_number"),  # long enough for a call, too short for a lead
        ({"phone_number": "+1 415 556 0018"}, "phone_number"),
        ({"phone_number": "14155560018"}, "phone_number"),
        ({"phone_number": "+1234567890123456"}, "phone_number"),
        ({"list_id": None}, "list_id"),
        ({"status": "new"}, "status"),
        ({"status": "Lost"}, "status"),
        ({"tags": "vip"}, "tags"),
        ({"metadata": [1]}, "metadata"),
    ],
)
def test_a_wrong_lead_is_refused_by_field(bench: Bench, said: dict[str, Any], path: str) -> None:
    body = {"name": "Ada", "phone_number": ADA, "list_id": LIST, **said}
    reply = bench.http.post(
        "/v1/leads", json={name: value for name, value in body.items() if value is not None}
    )
    assert (paths(reply), slug(reply)) == ([path], "validation_error")
    assert bench.get("/v1/leads")["items"] == []


@covers("3.6 lead")
@pytest.mark.parametrize("status", ["New", "Contacted", "Converted", "Unsubscribed"])
def test_a_lead_may_have_each_status_and_is_converted_at_a_time(bench: Bench, status: str) -> None:
    lead = made(bench, status=status)
    assert lead["status"] == status
    assert lead["converted_at"] == (lead["created_at"] if status == "Converted" else None)
    other = made(bench, "+14155560019")
    bench.step(60)
    changed = change(bench, other["id"], status=status).json()
    now = bench.get("/sandbox/clock")["now"]
    assert (changed["status"], changed["updated_at"]) == (status, now)
    assert changed["converted_at"] == (now if status == "Converted" else None)


@covers("3.6 lead filters", "A134")
def test_filters_narrow_the_list_together(bench: Bench) -> None:
    made(bench, "+14155560001", tags=["north", "vip"])
    made(bench, "+14155560002", tags=["north"], status="Contacted")
    made(bench, "+14155560003", OTHER, tags=["vip"], status="Contacted")
    made(bench, "+14155560001", OTHER)
    one, two, three = "+14155560001", "+14155560002", "+14155560003"
    assert numbers(bench) == [three, two, one]
    assert numbers(bench, "phone=%2B14155560002") == [two]
    assert numbers(bench, "phone=%2B14155560009") == []
    assert numbers(bench, f"list_id={LIST}") == [two, one]
    assert numbers(bench, f"list_id={OTHER}") == [three, one]
    assert numbers(bench, f"list_id={NOWHERE}") == []
    assert numbers(bench, "status=Contacted") == [three, two]
    assert numbers(bench, "tag=vip") == [three, one]
    assert numbers(bench, "tag=vi") == []
    assert numbers(bench, f"tag=vip&status=Contacted&list_id={OTHER}") == [three]
    assert numbers(bench, f"tag=north&status=Contacted&list_id={OTHER}") == []
    for bad in (
        "phone=555",
        "status=contacted",
        "limit=0",
        "limit=201",
        "cursor=yesterday",
        "list_id=x",
        "tag=",
    ):
        assert paths(bench.http.get(f"/v1/leads?{bad}")) == [bad.partition("=")[0]]


@covers("1.5 leads", "A21", "A22")
def test_pages_of_leads_say_whether_there_are_more(bench: Bench) -> None:
    placed = [made(bench, f"+1415556{number}", created_at="ignored")["id"] for number in range(1000, 1005)]
    times = {one["created_at"] for one in bench.get("/v1/leads")["items"]}
    assert len(times) == 5
    found: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = bench.http.get("/v1/leads", params=query).json()
        assert page.keys() == {"items", "has_more", "next_cursor"}
        assert page["has_more"] is (page["next_cursor"] is not None)
        found += [one["id"] for one in page["items"]]
        if not page["has_more"]:
            break
        query["cursor"] = page["next_cursor"]
    assert found == placed[::-1]
    exact = bench.get("/v1/leads?limit=5")
    assert (len(exact["items"]), exact["has_more"], exact["next_cursor"]) == (5, False, None)
    bring_in(bench, [{"name": "Many", "phone_number": f"+1415557{number}"} for number in range(1000, 1060)])
    assert len(bench.get("/v1/leads")["items"]) == 50


@covers("3.6 update lead", "A132", "A133")
def test_only_what_is_given_changes(bench: Bench) -> None:
    lead = made(bench, notes="First.", tags=["north"], metadata={"city": "Boston"})
    lead.pop("existed")
    bench.step(60)
    for said in (
        {"name": "Ada Brook"}, {"phone_number": "+14155560077"}, {"email": "ada@example.com"}, {"tags": []},
        {"status": "Contacted"}, {"notes": "Second."}, {"metadata": {"city": "Rome"}},
    ):  # fmt: skip
        bench.step(1)
        reply = change(bench, lead["id"], **said)
        lead |= {**said, "updated_at": bench.get("/sandbox/clock")["now"]}
        assert (reply.status_code, reply.json()) == (200, lead)
    assert bench.get(f"/v1/leads/{lead['id']}") == lead


@covers("3.6 update lead")
def test_notes_are_replaced_or_added_to_and_never_both(bench: Bench) -> None:
    lead_id = made(bench)["id"]
    assert change(bench, lead_id, notes_append="One.").json()["notes"] == "One."
    assert change(bench, lead_id, notes_append="Two.").json()["notes"] == "One.\nTwo."
    assert change(bench, lead_id, notes="Three.").json()["notes"] == "Three."
    refused = change(bench, lead_id, notes="Four.", notes_append="Five.")
    assert paths(refused) == ["notes"]
    assert "notes_append" in refused.text
    assert bench.get(f"/v1/leads/{lead_id}")["notes"] == "Three."
    nothing = change(bench, lead_id)
    assert (nothing.status_code, slug(nothing)) == (400, "validation_error")
    assert change(bench, lead_id, colour="red").status_code == 400


@covers("3.6 update lead")
def test_a_number_is_one_leads_alone(bench: Bench) -> None:
    made(bench)
    other = made(bench, "+14155560019")
    refused = change(bench, other["id"], phone_number=ADA)
    assert (slug(refused), paths(refused)) == ("duplicate", ["phone_number"])
    assert change(bench, other["id"], phone_number="+14155560019").status_code == 200
    assert change(bench, NOWHERE, name="Nobody").status_code == 404
    with bench.client(bench.sandbox.add_account(plans=())) as stranger:
        assert stranger.get(f"/v1/leads/{other['id']}").status_code == 404
        assert stranger.patch(f"/v1/leads/{other['id']}", json={"name": "x"}).status_code == 404
        assert stranger.delete(f"/v1/leads/{other['id']}").status_code == 404


@covers("3.6 delete lead", "A34")
def test_a_lead_leaves_one_list_or_goes_altogether(bench: Bench) -> None:
    lead = made(bench)
    made(bench, list_id=OTHER)
    path = f"/v1/leads/{lead['id']}"
    assert bench.http.delete(f"{path}?list_id={NOWHERE}").status_code == 404
    gone = bench.http.delete(f"{path}?list_id={LIST}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert bench.get(path)["list_ids"] == [OTHER]
    assert numbers(bench, f"list_id={LIST}") == []
    assert bench.http.delete(f"{path}?list_id={LIST}").status_code == 404
    assert bench.http.delete(f"{path}?list_id={OTHER}").status_code == 204  # it was the last
    assert bench.http.get(path).status_code == 404
    assert bench.http.delete(path).status_code == 404
    anew = create(bench)
    assert (anew.status_code, anew.json()["id"] != lead["id"]) == (201, True)
    made(bench, list_id=OTHER)
    assert bench.http.delete(f"/v1/leads/{anew.json()['id']}").status_code == 204
    assert bench.get("/v1/leads")["items"] == []


@covers("3.6 import")
def test_an_import_merges_what_is_known(bench: Bench) -> None:
    known = made(bench, notes="Old.", tags=["old"])
    bench.step(60)
    told = bring_in(bench, [
        {"name": "Ada Brook", "phone_number": ADA, "tags": ["new"]},
        {"name": "Ben Cole", "phone_number": "+14155560001"},
        {"name": "Ben Diaz", "phone_number": "+14155560001", "notes": "Twice."},
    ])  # fmt: skip
    assert told.keys() == {"success", "inserted", "updated", "duplicates", "total_processed", "duration_ms"}
    assert {**told, "duration_ms": 0} == {
        "success": True, "inserted": 1, "updated": 1, "duplicates": 2, "total_processed": 3, "duration_ms": 0
    }  # fmt: skip
    after = bench.get(f"/v1/leads/{known['id']}")
    assert (after["name"], after["tags"], after["notes"]) == ("Ada Brook", ["new"], "Old.")
    assert after["updated_at"] > known["updated_at"]
    ben = bench.get("/v1/leads?phone=%2B14155560001")["items"][0]
    assert (ben["name"], ben["notes"], ben["list_ids"]) == ("Ben Diaz", "Twice.", [LIST])


@covers("3.6 import")
def test_an_import_may_skip_what_is_known_and_lists_it_all_the_same(bench: Bench) -> None:
    known = made(bench, list_id=OTHER)
    bench.step(60)
    leads = [
        {"name": "Ada Brook", "phone_number": ADA},
        {"name": "Ben Cole", "phone_number": "+14155560001"},
        {"name": "Ben Diaz", "phone_number": "+14155560001"},
    ]
    told = bring_in(bench, leads, mode="skip")
    assert (told["inserted"], told["updated"], told["duplicates"], told["total_processed"]) == (1, 0, 2, 3)
    after = bench.get(f"/v1/leads/{known['id']}")
    assert (after["name"], after["updated_at"]) == (known["name"], known["updated_at"])
    assert sorted(after["list_ids"]) == sorted([LIST, OTHER])
    assert bench.get("/v1/leads?phone=%2B14155560001")["items"][0]["name"] == "Ben Cole"


@covers("3.6 import")
def test_an_import_takes_2000_and_is_done_whole_or_not_at_all(bench: Bench) -> None:
    many = [{"name": "Many", "phone_number": f"+1415{number}"} for number in range(5_560_000, 5_562_001)]

    def refused(**body: Any) -> list[str]:
        return paths(bench.http.post("/v1/leads/bulk", json={"list_id": LIST, **body}))

    assert refused(leads=many) == ["leads"]
    assert refused(leads=[]) == ["leads"]
    assert refused() == ["leads"]
    assert refused(leads=many[:2], mode="replace") == ["mode"]
    assert refused(leads=[many[0], {"name": "Bad", "phone_number": "555"}]) == ["leads.1.phone_number"]
    assert bench.get("/v1/leads")["items"] == []
    told = bring_in(bench, many[:2000])
    assert (told["inserted"], told["total_processed"]) == (2000, 2000)
    again = bring_in(bench, many[:2000], mode="skip")
    assert (again["inserted"], again["duplicates"]) == (0, 2000)


@covers("1.4 where not")
def test_leads_do_not_read_an_idempotency_key(bench: Bench) -> None:
    header = {"Idempotency-Key": "the-same-for-all"}
    body = {"name": "Ada", "phone_number": ADA, "list_id": LIST}
    first = bench.http.post("/v1/leads", json=body, headers=header)
    again = bench.http.post("/v1/leads", json=body, headers=header)
    assert (first.status_code, again.status_code, "Idempotent-Replayed" in again.headers) == (201, 200, False)
    assert bench.http.post("/v1/leads", json=body, headers={"Idempotency-Key": "bad"}).status_code == 200
    path = f"/v1/leads/{first.json()['id']}"
    assert bench.http.patch(path, json={"name": "A"}, headers={"Idempotency-Key": "bad"}).status_code == 200
    assert bench.http.delete(path, headers={"Idempotency-Key": "bad"}).status_code == 204


@covers("3.2.3 start")
def test_a_campaign_dials_the_leads_of_its_list_in_their_order(bench: Bench) -> None:
    plan = {
        "name": "Fair", "task": "Tell {{name}} of the fair in {{city}}.", "opens": "00:00", "closes": "00:00",
        "contacts": [{"name": "First", "phone_number": "+14155560018"}], "max_parallel_calls": 1, "max_duration": 1,
    }  # fmt: skip
    campaign_id = bench.http.post("/sandbox/campaigns", json=plan).json()["id"]
    list_id = bench.get("/v1/leads")["items"][0]["list_ids"][0]
    made(bench, "+14155570018", list_id, name="Second", metadata={"city": "Rome"})
    leads = [
        {"name": "Third", "phone_number": "+14155580018"},
        {"name": "Fourth", "phone_number": "+14155590018"},
    ]
    bring_in(bench, leads, list_id=list_id)
    made(bench, "+14155500018", OTHER, name="On another list")
    made(bench, "+14155510018", OTHER, name="Sixth")
    last = [{"name": "Fifth", "phone_number": "+14155520018"}, {"name": "Sixth", "phone_number": "+14155510018"},
            {"name": "Seventh", "phone_number": "+14155530018"}]  # fmt: skip
    bring_in(bench, last, list_id=list_id)
    bench.http.delete(f"/v1/leads/{bench.get('/v1/leads?phone=%2B14155580018')['items'][0]['id']}")
    assert bench.get(f"/v1/campaigns/{campaign_id}")["stats"]["total_contacts"] == 6
    assert bench.http.post(f"/v1/campaigns/{campaign_id}/start").status_code == 200
    bench.step(3600)
    calls = bench.get(f"/v1/calls?campaign_id={campaign_id}")["data"][::-1]
    assert [call["phone_number"] for call in calls] == [
        "+14155560018", "+14155570018", "+14155590018", "+14155520018", "+14155510018", "+14155530018"
    ]  # fmt: skip
    assert bench.call(calls[1]["id"])["metadata"]["request_data"] == {"name": "Second", "city": "Rome"}
    statuses = {one["name"]: one["status"] for one in bench.get("/v1/leads")["items"]}
    assert statuses.pop("On another list") == "New"
    assert set(statuses.values()) <= {"Contacted", "Converted"}
