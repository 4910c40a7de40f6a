"""What a call of the sandbox may be asked with, field by field, and what it costs."""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from typing import Any

import pytest

from .contract import covers
from .test_sandbox import HUMAN, TASK, Bench, bench, calm
from .test_sandbox_rules import CALL, paths, slug

__all__ = ["bench", "calm"]
REALTIME = ["alloy", "echo", "shimmer", "ash", "ballad", "coral", "sage", "verse"]
LEGACY = ["rachel", "domi", "bella", "antoni", "elli", "josh", "arnold", "sam", "adam", "nicole", "matilda"]
STUCK, ENDLESS = "+14155550009", "+14155550008"
TIME = re.compile(r"20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d\.\d{3}Z")


def asked(bench: Bench, **more: Any) -> dict[str, Any]:
    """The configuration of a call that was taken."""
    found: dict[str, Any] = bench.call(bench.place(STUCK, **more))["metadata"]
    return found


def wrong(bench: Bench, **more: Any) -> list[str]:
    """Paths of what is wrong with a call that was not taken."""
    body = {name: value for name, value in {**CALL, **more}.items() if value is not None}
    found = paths(bench.http.post("/v1/calls", json=body))
    assert bench.get("/v1/calls")["data"] == []
    assert bench.get("/v1/balance")["reserved"] == 0
    return found


@covers("3.1.1 reply", "A56", "1.1 ids", "A38", "1.7 201")
def test_the_reply_names_the_call_as_reads_do(bench: Bench) -> None:
    reply = bench.http.post("/v1/calls", json=CALL)
    assert reply.status_code == 201
    placed = reply.json()
    assert placed.keys() == {"call_id", "provider_call_id", "status"}
    call = bench.call(placed["call_id"])
    assert (call["id"], call["external_call_id"], placed["status"]) == (
        placed["call_id"], placed["provider_call_id"], "queued",
    )  # fmt: skip
    for name in ("id", "account_id", "external_call_id"):
        assert str(uuid.UUID(call[name])) == call[name]


@covers("3.1.1 at once", "A46")
def test_a_call_is_dialled_at_once_whatever_time_is_asked_for(bench: Bench) -> None:
    call_id = bench.place(scheduled_at="2099-01-01T00:00:00Z", start_time="2099-01-01T00:00:00Z")
    bench.step(3)
    assert [ring["call_id"] for ring in bench.get("/sandbox/rings")["data"]] == [call_id]


@covers("1.1 times", "A3", "A22", "A64")
def test_times_are_utc_with_milliseconds_and_no_two_calls_share_one(bench: Bench) -> None:
    ids = [bench.place(STUCK) for _ in range(5)]
    rows = bench.get("/v1/calls")["data"]
    assert [row["id"] for row in rows] == ids[::-1]
    times = [row["created_at"] for row in rows]
    assert sorted(times, reverse=True) == times
    assert len(set(times)) == 5
    call = bench.call(bench.place())
    assert [call[name] for name in ("started_at", "end_at")] == [None, None]
    bench.step(600)
    after = bench.call(call["id"])
    for name in ("created_at", "started_at", "end_at"):
        assert TIME.fullmatch(after[name])
    assert all(TIME.fullmatch(turn["created_at"]) for turn in after["transcript"])
    assert call["created_at"] < after["started_at"] < after["end_at"]


@covers("3.1.1 phone_number", "A131", "1.7 number")
@pytest.mark.parametrize(
    "number",
    ["+999123456789", "+2101234567", "+0123456789", "4155551234", "+1415555123", "+1415555123456789", "+1-415-555-1234", "+1415555123x", "", 14155551234],
)  # fmt: skip
def test_a_number_that_cannot_be_dialled_is_refused_in_the_documented_words(
    bench: Bench, number: Any
) -> None:
    assert wrong(bench, phone_number=number) == ["phone_number"]
    problem = bench.http.post("/v1/calls", json={**CALL, "phone_number": number}).json()
    assert (problem["title"], problem["detail"]) == (
        "Invalid request body", "Phone number must be in E.164 format",
    )  # fmt: skip


@covers("3.1.1 phone_number")
@pytest.mark.parametrize(
    "number", ["+14155551234", "+4930123456", "+442071838750", "+5511912345678", "+918041234567"]
)
def test_numbers_of_all_countries_are_dialled(bench: Bench, number: str) -> None:
    assert bench.call(bench.place(number))["phone_number"] == number


@covers("3.1.1 brief", "A55", "A57")
def test_of_task_and_instructions_exactly_one_of_ten_characters(bench: Bench) -> None:
    assert wrong(bench, task=None) == ["task"]
    assert wrong(bench, instructions="x" * 10) == ["task"]
    assert wrong(bench, task="x" * 9) == ["task"]
    assert wrong(bench, task=None, instructions="x" * 9) == ["instructions"]
    assert "instructions" not in asked(bench, task="x" * 10)
    body = {"phone_number": STUCK, "instructions": "x" * 10}
    kept = bench.call(bench.http.post("/v1/calls", json=body).json()["call_id"])["metadata"]
    assert (kept["instructions"], "task" in kept) == ("x" * 10, False)


@covers("3.1.1 from_number", "A58")
def test_the_caller_id_is_an_active_number_of_the_account(bench: Bench) -> None:
    assert wrong(bench, from_number="+14155550199") == ["from_number"]
    assert wrong(bench, from_number="555") == ["from_number"]
    assert asked(bench)["from_number"] == "+18005551234"
    assert asked(bench, from_number="+14155550100")["from_number"] == "+14155550100"
    assert bench.get("/v1/calls")["data"][0]["from_phone_number"] == "+14155550100"


@covers("3.1.1 first_sentence", "A47")
def test_the_agent_opens_with_the_given_sentence_or_freely(bench: Bench) -> None:
    assert wrong(bench, first_sentence="") == ["first_sentence"]
    given, free = (bench.place(**more) for more in ({"first_sentence": "Hi, this is Rachel."}, {}))
    bench.step(600)
    assert bench.call(given)["transcript"][0]["text"] == "Hi, this is Rachel."
    first = bench.call(free)["transcript"][0]
    assert (first["user"], first["text"].strip() != "") == ("assistant", True)


@covers("3.1.1 mode", "3.1.1 voice", "A59")
def test_each_voice_goes_with_its_mode(bench: Bench) -> None:
    for mode, ours, theirs in (("realtime", REALTIME, LEGACY), ("legacy", LEGACY, REALTIME)):
        for voice in theirs:
            assert wrong_voice(bench, mode, voice) == ["voice"]
        for voice in ours:
            kept = asked(bench, mode=mode, voice=voice, max_duration=1)
            assert (kept["mode"], kept["voice"]) == (mode, voice)
    assert asked(bench, mode="legacy", voice="21m00Tcm4TlvDq8ikWAM")["voice"] == "21m00Tcm4TlvDq8ikWAM"
    assert wrong_voice(bench, "realtime", "21m00Tcm4TlvDq8ikWAM") == ["voice"]
    assert asked(bench)["mode"] == "realtime"
    assert asked(bench)["voice"] == "alloy"
    assert asked(bench, mode="legacy")["voice"] in LEGACY


def wrong_voice(bench: Bench, mode: str, voice: str) -> list[str]:
    return paths(bench.http.post("/v1/calls", json={**CALL, "mode": mode, "voice": voice}))


@covers("3.1.1 model", "3.1.1 mode", "A59")
def test_a_model_is_one_of_the_list_and_of_the_mode(bench: Bench) -> None:
    assert wrong(bench, mode="fast") == ["mode"]
    assert wrong(bench, model="gpt-2") == ["model"]
    models = bench.get("/v1/models")["data"]
    for model in models:
        for mode in ("realtime", "legacy"):
            reply = bench.http.post("/v1/calls", json={**CALL, "model": model["id"], "mode": mode})
            assert reply.status_code == (201 if mode == model["mode"] else 400)
    for mode in ("realtime", "legacy"):
        chosen = next(one["id"] for one in models if one["is_default"] and one["mode"] == mode)
        assert asked(bench, mode=mode)["model"] == chosen


@covers("3.1.1 temperature", "3.1.1 max_duration", "3.1.1 background", "A48", "A49", "A50")
@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("temperature", [0, 0.7, 2], [-0.1, 2.1, "warm", True]),
        ("max_duration", [1, 2.5, 60], [0.9, 60.1, 0, "ten", True]),
        ("background_audio", ["none", "office", "cafe", "street"], ["jungle", "", 1]),
        ("background_audio_gain", ["low", "medium", "high"], ["loud", "", 1]),
    ],
)
def test_a_field_takes_what_is_documented_and_nothing_else(
    bench: Bench, field: str, good: list[Any], bad: list[Any]
) -> None:
    for value in bad:
        assert wrong(bench, **{field: value}) == [field], value
    for value in good:
        assert asked(bench, **{field: value})[field] == value


@covers("A49", "A50", "3.1.1 background", "A60")
def test_what_is_not_given_is_filled_in(bench: Bench) -> None:
    kept = asked(bench)
    assert (kept["max_duration"], kept["background_audio"], kept["background_audio_gain"]) == (
        10,
        "none",
        "medium",
    )
    assert (kept["knowledge_base_ids"], kept["request_data"], kept["tools"]) == ([], {}, [])
    assert "temperature" not in kept
    assert bench.get("/v1/balance")["reserved"] == 10


@covers("3.1.1 knowledge_base_ids")
def test_knowledge_bases_may_be_named(bench: Bench) -> None:
    assert asked(bench, knowledge_base_ids=["kb_xyz789"])["knowledge_base_ids"] == ["kb_xyz789"]
    assert wrong_field(bench, knowledge_base_ids="kb_xyz789") == ["knowledge_base_ids"]
    assert wrong_field(bench, knowledge_base_ids=[7]) == ["knowledge_base_ids.0"]


def wrong_field(bench: Bench, **more: Any) -> list[str]:
    return paths(bench.http.post("/v1/calls", json={**CALL, **more}))


@covers("3.1.1 webhook", "A52", "A53")
def test_webhooks_go_to_https_or_this_machine(bench: Bench) -> None:
    for url in ("http://example.com/", "ftp://example.com/", "example.com", "", "http://10.0.0.7/"):
        assert wrong(bench, webhook_url=url) == ["webhook_url"], url
    assert wrong(bench, webhook_events=["call.invented"]) == ["webhook_events.0"]
    assert wrong(bench, webhook_events=["campaign.started"]) == ["webhook_events.0"]
    for url in ("https://your-app.com/x", "http://127.0.0.1:9/x", "http://localhost:9/x", "http://[::1]:9/x"):
        assert asked(bench, webhook_url=url)["webhook_url"] == url
    assert asked(bench)["webhook_events"] == ["call.completed", "call.failed"]
    events = ["call.queued", "call.started", "call.completed", "call.failed", "call.transferred"]
    assert asked(bench, webhook_events=events)["webhook_events"] == events


@covers("3.1.1 tools", "A54", "A63")
def test_functions_are_kept_without_their_secrets(bench: Bench) -> None:
    tool = {"name": "find_slot", "description": "Finds a slot.", "parameters": {"type": "object"}}
    kept = asked(bench, tools=[{**tool, "secret": "hunter2", "headers": {"Authorization": "hunter2"}}])
    assert kept["tools"] == [tool]
    stored = b"".join(file.read_bytes() for file in bench.sandbox.path.parent.iterdir())
    assert b"hunter2" not in stored
    for name, value in (("name", "with space"), ("description", ""), ("parameters", "none")):
        assert wrong_field(bench, tools=[{**tool, name: value}]) == [f"tools.0.{name}"]


@covers("3.1.1 request_data", "3.1.3 metadata", "A62")
def test_the_callers_own_data_is_kept_as_it_came(bench: Bench) -> None:
    facts = {
        "patient_name": "Zoë",
        "visits": [1, 2.5, None, {"a": True}],
        "": "",
        "{{x}}": "{{patient_name}}",
    }
    kept = asked(bench, request_data=facts)
    assert kept["request_data"] == facts
    assert "phone_number" not in kept
    assert wrong_field(bench, request_data=[1]) == ["request_data"]


@covers("6.1 billed", "1.1 minutes", "A125", "6.1 held")
@pytest.mark.parametrize("number", [HUMAN, "+14155550005", "+14155550013", "+4930123450018"])
def test_what_is_billed_is_the_length_in_hundredths_of_a_minute(bench: Bench, number: str) -> None:
    call_id = bench.place(number)
    bench.step(900)
    call = bench.call(call_id)
    length = datetime.fromisoformat(call["end_at"]) - datetime.fromisoformat(call["started_at"])
    assert abs(call["duration"] - length.total_seconds() / 60) <= 0.005
    assert call["duration"] == round(call["duration"], 2)
    listed = bench.get("/v1/calls")["data"][0]
    balance = bench.get("/v1/balance")
    assert listed["actual_duration_billed"] == call["duration"] == balance["welcome_bonus_used"]
    assert balance["reserved"] == 0


@covers("A128", "A126", "6.2 total")
def test_no_call_is_cut_for_want_of_minutes_and_nothing_falls_below_zero(bench: Bench) -> None:
    poor = Bench(bench.sandbox, bench.url, bench.hand, bench.sandbox.add_account(10, 5, plans=()))
    with poor.http:
        call_id = poor.place(ENDLESS, max_duration=15)
        poor.step(3600)
        assert poor.call(call_id)["status"] == "in_progress"
        poor.http.post(f"/v1/calls/{call_id}/stop")
        assert poor.call(call_id)["duration"] > 59
        after = poor.get("/v1/balance")
        assert (after["remaining"], after["reserved"], after["welcome_bonus_remaining"]) == (0, 0, 0)
        assert (after["allocated"], after["total"], after["welcome_bonus_used"]) == (10, 10, 5)
        assert slug(poor.http.post("/v1/calls", json={**CALL, "max_duration": 1})) == "insufficient_quota"


@covers("6.1 unit", "3.5 minutes", "3.5 balance")
def test_the_balance_speaks_of_minutes_alone(bench: Bench) -> None:
    balance = bench.get("/v1/balance")
    assert balance.pop("type") == "call_minutes"
    assert balance.keys() == {
        "remaining", "allocated", "total", "used", "reserved", "welcome_bonus_used", "welcome_bonus_remaining"
    }  # fmt: skip
    assert all(isinstance(value, int | float) for value in balance.values())
    assert balance["welcome_bonus_remaining"] == 500


@covers("3.1.3 transcript", "3.1.3 words", "A65")
def test_a_transcript_is_numbered_turns_of_two_speakers_in_order(bench: Bench) -> None:
    call_id = bench.place(task=TASK)
    seen: list[Any] = []
    for _ in range(60):
        bench.step(5)
        call = bench.call(call_id)
        assert (call["status"] == "in_progress") is (call["call_status"] == "in-progress")
        assert call["transcript"][: len(seen)] == seen
        seen = call["transcript"]
    assert [turn["id"] for turn in seen] == list(range(1, len(seen) + 1))
    assert all(turn.keys() == {"id", "user", "text", "created_at"} for turn in seen)
    assert {turn["user"] for turn in seen} == {"assistant", "user"}
    assert [turn["created_at"] for turn in seen] == sorted(turn["created_at"] for turn in seen)


@covers("3.1.2 status", "A61")
def test_the_status_filter_is_about_how_the_telephone_ended(bench: Bench) -> None:
    endings = {
        "busy": "0001",
        "no-answer": "0002",
        "rejected": "0003",
        "failed": "0004",
        "dispatch_timeout": "0007",
    }
    ids = {outcome: bench.place(f"+1415555{ending}") for outcome, ending in endings.items()}
    ids["completed"] = bench.place()
    for outcome in ("completed", "busy"):
        assert bench.get(f"/v1/calls?status={outcome}")["data"] == []  # it has not happened yet
    bench.step(600)
    for outcome in ("completed", "no-answer", "failed", "busy", "dispatch_timeout"):
        found = bench.get(f"/v1/calls?status={outcome}")["data"]
        assert [(row["id"], row["call_status"]) for row in found] == [(ids[outcome], outcome)]
    for status in ("queued", "in_progress", "in-progress", "cancelled", "rejected", "Completed", ""):
        assert paths(bench.http.get(f"/v1/calls?status={status}")) == ["status"]


@covers("4.1 technical failure", "A101")
def test_a_line_that_breaks_down_fails_the_call_and_bills_what_was_spoken(bench: Bench) -> None:
    call_id = bench.place(max_duration=10, webhook_url="http://127.0.0.1:9/calls")
    assert bench.http.post(f"/sandbox/calls/{call_id}/fail", json={}).status_code == 400
    bench.step(30)
    before = bench.call(call_id)
    assert bench.http.post(f"/sandbox/calls/{call_id}/fail", json={}).status_code == 204
    call = bench.call(call_id)
    assert (call["status"], call["call_status"], call["error_message"]) == (
        "failed",
        "failed",
        "The line broke down",
    )
    assert call["transcript"] == before["transcript"]
    assert 0 < call["duration"] < 1
    balance = bench.get("/v1/balance")
    assert (balance["reserved"], balance["welcome_bonus_used"]) == (0, call["duration"])
    bench.step(600)
    assert [one["event"] for one in bench.get("/sandbox/deliveries")["data"]] == ["call.failed"]
    assert bench.get("/v1/balance") == balance
    assert bench.http.post(f"/sandbox/calls/{call_id}/fail", json={}).status_code == 400


def test_a_claimed_number_rings_here_and_is_answered_in_ones_own_words(bench: Bench) -> None:
    number = "+14155550150"
    unclaimed = bench.place(number)
    assert bench.http.post(f"/sandbox/calls/{unclaimed}/pick_up", json={}).status_code == 400
    assert bench.http.post("/sandbox/claims", json={"number": "12"}).status_code == 400
    assert bench.http.post("/sandbox/claims", json={"number": number}).status_code == 201
    call_id = bench.place(number, task="Ask whether they deliver.")
    url = f"/sandbox/calls/{call_id}"
    assert bench.http.post(f"{url}/pick_up", json={}).status_code == 400  # it has not rung yet
    bench.step(3)
    assert bench.http.post(f"{url}/say", json={"words": "Hello"}).status_code == 400
    assert bench.http.post(f"{url}/pick_up", json={}).status_code == 204
    bench.step(10)
    for words in ("Mill Bakery, good morning.", "We deliver on Tuesdays."):
        assert bench.http.post(f"{url}/say", json={"words": words}).status_code == 204
        bench.step(15)
    for wrong in ("", "   ", "x" * 1001):
        assert bench.http.post(f"{url}/say", json={"words": wrong}).status_code == 400
    call = bench.call(call_id)
    theirs = [turn["text"] for turn in call["transcript"] if turn["user"] == "user"]
    assert theirs == ["Mill Bakery, good morning.", "We deliver on Tuesdays."]
    bench.step(60)
    done = bench.call(call_id)
    assert (done["status"], done["completed"]) == ("completed", True)
    assert "We deliver on Tuesdays." in done["call_summary"]
    assert bench.http.delete(f"/sandbox/claims/{number.replace('+', '%2B')}").status_code == 204
    assert bench.get("/sandbox/overview")["claims"] == []


@pytest.mark.parametrize("deed", ["hang_up", "decline"])
def test_hanging_up_here_ends_the_call_and_frees_what_it_held(bench: Bench, deed: str) -> None:
    bench.http.post("/sandbox/claims", json={"number": HUMAN})
    call_id = bench.place(max_duration=20)
    bench.step(3)
    if deed == "hang_up":
        bench.http.post(f"/sandbox/calls/{call_id}/pick_up", json={})
        bench.step(30)
    assert bench.get("/v1/balance")["reserved"] == 20
    assert bench.http.post(f"/sandbox/calls/{call_id}/{deed}", json={}).status_code == 204
    call = bench.call(call_id)
    assert call["call_status"] == {"hang_up": "completed", "decline": "rejected"}[deed]
    balance = bench.get("/v1/balance")
    assert (balance["reserved"], balance["welcome_bonus_used"]) == (0, call["duration"])
    bench.step(3600)
    assert bench.get("/v1/balance") == balance
