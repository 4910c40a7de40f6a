"""The API itself: from a request as it came to a reply, in the documented order of checks."""

from __future__ import annotations

import hashlib
import json
import logging
from typing import Any

from ..action import Record
from ..api.configuration import VoicePage
from ..endpoint import Endpoint
from ..wire import Reply
from . import arrivals
from .arrivals import Arrived
from .caller import Caller
from .clock import Clock
from .problem import Problem, forbidden, unauthorized
from .store import Book, Row, Store
from .world import World

KEPT = 24 * 3_600_000
"""Milliseconds for which a reply is kept under its Idempotency-Key (contract 1.4)."""
_JSON = {"content-type": "application/json"}
_REPLAYED = {**_JSON, "idempotent-replayed": "true"}
_log = logging.getLogger(__name__)


class Gateway:
    """Answers every request; what it does is done in one transaction or not at all."""

    def __init__(self, store: Store, clock: Clock, seed: str) -> None:
        self.store = store
        self.clock = clock
        self.seed = seed
        self._world = World()

    def reply(self, arrived: Arrived) -> Reply:
        """Answer, in this order: key, path, scope, header and body, object, state, minutes (contract A37)."""
        try:
            return self._reply(arrived)
        except Problem as problem:
            return problem.reply()
        except Exception:
            return broken(arrived)

    def holder(self, arrived: Arrived) -> Row:
        """The key that a request carries; 401 where it carries none that we know."""
        scheme, _, key = arrived.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise unauthorized("Send the header Authorization: Bearer <key>")
        if key.strip().startswith("tc_live_"):
            raise unauthorized(
                "This is the sandbox; a live key (tc_live_...) is for TopCalls, keys here begin with tc_test_"
            )
        with self.store.read() as book:
            found = book.find("keys", digest=digest(key.strip()))
        if found is None or found["revoked"]:
            raise unauthorized("This key is unknown or revoked")
        return found

    def caller(self, book: Book, account: str, key: str | None = None) -> Caller:
        return Caller(account, self.clock.now(book), self.seed, book, key)

    def _reply(self, arrived: Arrived) -> Reply:
        holder = self.holder(arrived)
        kind, holes = arrivals.route(arrived)
        if kind.scope and holder["scopes"] is not None and kind.scope not in holder["scopes"]:
            raise forbidden(f"This key lacks the scope {kind.scope}")
        key, given = arrivals.key(kind, arrived), arrivals.body(arrived)
        try:
            request = arrivals.request(kind, holes, arrived.query, given)
        except Problem as problem:
            if arrivals.nothing_found(kind, problem):
                return _written(VoicePage(data=()), kind)
            raise
        if kind.method == "GET":
            with self.store.read() as book:
                return self._answer(request, self.caller(book, holder["account_id"]))
        with self.store.write() as book:
            caller = self.caller(book, holder["account_id"], key)
            return self._once(arrived, given, request, caller) if key else self._answer(request, caller)

    def _once(self, arrived: Arrived, given: dict[str, Any], request: Endpoint[Any], caller: Caller) -> Reply:
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
        caller.book.remove("idempotency", **mine)
        reply = self._answer(request, caller)
        stored = {"status": reply.status, "reply": reply.content.decode(), "created_at": caller.now}
        caller.book.add("idempotency", {**mine, **said, **stored})
        return reply

    def _answer(self, request: Endpoint[Any], caller: Caller) -> Reply:
        return _written(self._world.answer(request, caller), type(request))


def _written(record: Record, kind: type[Endpoint[Any]]) -> Reply:
    """A record on the wire: the fields that were set, nulls among them; fields of our tools never are."""
    if kind.success == 204:
        return Reply(204)
    said = json.dumps(record.model_dump(mode="json", exclude_unset=True), ensure_ascii=False)
    return Reply(kind.success, said.encode(), _JSON)


def broken(arrived: Arrived) -> Reply:
    """500, and what went wrong in the log alone; for use inside an except clause."""
    _log.exception("The sandbox could not answer %s %s", arrived.method, arrived.path)
    detail = "The sandbox could not answer; its log says why"
    return Problem(500, "internal_error", "Internal Server Error", detail).reply()


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
