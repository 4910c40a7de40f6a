"""What only a sandbox has: its clock, the phones that rang, and recordings; for programs on this machine."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from ..api.fields import loopback
from ..wire import Reply
from . import arrivals, calls
from .arrivals import Arrived
from .caller import Caller
from .clock import iso
from .gateway import Gateway, broken
from .problem import Problem, Wrong, forbidden, invalid, not_found
from .recording import recording
from .store import Book


class Controls:
    """Answers `/sandbox/*`."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def reply(self, arrived: Arrived) -> Reply:
        try:
            _from_here(arrived)
            account = str(self._gateway.holder(arrived)["account_id"])
            return self._reply(arrived, account)
        except Problem as problem:
            return problem.reply()
        except Exception:
            return broken(arrived)

    def _reply(self, arrived: Arrived, account: str) -> Reply:
        match arrived.method, arrived.path.removeprefix("/sandbox/"):
            case "POST", "clock":
                return self._set(arrived)
            case "GET", "clock":
                with self._gateway.store.read() as book:
                    return self._time(book)
            case "GET", "rings":
                return self._looked(account, _rings)
            case "GET", asked if found := re.fullmatch(r"recordings/([0-9a-f-]{36})\.wav", asked):
                call_id = found[1]
                return self._looked(account, lambda caller: _recording(call_id, caller))
        raise not_found("such path or method")

    def _looked(self, account: str, look: Callable[[Caller], Reply]) -> Reply:
        with self._gateway.store.read() as book:
            return look(self._gateway.caller(book, account))

    def _set(self, arrived: Arrived) -> Reply:
        if arrived.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise invalid(Wrong("Content-Type", "must be application/json"))
        given = arrivals.body(arrived)
        deeds = {"advance_seconds": self._gateway.clock.advance, "speed": self._gateway.clock.speed}
        if not given or given.keys() - deeds.keys():
            raise invalid(Wrong("body", "must be an object with advance_seconds or speed"))
        with self._gateway.store.write() as book:
            for name, value in given.items():
                if isinstance(value, bool) or not isinstance(value, int | float):
                    raise invalid(Wrong(name, "must be a number"))
                try:
                    deeds[name](book, value)
                except (ValueError, OverflowError) as wrong:
                    raise invalid(Wrong(name, str(wrong))) from None
            return self._time(book)

    def _time(self, book: Book) -> Reply:
        clock = self._gateway.clock
        return _json({"now": iso(clock.now(book)), "speed": clock.pace(book)})


def _rings(caller: Caller) -> Reply:
    rang = caller.book.rings(caller.account, caller.now)
    told = [
        {
            "at": iso(row["rings_at"]),
            "phone_number": row["phone_number"],
            "call_id": row["id"],
            "key": row["key"],
        }
        for row in rang
    ]
    return _json({"data": told})


def _recording(call_id: str, caller: Caller) -> Reply:
    call = calls.call_seen(calls.own(call_id, caller), caller)
    if not call.recorded:
        raise not_found("recording of this call")
    return Reply(200, recording(call), {"content-type": "audio/wav"})


def _from_here(arrived: Arrived) -> None:
    """Only programs of this machine: no page of another site, no name that merely leads here."""
    host, origin = arrived.headers.get("host", ""), arrived.headers.get("origin")
    try:
        here = loopback(urlsplit(f"//{host}").hostname)
    except ValueError:
        here = False
    if not here:
        raise forbidden("The sandbox's controls answer to loopback addresses alone")
    if origin not in (None, f"http://{host}"):
        raise forbidden("The sandbox's controls do not answer to other sites")


def _json(value: dict[str, Any]) -> Reply:
    return Reply(200, json.dumps(value, ensure_ascii=False).encode(), {"content-type": "application/json"})
