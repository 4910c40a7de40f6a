"""The sandbox is killed at random moments and started again: nothing accepted is lost, nothing happens twice.

Each run has one file, several clients, a receiver of webhooks, and a server that gets SIGKILL several times.
Whose answer was lost asks again, under the same key.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import sqlite3
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx

from topcalls_tools.sandbox import open_sandbox, serve_forever, serve_in_background
from topcalls_tools.sandbox.caller import Scene
from topcalls_tools.sandbox.clock import Clock
from topcalls_tools.sandbox.deliveries import LEASE, Courier
from topcalls_tools.sandbox.people import People
from topcalls_tools.sandbox.plans import Plan
from topcalls_tools.sandbox.store import Store
from topcalls_tools.sandbox.web.gateway import Gateway

from . import audit
from .receiver import Receiver

CLIENTS, KILLS = 3, 3
HEARD = ("call.started", "call.completed", "call.failed")
ENDINGS = ("0001", "0002", "0003", "0004", "0005", "0007", "0008", "0009", "1234", "2345", "3456")
MINUTES = 1000, 500
_PROCESSES = multiprocessing.get_context("forkserver")  # children of a process that has imported all this
_PROCESSES.set_forkserver_preload([__name__])


@dataclass
class Wish:
    """A request that a client means to be done once, and the first reply that it got."""

    key: str
    path: str
    body: dict[str, Any]
    first: bytes | None = None
    asked: int = 0
    answered: int = 0

    @property
    def call(self) -> bool:
        return self.path == "/v1/calls"


class Run:
    """One file, from its making to its judgement."""

    def __init__(self, seed: str, folder: Path, hooks: str) -> None:
        self.seed, self.hooks = seed, hooks
        self.path = folder / "sandbox.db"
        with closing(open_sandbox(self.path, seed=seed, plans=(_plan(hooks),))) as sandbox:
            self.key = sandbox.key()
            with serve_in_background(sandbox) as here, self._http(here.url) as http:
                self.campaign = http.get("/v1/campaigns").json()["data"][0]["id"]
        self.wishes: list[Wish] = []
        self.wrong: list[str] = []
        self._lock = threading.Lock()

    def until_killed(self, url: str, server: BaseProcess, round: int) -> None:
        """Let clients ask until one more has asked than fate allows, and kill in the midst of it."""
        chance = random.Random(f"{self.seed}:{round}")
        left, late, dead = chance.randrange(2, 60), chance.uniform(0, 0.004), threading.Event()
        due = threading.Event()

        def client(name: str) -> None:
            mine = random.Random(f"{self.seed}:{round}:{name}")
            nonlocal left
            with self._http(url) as http:
                again = iter([one for one in self.wishes if not one.answered and one.key.startswith(name)])
                while not dead.is_set():
                    with self._lock:
                        left -= 1
                        due.set() if left <= 0 else None
                    try:
                        self._fulfil(next(again, None) or self._wish(name, mine), http, mine)
                    except httpx.TransportError:
                        return

        threads = [threading.Thread(target=client, args=(f"client{n}",)) for n in range(CLIENTS)]
        for thread in threads:
            thread.start()
        due.wait(timeout=60)
        dead.wait(timeout=late)  # nobody sets it yet: a moment between two steps of the server
        server.kill()
        server.join()
        dead.set()
        for thread in threads:
            thread.join()

    def settle(self, url: str) -> None:
        """Ask again for all that was not answered, and once more for what was."""
        with self._http(url) as http:
            for wish in self.wishes:
                done = wish.first is not None
                if not done and wish.answered:
                    continue  # it was refused
                reply = self._fulfil(wish, http, None)
                if done:
                    self._expect(
                        reply.content == wish.first, f"{wish.key} was answered otherwise: {reply.text}"
                    )
                    self._expect("Idempotent-Replayed" in reply.headers, f"{wish.key} was done again")
            for _ in range(6):  # past every retry of a campaign, and the second attempts of webhooks
                http.post("/sandbox/clock", json={"advance_seconds": 301}).raise_for_status()
                http.get("/v1/balance").raise_for_status()

    def judge(self, url: str, receiver: Receiver) -> None:
        """What the sandbox tells agrees with itself, with the clients, and with what was received."""
        with self._http(url) as http:

            def ask(path: str) -> Any:
                return http.get(path).raise_for_status().json()

            seen = audit.look(ask)
            single = {call["id"]: ask(f"/v1/calls/{call['id']}") for call in seen.calls}
        placed = {json.loads(wish.first)["call_id"] for wish in self.wishes if wish.call and wish.first}
        own = {call["id"] for call in seen.of(None)}
        self._expect(placed == own, f"answered and there: {placed ^ own}")
        with closing(sqlite3.connect(self.path)) as line:
            keys = Counter(key for (key,) in line.execute("SELECT key FROM calls WHERE campaign_id IS NULL"))
        wished = Counter(wish.key for wish in self.wishes if wish.call and wish.first)
        self._expect(keys == wished, f"calls by key: {keys - wished}, {wished - keys}")
        rung = Counter(ring["key"] for ring in seen.own_rings)
        self._expect(set(rung.values()) <= {1}, f"rang twice: {rung.most_common(1)}")
        longest = {id: call["metadata"]["max_duration"] for id, call in single.items()}
        due = audit.ledger(*MINUTES, seen.calls, longest)
        self._expect(seen.balance == due, f"balance {seen.balance}, by the calls {due}")
        wanted = {call["id"]: {"campaign" if call["campaign_id"] else "call": HEARD} for call in seen.calls}
        self._check(audit.billed_as_spoken, seen)
        self._check(audit.newest_first, seen)
        self._check(audit.rings_as_told, seen)
        self._check(audit.told_once, seen, wanted)
        for one in seen.campaigns:
            self._check(audit.adds_up, one, seen.of(one["id"]))
            self._check(audit.never_too_many, one, seen.of(one["id"]))
        self._received(seen, receiver)

    def _received(self, seen: audit.Seen, receiver: Receiver) -> None:
        """Every delivery came, under its one id, and nothing came that is not there."""
        there = {one["id"]: (one["subject_id"], one["event"], f"/{one['source']}") for one in seen.deliveries}
        for about, ids in receiver.came.items():
            if about[1].startswith("call."):
                self._expect(len(set(ids)) == 1, f"{about} came under {set(ids)}")
            for id in set(ids):
                self._expect(there.get(id) == about, f"{id} came for {about}, kept for {there.get(id)}")
        came = {id for ids in receiver.came.values() for id in ids}
        self._expect(came == there.keys(), f"never came: {there.keys() - came}")

    def deliver(self) -> None:
        """Send what is left, once the leases of processes that are gone have run out."""
        with closing(Store(self.path)) as store:
            people = People.load(self.path.parent / "people")
            gateway = Gateway(store, Clock(_now), Scene(self.seed, people))
            courier = Courier(gateway, real=lambda: _now() + timedelta(milliseconds=2 * LEASE))
            while courier.send_due():
                with store.write() as book:
                    gateway.clock.advance(book, 61)

    def _wish(self, name: str, chance: random.Random) -> Wish:
        """What a client wants next, written down before it is asked for."""
        with self._lock:
            key = f"{name}-{len(self.wishes)}-{self.seed}"
            placed = [json.loads(wish.first)["call_id"] for wish in self.wishes if wish.call and wish.first]
            if placed and chance.random() < 0.2:
                wish = Wish(key, f"/v1/calls/{chance.choice(placed)}/stop", {})
            elif chance.random() < 0.2:
                wish = Wish(key, f"/v1/campaigns/{self.campaign}/{chance.choice(['start', 'pause'])}", {})
            else:
                number = f"+1415555{chance.choice(ENDINGS)}"
                body = {
                    "phone_number": number,
                    "task": "Ask whether they are open on Friday.",
                    "max_duration": 5,
                }
                hook = {"webhook_url": f"{self.hooks}/call", "webhook_events": list(HEARD)}
                wish = Wish(key, "/v1/calls", body | hook)
            self.wishes.append(wish)
            return wish

    def _fulfil(self, wish: Wish, http: httpx.Client, chance: random.Random | None) -> httpx.Response:
        """Ask, and keep the first good reply. What is refused has not been done, and is asked for no more."""
        if chance and chance.random() < 0.4:
            http.post("/sandbox/clock", json={"advance_seconds": chance.choice([0.5, 5, 20])})
        wish.asked += 1
        reply = http.post(wish.path, json=wish.body, headers={"Idempotency-Key": wish.key})
        wish.answered += 1
        if reply.is_success:
            wish.first = wish.first or reply.content
        else:
            self._expect(reply.status_code in (400, 402), f"{wish.key}: {reply.status_code} {reply.text}")
            self._expect(wish.first is None, f"{wish.key} was done, and is refused now: {reply.text}")
        return reply

    def _http(self, url: str) -> httpx.Client:
        return httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {self.key}"}, trust_env=False, timeout=30
        )

    def _check(self, holds: Callable[..., None], *told: Any) -> None:
        try:
            holds(*told)
        except AssertionError as wrong:
            self.wrong.append(f"{holds.__name__}: {str(wrong)[:500]}")

    def _expect(self, holds: bool, words: str) -> None:
        if not holds:
            self.wrong.append(words)


def _plan(hooks: str) -> Plan:
    """A campaign that always calls and hardly ever waits."""
    contacts = [{"name": f"No. {n}", "phone_number": f"+1212555{e}"} for n, e in enumerate(ENDINGS)]
    pace = {"max_parallel_calls": 3, "max_retries": 1, "retry_minutes": 1}
    hours = {"opens": "00:00", "closes": "00:00", "weekdays": range(1, 8)}
    events = [*HEARD, "campaign.started", "campaign.paused", "campaign.resumed"]
    told = {"webhook_url": f"{hooks}/campaign", "webhook_events": events}
    said = {"name": "Always open", "task": "Confirm the appointment of {{name}}."}
    return Plan.model_validate({**said, **pace, **hours, **told, "contacts": contacts})


@dataclass
class Tally:
    """How much happened, so that a reader sees what was tried; and what was wrong."""

    calls: int = 0
    answers_lost: int = 0
    came_again: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.calls += other.calls
        self.answers_lost += other.answers_lost
        self.came_again += other.came_again
        self.wrong += other.wrong


def run(seed: str) -> Tally:
    """One run, with as many kills as fate has put into its seed."""
    receiver = Receiver(random.Random(seed))
    with tempfile.TemporaryDirectory() as folder, receiver.open() as hooks:
        one = Run(seed, Path(folder), hooks)
        for round in range(KILLS):
            with served(one.path) as (url, server):
                one.until_killed(url, server, round)
        with closing(open_sandbox(one.path)) as sandbox:
            with serve_in_background(sandbox) as here:
                one.settle(here.url)
            one.deliver()
            with serve_in_background(sandbox) as here:
                one.judge(here.url, receiver)
    return Tally(
        sum(wish.call for wish in one.wishes),
        sum(wish.asked - wish.answered for wish in one.wishes),
        sum(len(ids) - len(set(ids)) for ids in receiver.came.values()),
        [f"{seed}: {words}" for words in one.wrong],
    )


@contextmanager
def served(path: Path) -> Iterator[tuple[str, BaseProcess]]:
    """A server on the file, as a process of its own."""
    here, there = _PROCESSES.Pipe(duplex=False)
    server = _PROCESSES.Process(target=_serve, args=(path, there), daemon=True)
    server.start()
    there.close()
    try:
        yield here.recv(), server
    finally:
        server.kill()
        server.join()


def _serve(path: Path, ready: Connection) -> None:
    """What the process does; its clock stands still but for the steps that clients ask for."""
    serve_forever(open_sandbox(path), 0, 0, ready.send)


def _now() -> datetime:
    return datetime.now(UTC)
