"""What is sent, repeated, believed and asked: one table a question, on both drivers."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from topcalls_tools import (
    AddCarrier,
    AddPhoneNumber,
    AsyncClient,
    CancelCall,
    Client,
    DeletePhoneNumber,
    GetBalance,
    GetCall,
    ListCalls,
    PauseCampaign,
    PlaceCall,
    StartCampaign,
    StopCall,
)
from topcalls_tools.connect import Line
from topcalls_tools.errors import (
    Broken,
    Declined,
    Invalid,
    NotFound,
    Offline,
    PaymentRequired,
    Refused,
    TooMany,
    TopCallsError,
    Unauthorized,
    Unreachable,
)
from topcalls_tools.flow import perform
from topcalls_tools.flow.steps import Answer, Ask, Pending, Send, Sleep

from .conftest import CALL, SENT_TASK, World
from .owner import owner

LOST, DOWN = httpx.ReadTimeout("lost"), httpx.ConnectError("down")
PLACE = PlaceCall(**CALL)
HELD = {"id": "n", "number": "+14155550199", "status": "active"}


class Script:
    """A transport that plays steps: a status, a status with a body or what makes one, or an error; keeps
    every request."""

    def __init__(self, *steps: Any) -> None:
        self.steps, self.requests = list(steps), []

    def play(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/balance":  # what every call's question shows
            return httpx.Response(200, json={"remaining": 500, "reserved": 0})
        if request.method == "GET" and request.url.path == "/v1/phone-numbers":
            return httpx.Response(200, json={"data": [HELD]})
        if request.method == "GET" and request.url.path == "/v1/campaigns":
            return httpx.Response(200, json={"data": []})
        if not self.steps and request.url.path.startswith(
            "/v1/calls/"
        ):  # an earlier call, looked at by the way
            return httpx.Response(404, json={"status": 404})
        self.requests.append(request)
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        if isinstance(step, httpx.Response):
            return step
        status, body = step if isinstance(step, tuple) else (step, None)
        if callable(body):
            body = body()
        if body is None:
            body = (
                {"call_id": "c1", "status": "queued"} if status < 300 else {"title": "no", "status": status}
            )
        return httpx.Response(status, json=body)

    @property
    def keys(self) -> set[str | None]:
        return {request.headers.get("idempotency-key") for request in self.requests}


DRIVERS = ["sync", "async"]


def sent(driver: str, line: Line, script: Script, request: Any, *answer: Any, approve: Any = None) -> Any:
    """Send a request with a driver whose sleeps take no time. Gives the reply; errors come through."""
    if driver == "sync":
        client = Client(line=line, approve=approve, transport=httpx.MockTransport(script.play))
        inner = client._step
        client._step = lambda step, ask: None if isinstance(step, Sleep) else inner(step, ask)  # type: ignore[method-assign]
        return client.send(request, *answer)
    twin = AsyncClient(line=line, approve=approve, transport=httpx.MockTransport(script.play))
    inner_async = twin._step

    async def step(one: Any, approve: Any) -> Any:
        return None if isinstance(one, Sleep) else await inner_async(one, approve)

    twin._step = step  # type: ignore[method-assign]
    return asyncio.run(twin.send(request, *answer))


def yes(ask: Ask) -> bool:
    return True


LIST = (200, {"data": []})
NEVER_ANSWERED = [LOST, LIST] * 3 + [LOST]


def could_be(call_id: str) -> dict[str, Any]:
    """A list with a call that may be of a dial which is under way: it is made up to ten minutes later."""
    soon = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    return {"data": [{"id": call_id, "phone_number": CALL["phone_number"], "created_at": soon}]}


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize(
    ("steps", "error", "state"),
    [
        ([201], None, "placed"),
        ([LOST, LIST, 201], None, "placed"),
        ([429, 429, 201], None, "placed"),
        ([DOWN, 201], None, "placed"),
        ([LOST, LIST, DOWN, 201], None, "placed"),
        ([LOST, LIST, LOST, LIST, 201], None, "placed"),
        ([400], Invalid, "failed"),
        ([402], PaymentRequired, "failed"),
        ([401], Unauthorized, "failed"),
        ([429] * 4, TooMany, "failed"),
        ([DOWN] * 4, Offline, "failed"),
        ([LOST, LIST, DOWN, DOWN, DOWN, DOWN], Unreachable, "sending"),
        ([LOST, LIST, 429, 429, 429, 429], Unreachable, "sending"),
        ([LOST, LIST, 401], Unreachable, "sending"),
        ([LOST, LIST, 400], Unreachable, "sending"),
        (NEVER_ANSWERED, Unreachable, "sending"),
        ([LOST, 403], Unreachable, "sending"),
        ([LOST, (200, lambda: could_be("../x"))], Unreachable, "sending"),
        ([500, LIST], Broken, "unknown"),
        ([503, LIST], Broken, "unknown"),
        ([LOST, LIST, 500, LIST], Broken, "unknown"),
        ([(201, {"nothing": 1}), LIST], Broken, "unknown"),
        ([302, LIST], Broken, "unknown"),
    ],
)
def test_doubt_sticks(
    live: Callable[..., Line], driver: str, steps: list[Any], error: Any, state: str
) -> None:
    line, script = live(), Script(*steps)
    if error is None:
        assert sent(driver, line, script, PLACE, approve=yes).call_id == "c1"
    else:
        with pytest.raises(error) as got:
            sent(driver, line, script, PLACE, approve=yes)
        assert type(got.value) is error
        assert got.value.happened is (False if state == "failed" else None)
    assert not script.steps
    posts = [request for request in script.requests if request.method == "POST"]
    assert len({request.headers["idempotency-key"] for request in posts}) == 1
    assert [dial.state for dial in line.desk().journal().dials("live")] == [state]


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_read_is_repeated_and_a_delete_never(live: Callable[..., Line], driver: str) -> None:
    script = Script(LOST, 500, LIST)
    assert sent(driver, live(), script, ListCalls()).data == ()
    assert script.keys == {None}
    number = (200, {"id": "n1", "number": "+14155550123"})
    for step, error in ((LOST, Unreachable), (500, Broken), (429, TooMany), (DOWN, Offline)):
        script = Script(number, number, step)
        with pytest.raises(error):
            sent(driver, live(), script, DeletePhoneNumber(phone_number_id=error.__name__), approve=yes)
        assert not script.steps


@pytest.mark.parametrize("driver", DRIVERS)
def test_retry_after_beyond_the_deadline_is_too_many_at_once(live: Callable[..., Line], driver: str) -> None:
    script = Script(httpx.Response(429, json={"status": 429}, headers={"Retry-After": "120"}))
    with pytest.raises(TooMany) as got:
        sent(driver, live(), script, ListCalls())
    assert got.value.wait_seconds == 120


def test_pauses_follow_retry_after_and_grow_with_jitter(live: Callable[..., Line]) -> None:
    line = live()
    flow = perform(GetBalance(), line.desk())
    slept = []
    step: Any = next(flow)
    for headers in ({}, {"retry-after": "3"}, {}):
        assert isinstance(step, Send)
        from topcalls_tools.wire import Reply

        step = flow.send(Reply(429, b"{}", headers))
        slept.append(step.seconds)
        step = flow.send(None)
    assert 0.75 <= slept[0] <= 1.25
    assert slept[1] == 3
    assert 3 <= slept[2] <= 5
    flow.close()


def test_waits_and_timeouts_are_cut_from_what_is_left(home: Path) -> None:
    ticks = [0.0]
    from topcalls_tools.settings import Settings

    line = Line(
        Settings(api_key="tc_live_canary0123", base_url="https://x.invalid", home=home),
        timer=lambda: ticks[0],
    )
    desk = line.desk()
    flow = perform(GetBalance(), desk)
    ticks[0] = 40.0
    step = next(flow)
    assert isinstance(step, Send)
    assert step.seconds == pytest.approx(5.0)
    ticks[0] = 44.8
    with pytest.raises(Unreachable):
        flow.throw(Unreachable("lost"))


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_lost_call_is_adopted_when_it_can_only_be_ours(live: Callable[..., Line], driver: str) -> None:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.999Z")
    row = {"id": "c9", "phone_number": CALL["phone_number"], "created_at": now}
    foreign = {"id": "c8", "phone_number": "+14155550199", "created_at": now}
    single = {**row, "status": "queued", "metadata": {"task": SENT_TASK}}
    line, script = live(), Script(500, (200, {"data": [foreign, row]}), (200, single))
    assert sent(driver, line, script, PLACE, approve=yes).call_id == "c9"
    assert [dial.state for dial in line.desk().journal().dials("live")] == ["placed"]
    other = PlaceCall(**{**CALL, "phone_number": "+14155550124"})
    two = [{**single, "id": name, "phone_number": other.phone_number} for name in ("c6", "c7")]
    twice = Script(500, (200, {"data": two}), (200, two[0]), (200, two[1]))
    with pytest.raises(Broken):
        sent(driver, line, twice, other, approve=yes)


BRAKES = [
    (StopCall(call_id="c1"), "completed", "in_progress", "stop_call again"),
    (CancelCall(call_id="c1"), "failed", "in_progress", "stop_call hangs it up"),
    (PauseCampaign(campaign_id="k1"), "paused", "scheduled", "dashboard"),
]


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize(
    ("brake", "calm", "busy", "works"), BRAKES, ids=lambda part: getattr(part, "tool", None)
)
def test_a_brake_looks_when_it_is_refused_or_lost(
    live: Callable[..., Line], driver: str, brake: Any, calm: str, busy: str, works: str
) -> None:
    refused = (400, {"type": "https://api.topcalls.ai/errors/invalid_state", "title": "no", "status": 400})
    stopped = sent(driver, live(), Script(refused, (200, {"id": "x", "status": calm})), brake)
    assert (stopped.ok, stopped.status) == (False, calm)
    with pytest.raises(Invalid, match=works):
        sent(driver, live(), Script(refused, (200, {"id": "x", "status": busy})), brake)
    script = Script(LOST, 500, (200, {"ok": True}))
    assert sent(driver, live(), script, brake).ok
    assert len(script.keys) == 1
    lost = sent(driver, live(), Script(LOST, LOST, LOST, LOST, (200, {"id": "x", "status": calm})), brake)
    assert (lost.ok, lost.status) == (True, calm)
    with pytest.raises(Unreachable):
        sent(driver, live(), Script(*[LOST] * 8), brake)
    with pytest.raises(Offline):
        sent(driver, live(), Script(*[DOWN] * 4), brake)


@pytest.mark.parametrize("driver", DRIVERS)
def test_with_a_live_key_nobody_to_ask_means_no(live: Callable[..., Line], driver: str) -> None:
    for request in (PLACE, AddPhoneNumber(number="+14155550177")):
        script = Script()
        with pytest.raises(Declined, match="nobody can be asked"):
            sent(driver, live(), script, request)
        assert script.requests == []


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("answer", [None, 1, "yes", object()], ids=["none", "one", "text", "object"])
def test_only_true_is_a_yes(live: Callable[..., Line], driver: str, answer: Any) -> None:
    script = Script()
    with pytest.raises(Declined, match="Nobody answered"):
        sent(driver, live(), script, PLACE, approve=lambda ask: answer)
    assert script.requests == []


def test_an_asynchronous_approver_may_be_awaited_and_a_blocking_client_says_so(
    live: Callable[..., Line],
) -> None:
    async def agree(ask: Ask) -> bool:
        return True

    assert sent("async", live(), Script(201), PLACE, approve=agree).call_id == "c1"
    with pytest.raises(TopCallsError, match="asynchronous"):
        sent("sync", live(), Script(), PlaceCall(**{**CALL, "phone_number": "+14155550124"}), approve=agree)
    assert inspect.iscoroutinefunction(agree)


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_same_call_again_is_the_same_call_and_a_no_stays_a_no(
    live: Callable[..., Line], driver: str
) -> None:
    line, asked = live(), []

    def approve(ask: Ask) -> bool:
        asked.append(ask)
        return len(asked) == 1

    first = sent(driver, line, Script(201), PLACE, approve=approve)
    again = sent(driver, line, Script(), PLACE, approve=approve)
    assert (first.replayed, again.replayed, again.call_id) == (None, True, first.call_id)
    assert again.first_at
    other = PlaceCall(phone_number="+14155550124", task="Ask whether Tuesday is free.")
    for _ in range(2):
        with pytest.raises(Declined, match="said no"):
            sent(driver, line, Script(), other, approve=approve)
    assert len(asked) == 2


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_refused_dial_may_be_asked_about_anew(live: Callable[..., Line], driver: str) -> None:
    line = live()
    with pytest.raises(PaymentRequired):
        sent(driver, line, Script(402), PLACE, approve=yes)
    assert sent(driver, line, Script(201), PLACE, approve=yes).call_id == "c1"


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_dial_in_doubt_is_looked_for_and_never_sent_again(live: Callable[..., Line], driver: str) -> None:
    line = live()
    with pytest.raises(Broken):
        sent(driver, line, Script(500, LIST), PLACE, approve=yes)
    script = Script(LIST)
    with pytest.raises(Unreachable, match="nobody knows whether it took effect"):
        sent(driver, line, script, PLACE, approve=yes)
    assert [request.method for request in script.requests] == ["GET"]


def moving_line(home: Path) -> tuple[Line, list[datetime]]:
    """A live line to nowhere whose clock stands in a list."""
    from topcalls_tools.settings import Settings

    if not (home / "policy.toml").exists():
        owner(home)
    now = [datetime.now(UTC)]
    settings = Settings(api_key="tc_live_canary0123", base_url="https://x.invalid", home=home)
    return Line(settings, clock=lambda: now[0]), now


def test_a_dial_that_another_process_began_is_taken_over_after_its_lease(home: Path) -> None:
    line, now = moving_line(home)
    with pytest.raises(Unreachable):
        sent("sync", line, Script(*NEVER_ANSWERED), PLACE, approve=yes)
    now[0] += timedelta(seconds=61)
    script = Script(LIST, 201)
    assert sent("sync", line, script, PLACE, approve=yes).call_id == "c1"
    (dial,) = line.desk().journal().dials("live")
    assert script.keys == {None, dial.key}


@pytest.mark.parametrize(
    "steps", [[DOWN] * 4, [429] * 4, [401], [400], NEVER_ANSWERED], ids=["down", "429", "401", "400", "lost"]
)
def test_after_a_take_over_no_refusal_proves_that_no_phone_rang(home: Path, steps: list[Any]) -> None:
    line, now = moving_line(home)
    with pytest.raises(Unreachable):
        sent("sync", line, Script(*NEVER_ANSWERED), PLACE, approve=yes)
    for _ in range(2):
        now[0] += timedelta(seconds=61)
        with pytest.raises(Unreachable, match="nobody knows"):
            sent("sync", line, Script(LIST, *steps), PLACE, approve=yes)
        assert [dial.state for dial in line.desk().journal().dials("live")] == ["sending"]


def test_a_take_over_adopts_the_call_that_the_first_sender_made(home: Path) -> None:
    line, now = moving_line(home)
    with pytest.raises(Unreachable):
        sent("sync", line, Script(*NEVER_ANSWERED), PLACE, approve=yes)
    made = now[0].strftime("%Y-%m-%dT%H:%M:%SZ")  # whole seconds, as documented
    now[0] += timedelta(seconds=61)
    row = {
        "id": "c9",
        "phone_number": CALL["phone_number"],
        "created_at": made,
        "metadata": {"task": SENT_TASK},
    }
    script = Script((200, {"data": [row]}), (200, row))
    assert sent("sync", line, script, PLACE, approve=yes).call_id == "c9"
    assert {request.method for request in script.requests} == {"GET"}


@pytest.mark.parametrize(
    "look",
    [
        403,
        DOWN,
        (
            200,
            {
                "data": [
                    {"id": "../x", "phone_number": CALL["phone_number"], "created_at": "2026-11-23T12:00:00"}
                ]
            },
        ),
    ],
)
def test_a_look_that_fails_leaves_the_doubt_as_it_was(live: Callable[..., Line], look: Any) -> None:
    line = live()
    with pytest.raises(Broken):
        sent("sync", line, Script(500, *[look] * 4), PLACE, approve=yes)
    assert [dial.state for dial in line.desk().journal().dials("live")] == ["unknown"]


def test_a_no_that_comes_after_the_yes_dials_nothing(home: Path) -> None:
    line, now = moving_line(home)
    asked: list[Ask] = []
    with pytest.raises(Unreachable):
        sent(
            "sync", line, Script(*NEVER_ANSWERED), PLACE, approve=lambda ask: bool(asked.append(ask)) or True
        )
    now[0] += timedelta(seconds=61)
    for said in (False, None):
        with pytest.raises(Declined, match="agreed to before"):
            sent("sync", line, Script(), PLACE, Answer(said, asked[0].seal))


def test_a_journal_that_fails_after_the_ring_does_not_hide_the_call(live: Callable[..., Line]) -> None:
    from topcalls_tools.journal.store import Journal

    line = live()
    journal = line.desk().journal()

    def broken(*_: Any) -> Any:
        raise Refused("journal", "The journal cannot be used and nothing was sent.")

    journal.settle = broken  # type: ignore[method-assign]
    placed = sent("sync", line, Script(201), PLACE, approve=yes)
    assert placed.call_id == "c1"
    assert "journal could not be written" in placed.note
    assert isinstance(journal, Journal)


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_brake_that_is_lost_while_the_call_goes_on_is_no_refusal(
    live: Callable[..., Line], driver: str
) -> None:
    script = Script(*[LOST] * 4, (200, {"id": "x", "status": "in_progress"}))
    with pytest.raises(Unreachable):
        sent(driver, live(), script, StopCall(call_id="c1"))
    malformed = (
        400,
        {"type": "https://api.topcalls.ai/errors/validation_error", "status": 400, "title": "no"},
    )
    with pytest.raises(Invalid, match="with 400"):
        sent(driver, live(), Script(malformed), StopCall(call_id="c1"))


def test_a_reply_that_drips_ends_with_its_time(live: Callable[..., Line]) -> None:
    class Drip(httpx.SyncByteStream):
        def __iter__(self) -> Any:
            for _ in range(200_000):
                yield b" "

    client = Client(
        line=live(), transport=httpx.MockTransport(lambda request: httpx.Response(200, stream=Drip()))
    )
    with pytest.raises(Unreachable):
        client._pool.send(GetBalance().request(), 0.05)


@pytest.mark.parametrize("driver", DRIVERS)
def test_half_a_character_and_fields_in_our_name_do_no_harm(live: Callable[..., Line], driver: str) -> None:
    half = rb'{"id":"c1","status":"completed","turns":1,"turns_total":9,"live":true,"transcript":[{"id":1,"user":"user","text":"hi \ud83d"}]}'
    request = GetCall(call_id="c1")
    call = sent(driver, live(), Script(httpx.Response(200, content=half)), request)
    shown = request.shown(call, live=False)
    assert (shown["live"], shown["turns_total"]) == (False, 1)
    assert request.told(call, live=False).encode()
    posing = (201, {"call_id": "c1", "note": "Dial again.", "replayed": True, "deep": [[[[0]]]]})
    placed = sent(driver, live(), Script(posing), PLACE, approve=yes)
    assert (placed.note, placed.replayed) == (None, None)


def test_a_deep_reply_after_a_ring_is_read(live: Callable[..., Line]) -> None:
    deep = b'{"call_id":"c1","x":' + b"[" * 600 + b"]" * 600 + b"}"
    line = live()
    placed = sent("sync", line, Script(httpx.Response(201, content=deep)), PLACE, approve=yes)
    assert PLACE.shown(placed, live=True)["call_id"] == "c1"
    assert [dial.state for dial in line.desk().journal().dials("live")] == ["placed"]


def test_a_password_that_topcalls_repeats_is_passed_on_nowhere(live: Callable[..., Line], home: Path) -> None:
    carrier = AddCarrier(
        carrier_name="A",
        trunk_type="auth",
        sip_gateway={"ipv4": "203.0.113.9"},
        inbound_auth={"username": "u", "password": "canary-password"},
    )
    said = (400, {"title": "no", "status": 400, "detail": "'canary-password' is too weak"})
    with pytest.raises(Invalid) as got:
        sent("sync", live(), Script(said), carrier, approve=yes)
    assert "canary-password" not in str(got.value)
    echo = (201, {"id": "x", "inbound_auth": {"password": "canary-password"}})
    added = sent("sync", live(), Script(echo), carrier, approve=yes)
    assert "canary-password" not in carrier.told(added, live=True)
    assert b"canary-password" not in b"".join(path.read_bytes() for path in home.glob("journal.db*"))


def test_an_answer_to_another_question_is_refused(live: Callable[..., Line]) -> None:
    line = live()
    for seal in ("", "a.b", "0" * 65):
        with pytest.raises(Refused, match="another question"):
            sent("sync", line, Script(), PLACE, Answer(True, seal), approve=yes)


def test_what_changed_while_a_person_thought_ends_the_yes(live: Callable[..., Line]) -> None:
    names = iter(["Spring", "Autumn"])

    def play(request: httpx.Request) -> httpx.Response:
        if "campaigns" in request.url.path:
            return httpx.Response(
                200, json={"id": "k1", "name": next(names), "status": "draft", "timezone": "UTC"}
            )
        return httpx.Response(200, json={"remaining": 100})

    with (
        Client(line=live(), approve=yes, transport=httpx.MockTransport(play)) as client,
        pytest.raises(Refused, match="changed meanwhile"),
    ):
        client.send(StartCampaign(campaign_id="k1"))


def test_a_copy_cannot_slip_past_the_guard(live: Callable[..., Line]) -> None:
    with pytest.raises(Refused, match="never-numbers"):
        sent("sync", live(), Script(), PLACE.model_copy(update={"phone_number": "+19005550123"}), approve=yes)


def test_at_most_three_questions_are_open_and_one_that_nobody_saw_is_not(live: Callable[..., Line]) -> None:
    line = live()

    def travel(ask: Ask) -> bool:
        raise Pending(ask)

    for minutes in (1, 2, 3):
        with pytest.raises(Declined):
            sent("sync", line, Script(), PlaceCall(**CALL, max_duration=minutes))
        with pytest.raises(Declined):
            sent("sync", line, Script(), PlaceCall(**CALL, max_duration=minutes), approve=lambda ask: None)
        with pytest.raises(Pending):
            sent("sync", line, Script(), PlaceCall(**CALL, max_duration=minutes), approve=travel)
    with pytest.raises(Refused, match="3 questions are open"):
        sent("sync", line, Script(), PlaceCall(**CALL, max_duration=4), approve=yes)


def test_a_known_key_under_another_account_name_is_refused(live: Callable[..., Line]) -> None:
    sent("sync", live(account="one"), Script(201), PLACE, approve=yes)
    with pytest.raises(Refused, match="known as the account one"):
        sent("sync", live(account="two"), Script(), PlaceCall(**CALL, max_duration=4), approve=yes)


def test_a_store_that_cannot_be_used_refuses_in_words_and_a_brake_goes_on(
    live: Callable[..., Line], home: Path
) -> None:
    home.mkdir()
    (home / "journal.db").write_bytes(b"this is no database" * 100)
    line = live()
    with pytest.raises(Refused, match=r"journal\.db cannot be used"):
        sent("sync", line, Script(), PLACE, approve=yes)
    assert sent("sync", line, Script((200, {"ok": True})), StopCall(call_id="c1")).ok


@pytest.mark.parametrize("driver", DRIVERS)
def test_no_key_in_any_repr_log_error_or_traceback(
    live: Callable[..., Line], driver: str, caplog: pytest.LogCaptureFixture
) -> None:
    import traceback

    caplog.set_level(logging.DEBUG)
    line = live()
    secret = AddCarrier(
        carrier_name="A",
        trunk_type="auth",
        sip_gateway={"ipv4": "203.0.113.9"},
        inbound_auth={"username": "u", "password": "canary-password"},
    )
    seen = [
        repr(line),
        repr(line.settings),
        repr(line.desk()),
        repr(secret),
        str(secret),
        repr(Client(line=line).__dict__),
    ]
    echo = httpx.Response(404, text="<html>Bearer tc_live_canary0123 is unknown</html>")
    for step in (echo, LOST, DOWN, httpx.Response(200, text="tc_live_canary0123")):
        for request in (GetCall(call_id="c1"), secret):
            with pytest.raises(TopCallsError) as got:
                sent(driver, line, Script(*[step] * 8), request, approve=yes)
            seen += [str(got.value), repr(got.value), "".join(traceback.format_exception(got.value))]
    text = "\n".join([*seen, caplog.text])
    assert "canary0123" not in text
    assert "canary-password" not in text


def test_pages_come_whole_once_and_in_order(world: World, client: Client) -> None:
    placed = [client.send(PlaceCall(**CALL, max_duration=minutes)).call_id for minutes in range(1, 8)]
    pages = list(client.pages(ListCalls(limit=30)))
    assert [len(page.data) for page in pages[:-1]] == [30, *[29] * (len(pages) - 2)]  # one row is read twice
    found = [call.id for page in pages for call in page.data]
    assert found[:7] == placed[::-1]
    assert found[7:] == [call.id for call in client.send(ListCalls(limit=200)).data][7:]
    assert len(set(found)) == len(found) > 100


async def test_pages_come_whole_from_the_async_client(world: World, aclient: AsyncClient) -> None:
    placed = [
        (await aclient.send(PlaceCall(**CALL, max_duration=minutes))).call_id for minutes in range(1, 4)
    ]
    found = [call.id async for page in aclient.pages(ListCalls(limit=50)) for call in page.data]
    assert found[:3] == placed[::-1]
    assert len(set(found)) == len(found) > 100


def test_rows_that_come_twice_are_given_once(live: Callable[..., Line]) -> None:
    first = (200, {"data": [{"id": "a"}, {"id": "b"}], "next_cursor": "2025-12-22T10:29:00Z"})
    second = (200, {"data": [{"id": "b"}, {"id": "c"}], "next_cursor": "2025-12-22T10:29:00Z"})
    third = (200, {"data": [{"id": "c"}], "next_cursor": "2025-12-22T10:29:00Z"})
    script = Script(first, second, third)
    client = Client(line=live(), transport=httpx.MockTransport(script.play))
    assert [[row.id for row in page.data] for page in client.pages(ListCalls())] == [["a", "b"], ["c"]]


def test_not_found_names_the_id_and_where_it_comes_from(client: Client) -> None:
    with pytest.raises(NotFound, match="check call_id: Handle from place_call or list_calls"):
        client.send(GetCall(call_id="564d4fd4-03bc-400a-abe0-05540fbeff88"))


@pytest.mark.parametrize("driver", DRIVERS)
def test_an_approver_cannot_answer_another_question(live: Callable[..., Line], driver: str) -> None:
    script = Script()
    with pytest.raises(Refused, match="another question"):
        sent(driver, live(), script, PLACE, approve=lambda ask: Answer(True, "0" * 65))
    assert script.requests == []
