"""What only a sandbox has, under `/sandbox/`: its clock, phones that rang, faults, what the page needs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from pydantic import ValidationError

from ...api.fields import E164
from ...wire import Reply
from .. import calls, campaigns, events, pickup
from ..caller import Caller
from ..clock import Real, iso, milliseconds
from ..deliveries import Courier
from ..plans import Plan
from ..problem import Problem, Wrong, invalid, not_found
from ..recording import recording
from ..telling import call_seen
from . import access, arrivals, faults
from .arrivals import Arrived
from .faults import Answer, Fault
from .gateway import Gateway, broken, in_json
from .overview import deliveries, overview

API = "/sandbox/v1/"
"""The API as the page speaks it: with its cookie, and without this beginning it is the API's own path."""
_FAULT_ID = re.compile(r"[0-9]{1,18}")
"""What SQLite can hold as an integer."""


class Controls:
    """Answers `/sandbox/*`."""

    def __init__(self, gateway: Gateway, courier: Courier, real: Real = lambda: datetime.now(UTC)) -> None:
        self._gateway = gateway
        self._courier = courier
        self._real = real

    def reply(self, arrived: Arrived) -> Answer:
        try:
            access.from_here(arrived)
            return self._reply(arrived)
        except Problem as problem:
            return Answer(problem.reply())
        except Exception:  # whatever is wrong here, who asked gets a reply and the log says why
            return Answer(broken(arrived))

    def account(self, arrived: Arrived) -> str:
        """Whose controls a request uses; raises Problem where it may use none."""
        access.from_here(arrived)
        with self._gateway.store.read() as book:
            return access.account(book, arrived, milliseconds(self._real()))

    def overview(self, account: str) -> dict[str, Any]:
        """What the page shows now."""
        with self._gateway.moment(writing=False) as moment:
            return overview(self._gateway.caller(moment, account))

    def _reply(self, arrived: Arrived) -> Answer:
        steps = arrived.path.removeprefix("/sandbox/").split("/")
        if (arrived.method, steps) == ("POST", ["session"]):
            return Answer(self._session(arrived))
        if arrived.path.startswith(API):
            inner = replace(arrived, path=arrived.path.removeprefix("/sandbox"))
            keyed = "authorization" in arrived.headers  # a key may here what it may there, and no more
            return self._gateway.reply(inner, None if keyed else self.account(arrived))
        if (arrived.method, steps[0]) == ("GET", "recordings") and "authorization" not in arrived.headers:
            return Answer(self._recording(steps[1:]))
        account = self.account(arrived)
        if (arrived.method, steps) == ("POST", ["deliveries"]):
            return Answer(in_json({"sent": self._courier.send_due()}))
        given = _json(arrived) if arrived.method == "POST" else {}
        with self._gateway.moment(writing=arrived.method != "GET") as moment:
            caller = self._gateway.caller(moment, account)
            return Answer(self._told(arrived, steps, given, caller))

    def _told(self, arrived: Arrived, steps: list[str], given: Mapping[str, Any], caller: Caller) -> Reply:
        match arrived.method, steps:
            case "GET", ["clock"]:
                return self._time(caller)
            case "POST", ["clock"]:
                return self._set_clock(given, caller)
            case "GET", ["overview"]:
                return in_json(overview(caller))
            case "GET", ["rings"]:
                return _rings(caller, all_of_them=arrived.query.get("campaigns") == "true")
            case "GET", ["deliveries"]:
                return in_json({"data": deliveries(caller, 1000)})
            case "GET", ["recordings", name] if name.endswith(".wav"):
                return _recording(name.removesuffix(".wav"), caller)
            case "POST", ["campaigns"]:
                row = campaigns.new_campaign(_read(Plan, given), caller)
                return in_json({"id": row["id"]}, 201)
            case "POST", ["campaigns", campaign_id, "stop"]:
                campaigns.stop(campaign_id, caller)
                return Reply(204)
            case "POST", ["calls", call_id, "transfer"]:
                return _transferred(call_id, given, caller)
            case "POST", ["calls", call_id, "fail"]:
                calls.fail(call_id, caller)
                return Reply(204)
            case "POST", ["calls", call_id, deed] if deed in pickup.DEEDS:
                pickup.done(deed, call_id, str(given.get("words", "")), caller)
                return Reply(204)
            case "POST", ["claims"]:
                return in_json({"number": pickup.claim(given.get("number"), caller)}, 201)
            case "DELETE", ["claims", number]:
                pickup.give_up(unquote(number), caller)
                return Reply(204)
            case "GET", ["faults"]:
                rows = caller.book.rows("faults", ("account_id", "=", caller.account), order="id")
                return in_json({"data": [faults.told(row) for row in rows]})
            case "POST", ["faults"]:
                return in_json(faults.told(faults.add(_read(Fault, given), caller)), 201)
            case "DELETE", ["faults", *which] if len(which) < 2:
                return _mended(which, caller)
            case "POST", ["codes"]:
                code = access.new_code(caller.book, caller.account, milliseconds(self._real()))
                return in_json({"code": code}, 201)
            case "POST", ["webhooks"]:
                return _webhooks(given, caller)
        raise not_found("such path or method")

    def _recording(self, name: list[str]) -> Reply:
        """A recording for whoever knows its address (contract A66)."""
        call_id = name[0].removesuffix(".wav") if len(name) == 1 and name[0].endswith(".wav") else ""
        with self._gateway.moment(writing=False) as moment:
            row = moment.book.find("calls", id=call_id)
            if row is None:
                raise not_found("recording of this call")
            return _recording(call_id, self._gateway.caller(moment, row["account_id"]))

    def _session(self, arrived: Arrived) -> Reply:
        code = _json(arrived).get("code")
        with self._gateway.store.write() as book:
            cookie = access.redeem(book, code, arrived, milliseconds(self._real()))
        return Reply(204, headers={"set-cookie": cookie})

    def _set_clock(self, given: Mapping[str, Any], caller: Caller) -> Reply:
        clock = self._gateway.clock
        deeds: dict[str, Callable[..., None]] = {"advance_seconds": clock.advance, "speed": clock.speed}
        if not given or given.keys() - deeds.keys():
            raise invalid(Wrong("body", "must be an object with advance_seconds or speed"))
        for name, value in given.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise invalid(Wrong(name, "must be a number"))
            try:
                deeds[name](caller.book, value)
            except (ValueError, OverflowError) as wrong:
                raise invalid(Wrong(name, str(wrong))) from None
        return self._time(caller)

    def _time(self, caller: Caller) -> Reply:
        clock = self._gateway.clock
        return in_json({"now": iso(clock.now(caller.book)), "speed": clock.pace(caller.book)})


def _rings(caller: Caller, *, all_of_them: bool) -> Reply:
    """The phones that rang, in that order; those that campaigns rang only where they are asked for."""
    mine = (("account_id", "=", caller.account), ("rings_at", "<=", caller.now))
    alone = () if all_of_them else (("campaign_id", "is", None),)
    names = ("phone_number", "key", "campaign_id")
    rang = [
        {"at": iso(row["rings_at"]), "call_id": row["id"], **{name: row[name] for name in names}}
        for row in caller.book.rows("calls", *mine, *alone, order="rings_at ordinal")
    ]
    return in_json({"data": rang})


def _recording(call_id: str, caller: Caller) -> Reply:
    call = call_seen(calls.own(call_id, caller), caller.now)
    if not call.recorded:
        raise not_found("recording of this call")
    return Reply(200, recording(call), {"content-type": "audio/wav"})


def _transferred(call_id: str, given: Mapping[str, Any], caller: Caller) -> Reply:
    """A transfer that somebody orders; the sandbox makes none by itself (contract A115)."""
    row = calls.in_progress(call_id, caller)
    try:
        to = E164.parse(str(given.get("to", "")))
    except ValueError as wrong:
        raise invalid(Wrong("to", str(wrong))) from None
    events.transferred(row, to, caller)
    return Reply(204)


def _mended(which: list[str], caller: Caller) -> Reply:
    one = tuple(("id", "=", int(number)) for number in which if _FAULT_ID.fullmatch(number))
    if which and not one:
        raise not_found("fault with this id")
    caller.book.remove("faults", ("account_id", "=", caller.account), *one)
    return Reply(204)


def _webhooks(given: Mapping[str, Any], caller: Caller) -> Reply:
    """Set what webhooks are signed with; None leaves them unsigned."""
    if given.keys() != {"secret"} or not isinstance(given["secret"], str | None):
        raise invalid(Wrong("body", "must be an object with secret, a text or null"))
    caller.book.change("accounts", ("id", "=", caller.account), webhook_secret=given["secret"] or None)
    return Reply(204)


def _json(arrived: Arrived) -> dict[str, Any]:
    if arrived.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise invalid(Wrong("Content-Type", "must be application/json"))
    given = arrivals.body(arrived)
    try:
        json.dumps(given, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise invalid(Wrong("body", "must hold no text that UTF-8 cannot write")) from None
    return given


def _read(kind: type[Any], given: Mapping[str, Any]) -> Any:
    try:
        return kind.model_validate(given)
    except ValidationError as report:
        items = report.errors(include_url=False, include_input=False, include_context=False)
        raise invalid(
            *(
                Wrong(".".join(map(str, item["loc"])) or "body", item["msg"].removeprefix("Value error, "))
                for item in items
            )
        ) from None
