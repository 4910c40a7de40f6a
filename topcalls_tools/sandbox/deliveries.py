"""Sends the webhooks that are due, and tries again by the sandbox's clock (contract 5.3)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import threading
from collections import Counter
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from functools import cached_property
from ipaddress import ip_address
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from .clock import milliseconds
from .store import Row
from .web.gateway import Gateway, Moment

WAITS = (60_000, 300_000, 900_000, 3_600_000)
"""Milliseconds from one attempt to the next; after the last a delivery has failed (contract A118)."""
TIMEOUT = 10.0
"""Seconds that an attempt may take in all, from the connection to the last header (contract A117)."""
LEASE = 60_000
"""Real milliseconds for which one process has a delivery to itself."""
AT_ONCE = 8
LOOKS_EVERY = 0.5
"""Real seconds between looks for what other processes have written."""
SEEN = 500
"""Of those that are due, how many are looked at to find the next."""
HOSTS = "webhook_hosts"
"""Under this name the file keeps the hosts beyond this machine that webhooks may go to, with commas."""
BLOCKED = (
    "Not sent: webhooks go to this machine alone, by 127.0.0.1, [::1] or localhost,"
    " and to hosts that the sandbox's owner allowed"
)
_log = logging.getLogger(__name__)


class Courier:
    """Sends what is due, by itself while it is open; several processes share the work.

    What is meant for hosts beyond this machine that its owner did not allow is kept and not sent.
    """

    def __init__(self, gateway: Gateway, real: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._gateway = gateway
        self._real = real
        self._ending = threading.Event()
        self._ending.set()  # until it is opened, only who asks has something sent
        self._thread: threading.Thread | None = None
        # All below is under the turn, which nobody keeps while something is being sent.
        self._turn = threading.Condition()
        self._workers: dict[threading.Thread, Row | None] = {}
        self._asking = 0
        self._sent = 0

    def open(self) -> None:
        """Begin to send by itself."""
        self._ending.clear()
        self._thread = threading.Thread(target=self._run, name="topcalls-courier", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Send no more. What is pending stays so, and is sent by whoever opens the file next."""
        self._ending.set()
        if self._thread:
            self._thread.join(timeout=5)
        with self._turn:
            self._turn.wait_for(lambda: not self._workers, timeout=5)

    def send_due(self) -> int:
        """Send all that is due now, and wait for what is being sent already; tells how many were attempted
        meanwhile."""
        with self._gateway.moment(writing=False) as moment:
            now = moment.now
        with self._turn:
            before = self._sent
            self._asking += 1
            try:
                self._set_to_work()
                self._turn.wait_for(lambda: not (self._workers and self._left(now)))
            finally:
                self._asking -= 1
            return self._sent - before

    def _run(self) -> None:
        while not self._ending.wait(LOOKS_EVERY):
            try:
                self._gateway.beat()
                with self._turn:
                    self._set_to_work()
            except Exception:  # a locked file today is no reason to send nothing tomorrow
                _log.exception("Webhooks could not be sent")

    def _set_to_work(self) -> None:
        """As many workers as there is work for; whoever is at work looks again before leaving."""
        for _ in self._next(AT_ONCE - len(self._workers)):
            worker = threading.Thread(target=self._work, name="topcalls-webhooks", daemon=True)
            self._workers[worker] = None
            worker.start()

    def _work(self) -> None:
        """Send one after another, until nothing is left to take."""
        me = threading.current_thread()
        try:
            while row := self._taken(me):
                self._send(row)
        except Exception:  # as above
            _log.exception("Webhooks could not be sent")
        finally:
            with self._turn:
                self._workers.pop(me, None)
                self._turn.notify_all()

    def _taken(self, worker: threading.Thread) -> Row | None:
        """What a worker sends next; without anything it leaves in the same turn, and is not counted on."""
        with self._turn:
            self._sent += self._workers[worker] is not None
            self._workers[worker] = None
            row = self._leased() if self._asking or not self._ending.is_set() else None
            if row:
                self._workers[worker] = row
            else:
                del self._workers[worker]
            self._turn.notify_all()
            return row

    def _left(self, now: int) -> bool:
        """Whether anything that was due by then is being sent here, or may be."""
        sending = any(row["due_at"] <= now for row in self._workers.values() if row)
        return sending or bool(self._next(1, now))

    def _next(self, most: int, now: int | None = None) -> list[Row]:
        """What may be sent next, no two of one call or campaign, so that each is told in order; `now` leaves
        out what became due later. Whoever is sent least just now comes first: one who never answers keeps
        nobody else waiting."""
        names = ("id", "subject_id", "url", "due_at")
        sending = Counter(urlsplit(row["url"]).netloc for row in self._workers.values() if row)
        with self._gateway.moment(writing=False) as moment:
            due = self._due(moment.now if now is None else now)
            first: dict[str, Row] = {}
            for row in moment.book.rows("deliveries", *due, order="due_at id", limit=SEEN, only=names):
                first.setdefault(row["subject_id"], row)
            ranked = sorted(first.values(), key=lambda row: sending[urlsplit(row["url"]).netloc])
            free = (row for row in ranked if not self._busy(row["subject_id"], moment))
            return list(islice(free, most))

    def _leased(self) -> Row | None:
        """The next, which is this process's own for a while."""
        while found := self._next(1):
            with self._gateway.moment(writing=True) as moment:
                one = ("id", "=", found[0]["id"])
                if self._busy(found[0]["subject_id"], moment):
                    continue  # another process was faster
                until = self._now() + LEASE
                if moment.book.change("deliveries", one, *self._due(moment.now), leased_until=until):
                    row = moment.book.rows("deliveries", one)[0]
                    account = moment.book.rows("accounts", ("id", "=", row["account_id"]))[0]
                    hosts = (moment.book.meta(HOSTS) or "").split(",")
                    allowed = _may_go_to(row["url"], hosts)
                    return {**row, "secret": account["webhook_secret"], "allowed": allowed}
        return None

    def _due(self, now: int) -> tuple[tuple[str, str, Any], ...]:
        return ("status", "=", "pending"), ("due_at", "<=", now), ("leased_until", "<=", self._now())

    def _busy(self, subject_id: str, moment: Moment) -> bool:
        """Whether somebody is being told of a call or campaign just now."""
        leased = ("leased_until", ">", self._now())
        return moment.book.count("deliveries", ("subject_id", "=", subject_id), leased) > 0

    def _send(self, row: Row) -> None:
        """Make one attempt, and write down what came of it."""
        allowed = row["allowed"]
        status, error = self._posted(row) if allowed else (None, None)
        with self._gateway.moment(writing=True) as moment:
            number = moment.book.count("attempts", ("delivery_id", "=", row["id"])) + 1
            kept = moment.book.find("deliveries", id=row["id"])
            if kept is None or kept["status"] != "pending":
                return  # called off meanwhile
            if allowed:
                tried = {"delivery_id": row["id"], "number": number, "at": moment.now}
                moment.book.add("attempts", {**tried, "status": status, "error": error})
            outcome: dict[str, Any] = {"due_at": None}
            if not allowed:
                outcome |= {"status": "blocked"}
            elif status is not None and 200 <= status < 300:
                outcome |= {"status": "delivered"}
            elif number > len(WAITS):
                outcome |= {"status": "failed"}
            else:
                outcome = {"due_at": moment.now + WAITS[number - 1]}
            moment.book.change("deliveries", ("id", "=", row["id"]), **outcome, leased_until=0)

    def _posted(self, row: Row) -> tuple[int | None, str | None]:
        """The receiver's status, or why there is none. Redirects are not followed (contract A117)."""
        import httpx

        body = row["body"].encode()
        headers = {
            "content-type": "application/json",
            "x-topcalls-event": row["event"],
            "x-topcalls-delivery": row["id"],
        }
        if row["secret"]:
            headers["x-topcalls-signature"] = signature(row["secret"], body)
        try:
            return asyncio.run(self._answered(row["url"], body, headers)), None
        except TimeoutError:
            return None, f"no answer within {TIMEOUT:g} seconds"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return None, f"not reached: {type(error).__name__}"

    async def _answered(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        """The status of an answer, whose body nobody waits for. The clock is asyncio's: httpx limits each
        read, not all of them."""
        import httpx

        options = {"timeout": None, "follow_redirects": False, "trust_env": False, "verify": self._trusted}
        async with (
            asyncio.timeout(TIMEOUT),
            httpx.AsyncClient(**options) as http,
            http.stream("POST", url, content=body, headers=headers) as reply,
        ):
            return reply.status_code

    @cached_property
    def _trusted(self) -> Any:
        """Whose certificates are believed: read once, for that takes longer than an attempt."""
        import httpx

        return httpx.create_ssl_context(trust_env=False)

    def _now(self) -> int:
        return milliseconds(self._real())


def signature(secret: str, body: bytes) -> str:
    """What X-TopCalls-Signature says of a body (contract A123)."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _may_go_to(url: str, hosts: Collection[str]) -> bool:
    """This machine by its address or plain name, and the hosts that the owner allowed."""
    host = (urlsplit(url).hostname or "").lower()
    try:
        here = ip_address(host).is_loopback
    except ValueError:
        here = host == "localhost"
    return here or (host != "" and host in hosts)
