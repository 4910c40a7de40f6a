"""The receiver of webhooks: what it believes, keeps and works, over real servers on loopback."""

from __future__ import annotations

import itertools
import json
import queue
import random
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from topcalls_tools import Client, GetCall
from topcalls_tools.client import AsyncClient
from topcalls_tools.errors import Misconfigured, Refused
from topcalls_tools.journal import archive, deliveries
from topcalls_tools.journal.called import called
from topcalls_tools.webhooks import afterwards
from topcalls_tools.webhooks.afterwards import GIVES_UP, STRANGE_FOR, End
from topcalls_tools.webhooks.receiver import AHEAD, MOST_BYTES, REPLAYED, STORES_AT_ONCE, Receiver

from .contract import covers
from .hooks import SECRET, Stage, made, post, served, signed, staged
from .test_webhooks import Got, receiver

__all__ = ["receiver"]
ANSWERED = ["call.queued", "call.started", "call.completed"]
BUSY, ENDLESS, NEVER_AGAIN = "+14155550001", "+14155550008", "+14155550014"
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


@pytest.fixture
def stage(home: Path, receiver: Any) -> Iterator[Stage]:
    with staged(home, receiver) as found:
        yield found


def kept(stage: Stage, call_id: str) -> list[deliveries.Delivery]:
    return deliveries.of_call(stage.line.desk().journal(), stage.line.account, call_id)


def hands(stage: Stage) -> list[float]:
    """The line's timer, in the test's hands."""
    timer = [0.0]
    stage.line.timer = lambda: timer[0]
    return timer


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds that another thread does."""
    for _ in range(3000):
        if holds():
            return
        threading.Event().wait(0.01)
    raise AssertionError("It never did.")


def spoken(stage: Stage, call_id: str) -> list[tuple[int, str]]:
    return [(turn["id"], turn["text"]) for turn in stage.call(call_id)["transcript"]]


def heard(end: End) -> list[tuple[int, str]]:
    return [(turn["turn"], turn["text"]) for turn in end.facts()["turns"]]


def test_the_end_of_a_call_is_told_once_with_all_that_was_said_and_its_books_are_closed(stage: Stage) -> None:
    call_id = stage.place()
    told = stage.told()
    assert [one.event for one in told] == ANSWERED
    ours = stage.receiver()
    with served(ours) as url:
        assert [post(url, one) for one in told] == [200] * 3
    ours.afterwards.work()
    (end,) = stage.ends
    assert heard(end) == spoken(stage, call_id) != []
    assert (end.facts()["event"], end.facts()["live"]) == ("call.completed", False)
    (dial,) = stage.line.desk().journal().dials(stage.line.account)
    assert dial.closed_at is not None
    assert end.noted["used_minutes"] == dial.used_minutes == stage.call(call_id)["duration"]
    ours.afterwards.work()
    assert len(stage.ends) == 1
    assert all(one.ours and one.worked_at for one in kept(stage, call_id))


@covers("A119")
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_in_whatever_order_they_come_the_same_is_told(stage: Stage, order: tuple[int, ...]) -> None:
    call_id = stage.place()
    told = stage.told()
    ours = stage.receiver()
    with served(ours) as url:
        for place in order:
            assert post(url, told[place]) == 200
            ours.afterwards.work()
    assert [heard(end) for end in stage.ends] == [spoken(stage, call_id)]


@covers("A120")
def test_what_comes_again_under_its_id_or_under_another_is_kept_and_told_once(stage: Stage) -> None:
    call_id = stage.place()
    told = stage.told()
    ours = stage.receiver()
    with served(ours) as url:
        for one in told:
            assert post(url, one) == post(url, one) == 200
            assert post(url, one, x_topcalls_delivery="another-delivery-of-it") == 200
            assert post(url, one, x_topcalls_delivery=None) == 200
            ours.afterwards.work()
    assert len(kept(stage, call_id)) == 3
    assert len(stage.ends) == 1


FORGED: dict[str, Any] = {
    "no signature": lambda one: {"x_topcalls_signature": None},
    "an empty one": lambda one: {"x_topcalls_signature": ""},
    "of another secret": lambda one: {"x_topcalls_signature": signed(one.body, "another secret")},
    "of no secret": lambda one: {"x_topcalls_signature": signed(one.body, "")},
    "of another body": lambda one: {"x_topcalls_signature": signed(one.body + b" ")},
    "without its name": lambda one: {"x_topcalls_signature": signed(one.body).removeprefix("sha256=")},
    "of another name": lambda one: {"x_topcalls_signature": signed(one.body).replace("sha256", "sha1")},
    "in capitals": lambda one: {"x_topcalls_signature": signed(one.body).upper()},
    "cut short": lambda one: {"x_topcalls_signature": signed(one.body)[:-1]},
    "of other letters": lambda one: {"x_topcalls_signature": "sha256=" + "é" * 64},
}


@covers("A123")
@pytest.mark.parametrize("forged", FORGED)
def test_what_is_not_signed_with_the_secret_is_refused_and_changes_nothing(stage: Stage, forged: str) -> None:
    call_id = stage.place()
    told = stage.told()
    ours = stage.receiver()
    rings = stage.line.bell.rings
    with served(ours) as url:
        assert {post(url, one, **FORGED[forged](one)) for one in told} == {401}
        ours.afterwards.work()
        assert kept(stage, call_id) == []
        assert stage.ends == []
        assert stage.line.bell.rings == rings
        assert {post(url, one) for one in told} == {200}  # and the true ones are still new


def test_a_body_that_was_altered_is_refused(stage: Stage) -> None:
    call_id = stage.place()
    told = stage.told()[-1]
    with served(stage.receiver()) as url:
        for body in (told.body + b"\n", told.body.replace(b"completed", b"failed   "), b"{}", b""):
            assert post(url, Got(told.path, told.headers, body)) == 401
    assert kept(stage, call_id) == []


def test_whoever_waits_is_woken_by_what_is_new_and_by_nothing_else(stage: Stage) -> None:
    stage.place()
    told = stage.told()
    rings = stage.line.bell.rings
    with served(stage.receiver()) as url:
        for one in [*told, *told]:
            post(url, one)
    assert stage.line.bell.rings == rings + 3


def test_without_a_secret_a_forged_end_of_a_call_that_runs_is_believed_by_nobody(stage: Stage) -> None:
    call_id = stage.place(ENDLESS)
    stage.told(60)
    forged = made({"event": "call.completed", "call_id": call_id, "status": "completed"}, secret="whatever")
    ours = stage.receiver(secret=None)
    with served(ours) as url:
        assert post(url, forged) == 200
    timer = hands(stage)
    ours.afterwards.work()
    timer[0] += GIVES_UP + 1
    ours.afterwards.work()
    assert (stage.ends, kept(stage, call_id)[-1].worked_at is None) == ([], False)
    (dial,) = stage.line.desk().journal().dials(stage.line.account)
    assert dial.closed_at is None


@pytest.mark.parametrize("how", ["reset", "deleted"])
def test_after_a_fresh_world_its_calls_are_told_of_and_explained_as_its_own(
    home: Path, receiver: Any, how: str
) -> None:
    for again in (False, True):
        with staged(home, receiver, reset=again and how == "reset") as stage:
            call_id = stage.place("+14155550018" if again else "+14155550123")
            told = stage.told()
            ours = stage.receiver()
            with served(ours) as url:
                assert {post(url, one) for one in told} == {200}
            ours.afterwards.work()
            assert [end.call.id for end in stage.ends] == [call_id]
            known = called(stage.line.desk().journal(), stage.line.account, call_id)
            assert known.dial is not None
            assert known.dial.arguments["phone_number"] == stage.call(call_id)["phone_number"]
            assert len(known.deliveries) == 3
        if how == "deleted":
            for file in home.glob("world.db*"):
                if file.suffix != ".key":
                    file.unlink()


def test_two_that_tell_of_one_end_in_other_words_have_it_told_once(stage: Stage) -> None:
    call_id = stage.place(BUSY)
    told = stage.told()[-1]
    other = made({**told.said, "disposition": "busy"}, "of-a-subscription")
    ours = stage.receiver()
    with served(ours) as url:
        assert post(url, told) == post(url, other) == 200
    ours.afterwards.work()
    stage.receiver().afterwards.work()
    assert [end.call.id for end in stage.ends] == [call_id]
    assert all(one.worked_at for one in kept(stage, call_id))


@pytest.mark.parametrize(
    "body",
    [
        b"", b"x", b"[]", b"null", b"1", b'"call"', b"{}", b"\xff\xfe", b"[" * 100_000, b"1" * 100_000,
        b'{"call_id": 1}', b'{"call_id": ""}', b'{"call_id": "a\\u0000b"}', b'{"call_id": "../x y"}',
        b'{"call_id": "' + b"x" * 201 + b'"}', b'{"campaign_id": null}', b'{"call_id": "\\ud800"}',
    ],
)  # fmt: skip
def test_what_is_no_webhook_is_refused_although_it_is_signed(stage: Stage, body: bytes) -> None:
    ours = stage.receiver()
    with served(ours) as url:
        assert post(url, made(body)) == 400
    assert deliveries.unworked(stage.line.desk().journal(), stage.line.account) == []


@pytest.mark.parametrize(
    ("told", "event"),
    [
        ({"status": "queued"}, "call.queued"),
        ({"status": "in_progress"}, "call.started"),
        ({"status": "completed", "event": 7}, "call.completed"),
        ({"status": "failed", "event": "\0"}, "call.failed"),
        ({"status": "archived"}, "call.told"),
        ({"status": {"odd": 1}, "event": "call.transferred"}, "call.transferred"),
        ({"event": "call.completed.booked"}, "call.completed.booked"),
    ],
)
def test_an_event_without_a_name_is_told_by_its_status(
    stage: Stage, told: dict[str, Any], event: str
) -> None:
    with served(stage.receiver()) as url:
        assert post(url, made({"call_id": "c1", **told})) == 200
    assert [one.event for one in kept(stage, "c1")] == [event]


def test_what_is_too_large_is_refused_before_it_is_read(stage: Stage) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b" " * 65_536

    with served(stage.receiver()) as url:
        assert httpx.post(url, content=b" " * (MOST_BYTES + 1)).status_code == 413
        with suppress(httpx.TransportError):  # the line is cut while the rest is being sent
            assert httpx.post(url, content=endless(), timeout=30).status_code == 413
        assert post(url, made({"call_id": "c1", "status": "queued"})) == 200


def test_only_posts_are_taken_and_at_every_path(stage: Stage) -> None:
    with served(stage.receiver()) as url:
        assert httpx.get(url).status_code == httpx.put(url).status_code == 405
        for at, path in enumerate(("", "/", "/hook", "/a/b?c=d")):
            assert post(url + path, made({"call_id": f"c{at}", "status": "queued"})) == 200


def test_where_nothing_can_be_kept_in_time_it_is_to_be_sent_again_and_nothing_is_lost(stage: Stage) -> None:
    call_id = stage.place()
    told = stage.told()
    path = stage.line.settings.home / "journal.db"
    stored = threading.Event()
    ours = stage.receiver()
    ours.afterwards.look = stored.set  # type: ignore[method-assign]
    with served(ours) as url:
        db = sqlite3.connect(path, isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        assert post(url, told[-1], patient=False) == 503
        db.execute("ROLLBACK")
        db.close()
        assert stored.wait(20)  # what waited for the lock is kept after all
        assert post(url, told[-1]) == 200
    assert len(kept(stage, call_id)) == 1
    ours.afterwards.work()
    assert len(stage.ends) == 1


def test_a_journal_that_cannot_be_used_is_no_delivery(stage: Stage) -> None:
    call_id = stage.place()
    told = stage.told()
    ours = stage.receiver()
    journal = stage.line.desk().journal()
    with journal.storage.writing() as db:
        db.exec_driver_sql("ALTER TABLE deliveries RENAME TO away")
    with served(ours) as url:
        assert post(url, told[-1], patient=False) == 503
        assert "cannot be used" in stage.said[0]
        with journal.storage.writing() as db:
            db.exec_driver_sql("ALTER TABLE away RENAME TO deliveries")
        assert post(url, told[-1]) == 200
    assert len(kept(stage, call_id)) == 1


def test_while_one_end_is_worked_others_are_answered(stage: Stage) -> None:
    calls = [stage.place(), stage.place("+14155550020")]
    told = stage.told()
    held, ends = threading.Event(), queue.Queue[End]()

    def ended(end: End) -> None:
        ends.put(end)
        held.wait(30)

    ours = Receiver(Client(line=stage.line), SecretStr(SECRET), ended)
    with served(ours) as url, ours.working():
        assert {post(url, one) for one in told if one.said["call_id"] == calls[0]} == {200}
        assert ends.get(timeout=30).call.id == calls[0]
        assert {post(url, one) for one in told if one.said["call_id"] == calls[1]} == {200}
        held.set()
        assert ends.get(timeout=30).call.id == calls[1]


def test_what_was_kept_before_a_crash_is_worked_by_the_next_process(stage: Stage) -> None:
    call_id = stage.place()
    told = stage.told()
    with served(stage.receiver()) as url:  # it keeps, answers, and dies before it works
        assert {post(url, one) for one in told} == {200}
    assert stage.ends == []
    ends = queue.Queue[End]()
    with Receiver(Client(line=stage.line), SecretStr(SECRET), ends.put).working():
        assert ends.get(timeout=30).call.id == call_id


def test_a_crash_while_an_end_is_told_has_it_told_again(stage: Stage) -> None:
    stage.place()
    told = stage.told()
    ours = stage.receiver()

    class Dead(BaseException):
        """The process ends here."""

    def ended(end: End) -> None:
        stage.ends.append(end)
        if len(stage.ends) == 1:
            raise Dead

    dying = Receiver(Client(line=stage.line), SecretStr(SECRET), ended)
    with served(dying) as url:
        assert {post(url, one) for one in told} == {200}
    with pytest.raises(Dead):
        dying.afterwards.work()
    ours.afterwards.work()
    ours.afterwards.work()
    assert len(stage.ends) == 2


def test_what_follows_an_end_may_fail_and_the_next_is_told(stage: Stage) -> None:
    stage.place()
    stage.place("+14155550020")
    told = stage.told()

    def ended(end: End) -> None:
        stage.ends.append(end)
        raise RuntimeError("no such spreadsheet")

    ours = Receiver(Client(line=stage.line), SecretStr(SECRET), ended, stage.said.append)
    with served(ours) as url:
        for one in told:
            post(url, one)
    ours.afterwards.work()
    ours.afterwards.work()
    assert len(stage.ends) == 2
    assert ["no such spreadsheet" in sentence for sentence in stage.said] == [True, True]


def test_a_call_that_is_not_ours_is_kept_apart_and_nothing_is_run_for_it(stage: Stage) -> None:
    timer = hands(stage)
    headers = {"Authorization": f"Bearer {stage.world.key}"}
    body = {"phone_number": BUSY, "task": "Somebody else's own call.", "webhook_url": stage.caught.url}
    other = httpx.post(f"{stage.world.url}/v1/calls", json=body, headers=headers).json()["call_id"]
    told = stage.told()
    ours = stage.receiver()
    with served(ours) as url:
        assert {post(url, one) for one in told} == {200}
    ours.afterwards.work()
    assert [(one.ours, one.worked_at) for one in kept(stage, other)] == [(False, None)]
    timer[0] += STRANGE_FOR + 1
    ours.afterwards.work()
    assert [(one.ours, one.worked_at is None) for one in kept(stage, other)] == [(False, False)]
    assert stage.ends == []


def test_a_webhook_that_is_faster_than_the_answer_to_the_dial_is_ours_after_all(stage: Stage) -> None:
    call_id = stage.place(BUSY)
    told = stage.told()
    journal = stage.line.desk().journal()
    (dial,) = journal.dials(stage.line.account)
    with journal.storage.writing() as db:
        db.exec_driver_sql("UPDATE dials SET call_id = NULL")
    ours = stage.receiver()
    with served(ours) as url:
        assert {post(url, one) for one in told} == {200}
    ours.afterwards.work()
    assert (stage.ends, {one.ours for one in kept(stage, call_id)}) == ([], {False})
    with journal.storage.writing() as db:
        db.exec_driver_sql(f"UPDATE dials SET call_id = '{call_id}' WHERE key = '{dial.key}'")
    stage.receiver().afterwards.work()
    assert [end.call.id for end in stage.ends] == [call_id]
    assert {one.ours for one in kept(stage, call_id)} == {True}


def test_who_asked_never_to_be_called_again_is_blocked_by_the_webhook_alone(stage: Stage) -> None:
    stage.place(NEVER_AGAIN)
    told = stage.told()
    ours = stage.receiver()
    with served(ours) as url:
        for one in told:
            post(url, one)
    assert NEVER_AGAIN not in stage.line.desk().dnc().numbers(stage.line.account)
    ours.afterwards.work()
    assert NEVER_AGAIN in stage.line.desk().dnc().numbers(stage.line.account)
    assert "opt_out" in stage.ends[0].noted["heard"]


def test_an_asynchronous_client_serves_as_well_and_its_lifespan_begins_and_ends_the_work(
    stage: Stage,
) -> None:
    import uvicorn

    call_id = stage.place()
    told = stage.told()
    ends = queue.Queue[End]()
    ours = Receiver(AsyncClient(line=stage.line), SecretStr(SECRET), ends.put)
    server = uvicorn.Server(uvicorn.Config(ours.app, port=0, log_level="critical", lifespan="on"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            thread.join(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        assert {post(f"http://127.0.0.1:{port}", one) for one in told} == {200}
        assert ends.get(timeout=30).call.id == call_id
        assert "_pool" in vars(ours.afterwards._client)
    finally:
        server.should_exit = True
        thread.join(15)
    assert "_pool" not in vars(ours.afterwards._client)  # nobody else knows of its connections


# Replays, by the times inside a body; a live key, and a clock in the test's hands


@pytest.fixture
def alive(live: Any) -> Iterator[tuple[Receiver, list[datetime], list[httpx.Request]]]:
    line, now, requests = live(), [NOW], list[httpx.Request]()
    line.clock = lambda: now[0]

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(404, json={"status": 404, "title": "Not found"})

    yield Receiver(Client(line=line, transport=httpx.MockTransport(answer)), SecretStr(SECRET)), now, requests
    line.close()


def written(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def told_at(*times: datetime, **more: Any) -> Got:
    names = ("created_at", "started_at", "end_at")
    body = dict(zip(names, map(written, times), strict=False))
    return made({"event": "call.completed", "call_id": "c1", "status": "completed", **body, **more})


@pytest.mark.parametrize(
    ("ago", "status"),
    [
        (timedelta(0), 200),
        (timedelta(minutes=90), 200),
        (REPLAYED, 200),
        (REPLAYED + timedelta(seconds=1), 400),
        (timedelta(days=300), 400),
        (-AHEAD, 200),
        (-AHEAD - timedelta(seconds=1), 400),
    ],
)
def test_with_a_live_key_what_is_long_past_or_not_yet_is_refused(
    alive: Any, ago: timedelta, status: int
) -> None:
    ours, _, _ = alive
    with served(ours) as url:
        assert post(url, told_at(NOW - timedelta(days=400), NOW - ago)) == status
        assert (
            post(url, told_at(NOW - timedelta(days=400), end_at=None, transferred_at=written(NOW - ago)))
            == status
        )


@pytest.mark.parametrize("more", [{}, {"created_at": None}, {"created_at": 1}, {"end_at": "yesterday"}])
def test_with_a_live_key_what_tells_of_no_time_is_refused(alive: Any, more: dict[str, Any]) -> None:
    with served(alive[0]) as url:
        assert post(url, told_at(**more)) == 400


def test_a_replay_is_known_by_its_body_for_as_long_as_its_time_is_believed(alive: Any) -> None:
    ours, now, _ = alive
    journal = ours.client.line.desk().journal()
    one = told_at(NOW + AHEAD)
    with served(ours) as url:
        assert post(url, one, x_topcalls_delivery="the-first-time") == 200
        for hours in (1, 12, 22, 23, 24, 25, 300):
            now[0] = NOW + timedelta(hours=hours)
            archive.purge(journal, now[0] - timedelta(days=1), now[0])  # the least that is kept
            assert post(url, one, x_topcalls_delivery=f"replayed-{hours}") == (200 if hours <= 23 else 400)
            known = deliveries.of_call(journal, "live", "c1")
            assert [found.delivery for found in known] == (["the-first-time"] if hours <= 24 else [])


def test_what_cannot_be_read_is_tried_again_until_it_can(stage: Stage) -> None:
    call_id = stage.place(BUSY)
    told = stage.told()
    with served(stage.receiver()) as url:
        assert {post(url, one) for one in told} == {200}
    timer, now, down = [0.0], [stage.line.clock()], [True]
    stage.line.timer, stage.line.clock = lambda: timer[0], lambda: now[0]
    real = httpx.HTTPTransport()

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(401) if down[0] else real.handle_request(request)

    client = Client(line=stage.line, transport=httpx.MockTransport(answer))
    ours = Receiver(client, SecretStr(SECRET), stage.ends.append, stage.said.append)
    for at in (0.0, 0.5, 1.1, 3.2, 8.5):
        timer[0] = at
        ours.afterwards.work()
    assert stage.ends == []
    assert len(stage.said) == 1
    assert kept(stage, call_id)[-1].worked_at is None
    down[0] = False
    timer[0] = 9.0
    ours.afterwards.work()
    assert stage.ends == []  # not yet its time
    timer[0] = 60.0
    ours.afterwards.work()
    assert [end.call.id for end in stage.ends] == [call_id]


def test_however_long_nobody_was_there_no_end_is_lost(stage: Stage) -> None:
    """An hour and more between a webhook and the first look at its call, which finds no network."""
    call_id = stage.place(BUSY)
    with served(stage.receiver()) as url:
        assert {post(url, one) for one in stage.told()} == {200}
    timer, now = hands(stage), stage.line.clock() + timedelta(days=2)
    stage.line.clock = lambda: now
    down, real = [True], httpx.HTTPTransport()

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(401) if down[0] else real.handle_request(request)

    client = Client(line=stage.line, transport=httpx.MockTransport(answer))
    ours = Receiver(client, SecretStr(SECRET), stage.ends.append, stage.said.append)
    for at in (0.0, GIVES_UP + 1, 9 * GIVES_UP):
        timer[0] = at
        ours.afterwards.work()
    assert kept(stage, call_id)[-1].worked_at is None
    assert ["tried again" in sentence for sentence in stage.said] == [True]
    down[0] = False
    timer[0] += GIVES_UP
    ours.afterwards.work()
    assert [end.call.id for end in stage.ends] == [call_id]


def test_the_end_of_a_call_whose_dial_a_crash_left_open_is_told_once_that_is_found(stage: Stage) -> None:
    call_id = stage.place(BUSY)
    journal = stage.line.desk().journal()
    (dial,) = journal.dials(stage.line.account)
    with journal.storage.writing() as db:
        db.exec_driver_sql("UPDATE dials SET call_id = NULL")
    with served(stage.receiver()) as url:
        assert {post(url, one) for one in stage.told()} == {200}
    timer, now = hands(stage), stage.line.clock() + timedelta(days=1)
    stage.line.clock = lambda: now
    ours = stage.receiver()
    ours.afterwards.work()
    with journal.storage.writing() as db:  # as tidying does
        db.exec_driver_sql(f"UPDATE dials SET call_id = '{call_id}' WHERE key = '{dial.key}'")
    timer[0] += 2
    ours.afterwards.work()
    assert [end.call.id for end in stage.ends] == [call_id]


def test_books_are_closed_while_what_follows_an_earlier_end_takes_its_time(stage: Stage) -> None:
    stage.place(BUSY)
    stage.place(NEVER_AGAIN)
    told = stage.told()
    held, began = threading.Event(), threading.Event()

    def ended(end: End) -> None:
        began.set()
        assert held.wait(60)

    ours = Receiver(Client(line=stage.line), SecretStr(SECRET), ended, stage.said.append)
    with served(ours) as url, ours.working():
        assert {post(url, one) for one in told if one.event == "call.failed"} == {200}
        assert began.wait(30)
        assert {post(url, one) for one in told} == {200}
        until(lambda: all(one.closed_at for one in stage.line.desk().journal().dials(stage.line.account)))
        assert NEVER_AGAIN in stage.line.desk().dnc().numbers(stage.line.account)
        held.set()
    assert stage.said == []


def test_books_that_cannot_be_closed_keep_no_end_from_being_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_id = stage.place(NEVER_AGAIN)
    ours = stage.receiver()
    with served(ours) as url:
        assert {post(url, one) for one in stage.told()} == {200}

    def fails(*_: object) -> Any:
        raise Misconfigured("dnc.log cannot be written; mend its rights.")
        yield

    monkeypatch.setattr(afterwards, "close_books", fails)
    ours.afterwards.work()
    assert [end.call.id for end in stage.ends] == [call_id]
    assert len(stage.said) == 1
    assert stage.said[0].startswith(f"The books of the call {call_id} cannot be closed")


@pytest.mark.parametrize("broken", ["the journal", "who is told"])
def test_what_fails_is_tried_again_after_pauses_that_grow(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    stage.place(BUSY)
    timer = hands(stage)
    runs = queue.Queue[str]()

    def fails(*given: object) -> Any:
        runs.put("")
        raise Refused("journal", "It cannot be used.") if broken == "the journal" else BrokenPipeError

    ours = Receiver(Client(line=stage.line), SecretStr(SECRET), fails, fails)
    with served(ours) as url:
        assert {post(url, one) for one in stage.told()} == {200}
    ours.afterwards._tidied = timer[0] - 90  # tidying is due, and stays so
    pauses = queue.Queue[float]()

    def wait(seconds: float) -> bool:
        pauses.put(seconds)
        return ours.afterwards._closing.is_set() or (pauses.qsize() > 3 and threading.Event().wait(0.01))

    monkeypatch.setattr(ours.afterwards._closing, "wait", wait)
    if broken == "the journal":
        monkeypatch.setattr(deliveries, "unworked", fails)
        with ours.working():
            assert [pauses.get(timeout=30) for _ in range(4)] == [1.0, 2.0, 5.0, 15.0]
    else:
        with ours.working():
            assert runs.get(timeout=30) == ""
            until(lambda: not deliveries.unworked(stage.line.desk().journal(), stage.line.account))
        assert (runs.qsize(), pauses.qsize()) == (1, 0)


def test_begun_twice_it_works_once_and_ends_with_the_last(stage: Stage) -> None:
    call_id = stage.place(BUSY)
    ends, ours = queue.Queue[End](), stage.receiver()
    ours.afterwards._ended = ends.put
    with served(ours) as url, ours.working():
        with ours.working():
            names = [one.name for one in threading.enumerate() if one in ours.afterwards._threads]
            assert sorted(names) == ["topcalls-afterwards", "topcalls-ends"]
            before = list(ours.afterwards._threads)
        assert ours.afterwards._threads == before
        assert {post(url, one) for one in stage.told()} == {200}
        assert ends.get(timeout=30).call.id == call_id
    assert not any(one.is_alive() for one in before)
    assert ends.empty()


def test_what_is_cut_off_when_all_ends_is_told_by_the_next(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(afterwards, "FINISHES_WITHIN", 0.05)
    call_id = stage.place(BUSY)
    told, began, held = queue.Queue[End](), threading.Event(), threading.Event()

    def ended(end: End) -> None:
        began.set()
        assert held.wait(60)

    ours = Receiver(Client(line=stage.line), SecretStr(SECRET), ended)
    with served(ours) as url, ours.working():
        assert {post(url, one) for one in stage.told()} == {200}
        assert began.wait(30)
    held.set()
    for thread in ours.afterwards._threads:
        thread.join(30)
    assert kept(stage, call_id)[-1].worked_at is None
    with Receiver(Client(line=stage.line), SecretStr(SECRET), told.put).working():
        assert told.get(timeout=30).call.id == call_id


def test_what_topcalls_adds_to_a_call_cannot_pose_as_ours(stage: Stage) -> None:
    call_id = stage.place(BUSY)
    call = Client(line=stage.line).send(GetCall(call_id=call_id))
    stage.told()
    over = Client(line=stage.line).send(GetCall(call_id=call_id))
    posing = {"event": "call.queued", "noted": {"heard": {"opt_out": 1}}}
    added = type(over).model_validate({**over.model_dump(mode="json"), **posing})
    one = deliveries.Delivery("d1", "sandbox", "x", "call.completed.odd", call_id, None, True, NOW)
    facts = End(one, added, False).facts()
    assert (facts["event"], "noted" in facts) == ("call.failed", False)
    assert not {"event", "noted"} & {*facts.get("derived", ())}
    assert End(one, added, False, {"used_minutes": 1}).facts()["noted"] == {"used_minutes": 1}
    assert call.status == "queued"


def test_an_event_that_a_header_alone_names_is_none_that_is_told(stage: Stage) -> None:
    stage.place(BUSY)
    one = stage.told()[-1]
    said = {name: value for name, value in one.said.items() if name != "event"}
    ours = stage.receiver()
    with served(ours) as url:
        assert post(url, made(said), x_topcalls_event="call.queued.whatever") == 200
    ours.afterwards.work()
    assert [end.facts()["event"] for end in stage.ends] == ["call.failed"]


def test_no_more_threads_wait_for_a_journal_that_hangs_than_have_a_place(stage: Stage) -> None:
    ours = stage.receiver()
    db = sqlite3.connect(stage.line.settings.home / "journal.db", isolation_level=None)
    stage.line.desk().journal()
    db.execute("BEGIN IMMEDIATE")
    try:
        with served(ours) as url:
            before = threading.active_count()
            bodies = [made({"call_id": f"c{at}", "status": "queued"}) for at in range(STORES_AT_ONCE * 2)]
            assert {post(url, one, patient=False) for one in bodies} == {503}
            assert not ours._stores.acquire(blocking=False)
            assert threading.active_count() <= before + STORES_AT_ONCE + 1
    finally:
        db.execute("ROLLBACK")
        db.close()


@pytest.mark.parametrize("seed", range(4))
def test_shuffled_doubled_delayed_forged_and_restarted_each_end_is_told_once(stage: Stage, seed: int) -> None:
    chance = random.Random(seed)
    calls = [stage.place(f"+1415555{number}") for number in ("0018", "0020", "0001", "0005")]
    told = stage.told(600)
    assert {one.said["call_id"] for one in told} == {*calls}
    coming = [one for one in told for _ in range(chance.randint(1, 3))]
    chance.shuffle(coming)
    answers = []
    while coming:
        ours = stage.receiver()
        with ExitStack() as server:
            url = server.enter_context(served(ours))
            for _ in range(chance.randint(1, 6)):
                if not coming:
                    break
                one = coming.pop()
                match chance.randrange(4):
                    case 0:
                        forged = chance.choice([*FORGED.values()])(one)
                        assert post(url, one, **forged) == 401
                    case 1:
                        answers.append(post(url, one, x_topcalls_delivery=f"another-{len(coming)}"))
                        continue
                    case 2:
                        ours.afterwards.work()
                answers.append(post(url, one))
    stage.receiver().afterwards.work()
    assert {*answers} == {200}
    assert sorted(end.call.id for end in stage.ends) == sorted(calls)
    assert {end.call.id: heard(end) for end in stage.ends} == {one: spoken(stage, one) for one in calls}
    bodies = {one.body for one in told}
    assert sum(len(kept(stage, one)) for one in calls) == len(bodies)
    assert list(archive.troubles(stage.line.desk().journal())) == []
    assert all(json.loads(body)["call_id"] in calls for body in bodies)
