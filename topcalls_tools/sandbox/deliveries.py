"""Sends the webhooks that are due, and tries again by the sandbox's clock (contract 5.3)."""

from __future__ import annotations

import hashlib
import hmac
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cached_property
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from .clock import milliseconds
from .store import Row
from .web.gateway import Gateway

WAITS = (60_000, 300_000, 900_000, 3_600_000)
"""Milliseconds from one attempt to the next; after the last a delivery has failed (contract A118)."""
TIMEOUT = 10.0
"""Seconds within which a receiver must answer (contract A117)."""
LEASE = 60_000
"""Real milliseconds for which one process has a delivery to itself."""
AT_ONCE = 8
LOOKS_EVERY = 0.5
"""Real seconds between looks for what other processes have written."""
_log = logging.getLogger(__name__)


class Courier:
    """Sends what is due, in a thread of its own while it is open; several processes share the work.

    `hosts` are those beyond this machine that webhooks may go to; all others are kept and not sent.
    """

    def __init__(
        self,
        gateway: Gateway,
        hosts: frozenset[str] = frozenset(),
        real: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._gateway = gateway
        self._hosts = hosts
        self._real = real
        self._ending = threading.Event()
        self._round = threading.Lock()
        self._thread: threading.Thread | None = None

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

    def send_due(self) -> int:
        """Send all that is due now, and wait for what is being sent already; tells how many it attempted."""
        sent = 0
        with self._round:
            while leased := self._lease():
                with ThreadPoolExecutor(AT_ONCE) as several:
                    list(several.map(self._send, leased))
                sent += len(leased)
        return sent

    def _run(self) -> None:
        while not self._ending.wait(LOOKS_EVERY):
            try:
                self.send_due()
            except Exception:  # a locked file today is no reason to send nothing tomorrow
                _log.exception("Webhooks could not be sent")

    def _lease(self) -> list[Row]:
        """The next that are due, no two of one call or campaign, so that each is told in order."""
        with self._gateway.moment(writing=False) as moment:
            if not moment.book.rows("deliveries", *self._due(moment.now), limit=1, only=("id",)):
                return []
        with self._gateway.moment(writing=True) as moment:
            due = moment.book.rows("deliveries", *self._due(moment.now), order="due_at id", limit=8 * AT_ONCE)
            busy = ("leased_until", ">", self._now())
            chosen: dict[str, Row] = {}
            for row in due:
                subject = row["subject_id"]
                if len(chosen) == AT_ONCE:
                    break
                if subject not in chosen and not moment.book.count(
                    "deliveries", ("subject_id", "=", subject), busy
                ):
                    chosen[subject] = row
            for row in chosen.values():
                moment.book.change("deliveries", ("id", "=", row["id"]), leased_until=self._now() + LEASE)
            secrets = {one["id"]: one["webhook_secret"] for one in moment.book.rows("accounts")}
            return [{**row, "secret": secrets[row["account_id"]]} for row in chosen.values()]

    def _due(self, now: int) -> tuple[tuple[str, str, Any], ...]:
        return ("status", "=", "pending"), ("due_at", "<=", now), ("leased_until", "<=", self._now())

    def _send(self, row: Row) -> None:
        """Make one attempt, and write down what came of it."""
        allowed = self._may_go_to(row["url"])
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
            return self._http.post(row["url"], content=body, headers=headers).status_code, None
        except httpx.TimeoutException:
            return None, f"no answer within {TIMEOUT:g} seconds"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return None, f"not reached: {type(error).__name__}"

    @cached_property
    def _http(self) -> Any:
        import httpx

        return httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False)

    def _may_go_to(self, url: str) -> bool:
        """This machine by its address or plain name, and the hosts that the owner allowed."""
        host = (urlsplit(url).hostname or "").lower()
        try:
            here = ip_address(host).is_loopback
        except ValueError:
            here = host == "localhost"
        return here or host in self._hosts

    def _now(self) -> int:
        return milliseconds(self._real())


def signature(secret: str, body: bytes) -> str:
    """What X-TopCalls-Signature says of a body (contract A123)."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
