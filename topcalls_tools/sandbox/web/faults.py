"""Faults on demand: replies that come late, broken or not at all, when somebody asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ...api import CATALOG
from ...endpoint import Endpoint
from ...wire import Reply
from ..caller import Caller
from ..problem import Problem, rate_limited
from ..script import dice
from ..store import Book, Row

Kind = Literal[
    "slow", "rate_limited", "error_before", "error_after", "cut_before", "cut_after", "garbled", "not_json"
]
BEFORE = frozenset({"rate_limited", "error_before", "cut_before"})
"""Faults that keep a request from being handled at all."""
EVERYWHERE = "*"


def _route(kind: type[Endpoint[Any]]) -> str:
    return f"{kind.method} {kind.path}"


ROUTES = frozenset({EVERYWHERE, *map(_route, CATALOG)})
_PAGE = b"<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>"


class Fault(BaseModel):
    """What goes wrong on which route, and how often: the next few times, every nth time, or by chance."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    route: str
    kind: Kind
    next: Annotated[int, Field(ge=1, le=10**6)] | None = None
    every: Annotated[int, Field(ge=1, le=10**6)] | None = None
    share: Annotated[float, Field(gt=0, le=1)] | None = None
    seconds: Annotated[float, Field(ge=0, le=120)] = 2
    """How late a slow reply comes; what Retry-After says of a limited one."""

    @model_validator(mode="after")
    def _once(self) -> Fault:
        if self.route not in ROUTES:
            raise ValueError("route is none of this API; write one such as POST /v1/calls, or *")
        if [self.next, self.every, self.share].count(None) != 2:
            raise ValueError("give one of next, every and share")
        return self

    @property
    def rhythm(self) -> tuple[str, float]:
        found = {"next": self.next, "every": self.every, "share": self.share}
        return next((name, float(value)) for name, value in found.items() if value is not None)


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back over the line: a reply, or None where the line is cut, so many real seconds late."""

    reply: Reply | None
    late: float = 0


def add(fault: Fault, caller: Caller) -> Row:
    """Order a fault for this account."""
    number, _ = caller.book.next(caller.kind("fault"), caller.now)
    rhythm, amount = fault.rhythm
    row = {"id": number, "account_id": caller.account, "route": fault.route, "kind": fault.kind}
    row |= {"rhythm": rhythm, "amount": amount, "seconds": fault.seconds, "seen": 0, "struck": 0}
    caller.book.add("faults", row)
    return row


def told(row: Row) -> dict[str, object]:
    """A fault as the controls show it."""
    amount = row["amount"] if row["rhythm"] == "share" else int(row["amount"])
    names = ("route", "kind", "seconds", "seen", "struck")
    return {"id": str(row["id"]), row["rhythm"]: amount, **{name: row[name] for name in names}}


def strike(book: Book, seed: str, account: str, kind: type[Endpoint[Any]]) -> Row | None:
    """Count a request against the account's faults; the one that strikes it, the oldest first."""
    struck, route = None, _route(kind)
    mine = ("account_id", "=", account)
    for row in book.rows("faults", mine, order="id"):
        if row["route"] not in (EVERYWHERE, route):
            continue
        seen = row["seen"] + 1
        hit = struck is None and _hits(row, seen, seed)
        book.change("faults", mine, ("id", "=", row["id"]), seen=seen, struck=row["struck"] + hit)
        if hit:
            struck = row
    return struck


def instead(row: Row) -> Answer:
    """The answer to a request that a fault keeps from being handled."""
    match row["kind"]:
        case "rate_limited":
            return Answer(rate_limited(round(row["seconds"])).reply())
        case "error_before":
            return Answer(_fault().reply())
        case _:
            return Answer(None)


def spoilt(row: Row, reply: Reply) -> Answer:
    """The answer to a request that was handled, as a fault leaves it."""
    status = 200 if reply.status == 204 else reply.status  # 204 may have no body, not even a broken one
    match row["kind"]:
        case "slow":
            return Answer(reply, late=row["seconds"])
        case "error_after":
            return Answer(_fault().reply())
        case "cut_after":
            return Answer(None)
        case "garbled":
            half = reply.content[: len(reply.content) // 2] or b"{"
            return Answer(Reply(status, half + b"\x00\xff", reply.headers))
        case _:
            return Answer(Reply(status, _PAGE, {"content-type": "text/html"}))


def _fault() -> Problem:
    return Problem(500, "internal_error", "Internal Server Error", "This fault was ordered in the sandbox")


def _hits(row: Row, seen: int, seed: str) -> bool:
    match row["rhythm"]:
        case "next":
            return bool(seen <= row["amount"])
        case "every":
            return seen % int(row["amount"]) == 0
        case _:
            return dice(f"{seed}:fault:{row['id']}", seen).random() < float(row["amount"])
