"""The API itself: from a request as it came to an answer, in the documented order of checks."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ...action import Record
from ...api.configuration import VoicePage
from ...api.fields import Page
from ...endpoint import Endpoint
from ...wire import Reply
from .. import dialer
from ..caller import Caller, Scene
from ..clock import Clock
from ..problem import Problem, forbidden, not_found, unauthorized
from ..store import Book, Busy, Row, Store
from ..world import World
from . import arrivals, faults, limits
from .arrivals import Arrived, Holes
from .faults import Answer

KEPT = 24 * 3_600_000
"""Milliseconds for which a reply is kept under its Idempotency-Key (contract 1.4)."""
_JSON = {"content-type": "application/json"}
_REPLAYED = {**_JSON, "idempotent-replayed": "true"}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Moment:
    """One transaction at one instant, with all that was due before it worked out."""

    book: Book
    now: int
    faulty: bool
    """Whether somebody has ordered a fault."""
    key: Row | None
    """The key that was asked for, if there is one."""


class Gateway:
    """Answers every request; what it does is done in one transaction or not at all."""

    def __init__(self, store: Store, clock: Clock, scene: Scene, *, limited: bool = False) -> None:
        self.store = store
        self.clock = clock
        self.scene = scene
        self._limited = limited
        self._world = World()

    def reply(self, arrived: Arrived, account: str | None = None, *, waits: bool = True) -> Answer:
        """Answer, in this order: key, rate, path, scope, header and body, object, state, minutes (A37).

        `account` is whose page asks, with all scopes; without it the request carries a key. Where it may not
        wait, it raises Busy instead, and nothing was done.
        """
        try:
            return self._reply(arrived, account, waits)
        except Problem as problem:
            return Answer(problem.reply())
        except Busy:
            raise
        except Exception:  # a fault of ours is a 500 and a line in the log, never a cut line
            return Answer(broken(arrived))

    @contextmanager
    def moment(self, *, writing: bool, key: str = "", waits: bool = True) -> Iterator[Moment]:
        """Open a transaction now, once campaigns have gone on to now. `key` is a digest to look for."""
        while True:
            with self.store.write(waits=waits) if writing else self.store.read(waits=waits) as book:
                glance, found = book.glance(key)
                now = self.clock.shown(glance)
                if glance["wakes_at"] is None or glance["wakes_at"] > now:
                    yield Moment(book, now, bool(glance["faulty"]), found)
                    return
            if not waits:
                raise Busy
            with self.store.write() as book:  # in a transaction of its own: a refusal must not undo it
                dialer.carry_on(book, self.scene, self.clock.now(book))

    def beat(self) -> None:
        """Keep a clock that this process makes run fast; due every second or sooner."""
        with self.store.read() as book:
            pace = self.clock.pace(book)
        if pace != 1:
            with self.store.write() as book:
                self.clock.beat(book)

    def caller(self, moment: Moment, account: str, key: str | None = None, by: str = "") -> Caller:
        return Caller(account, moment.now, self.scene, moment.book, key, by)

    def _reply(self, arrived: Arrived, account: str | None, waits: bool) -> Answer:
        key = "" if account else digest(bearer(arrived))
        found = arrivals.route(arrived)
        writing = found is not None and found[0].method != "GET"
        struck, counted = None, False
        while True:
            with self.moment(writing=writing, key=key, waits=waits) as moment:
                whose = _page(account) if account else known(moment.key)
                if counted or not (self._limited or moment.faulty):
                    if found is None:
                        raise not_found("such path or method")
                    return self._served(arrived, *found, moment, whose, struck)
            if not waits:
                raise Busy  # else what is counted here would be counted again by whoever waits
            with self.store.write() as book:
                struck, counted = self._admit(book, whose, found[0] if found else None), True
            if struck and struck["kind"] in faults.BEFORE:
                return faults.instead(struck)

    def _admit(self, book: Book, whose: Row, kind: type[Endpoint[Any]] | None) -> Row | None:
        """Count a request against limits and faults; the fault that strikes it."""
        account, now = whose["account_id"], self.clock.now(book)
        if self._limited and (refused := limits.count(book, now, whose["digest"], account, kind)):
            raise refused
        return faults.strike(book, self.scene.seed, account, kind) if kind else None

    def _served(
        self,
        arrived: Arrived,
        kind: type[Endpoint[Any]],
        holes: Holes,
        moment: Moment,
        whose: Row,
        struck: Row | None,
    ) -> Answer:
        if kind.scope and whose["scopes"] is not None and kind.scope not in whose["scopes"]:
            raise forbidden(f"This key lacks the scope {kind.scope}")
        key, given = arrivals.key(kind, arrived), arrivals.body(arrived)
        try:
            request = arrivals.request(kind, holes, arrived.query, given)
        except Problem as problem:
            if arrivals.nothing_found(kind, problem):
                return Answer(_written(VoicePage(data=()), VoicePage, 200))
            raise
        caller = self.caller(moment, whose["account_id"], key, whose["digest"])
        keep = not (struck and struck["kind"] == "error_after")
        reply = self._once(arrived, given, request, caller, keep) if key else self._answer(request, caller)
        return faults.spoilt(struck, reply) if struck else Answer(reply)

    def _once(
        self, arrived: Arrived, given: dict[str, Any], request: Endpoint[Any], caller: Caller, keep: bool
    ) -> Reply:
        """One deed for one key: whoever comes second finds the first one's reply (contract A14 to A17)."""
        mine = {"account_id": caller.account, "key": caller.key}
        said = {
            "method": arrived.method,
            "path": arrived.path,
            "body_digest": digest(json.dumps(given, sort_keys=True)),
        }
        kept = caller.book.find("idempotency", **mine)
        if kept and caller.now - kept["created_at"] < KEPT:
            if any(kept[name] != value for name, value in said.items()):
                raise Problem(
                    400,
                    "idempotency_key_reuse",
                    "Idempotency Key Reuse",
                    "This Idempotency-Key was used for another request; nothing was done",
                )
            return Reply(kept["status"], kept["reply"].encode(), _REPLAYED)
        reply = self._answer(request, caller)
        if not keep:
            return reply
        stored = {"status": reply.status, "reply": reply.content.decode(), "created_at": caller.now}
        if kept:
            caller.book.remove("idempotency", **mine)
        caller.book.add("idempotency", {**mine, **said, **stored})
        return reply

    def _answer(self, request: Endpoint[Any], caller: Caller) -> Reply:
        record = self._world.answer(request, caller)
        return _written(record, type(record), request.status_of(record))


def holder(book: Book, arrived: Arrived) -> Row:
    """The key that a request carries; 401 where it carries none that we know."""
    return known(book.find("keys", digest=digest(bearer(arrived))))


def known(key: Row | None) -> Row:
    """A key that was looked for; 401 where it is unknown or revoked."""
    if key is None or key["revoked"]:
        raise unauthorized("This key is unknown or revoked")
    return key


def bearer(arrived: Arrived) -> str:
    """What stands in the header Authorization; 401 where it can be no key of ours."""
    scheme, _, key = arrived.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise unauthorized("Send the header Authorization: Bearer <key>")
    if key.strip().startswith("tc_live_"):
        raise unauthorized(
            "This is the sandbox; a live key (tc_live_...) is for TopCalls, keys here begin with tc_test_"
        )
    return key.strip()


def _page(account: str) -> Row:
    """What stands for a key where the page asks."""
    return {"account_id": account, "scopes": None, "digest": f"page:{account}"}


def _written(record: Record, kind: type[Record], status: int) -> Reply:
    """A record on the wire: the fields that were set, nulls among them; fields of our tools never are."""
    if status == 204:
        return Reply(204)
    if issubclass(kind, Page) and kind.listed_as != "data":
        said = record.model_dump(mode="json", exclude_unset=True)
        return in_json({kind.listed_as: said.pop("data"), **said}, status)
    return Reply(status, record.model_dump_json(exclude_unset=True).encode(), _JSON)


def in_json(said: dict[str, Any], status: int = 200) -> Reply:
    return Reply(status, json.dumps(said, ensure_ascii=False).encode(), _JSON)


def broken(arrived: Arrived) -> Reply:
    """500, and what went wrong in the log alone; for use inside an except clause."""
    _log.exception("The sandbox could not answer %s %s", arrived.method, arrived.path)
    detail = "The sandbox could not answer; its log says why"
    return Problem(500, "internal_error", "Internal Server Error", detail).reply()


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
