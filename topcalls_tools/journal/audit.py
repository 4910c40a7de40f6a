"""Whether the tables that the program works with say what the chain of evidence says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, exists, func, select

from .statements import LINKED, STRAY, questioned
from .tables import asks, dials, do_not_call, evidence, personal, stops

_AT_ONCE = 1_000
_NOUNS = {asks: "question", dials: "dial", stops: "stop of", do_not_call: "number that is not to be called,"}
_HOLDS = {asks: "question", dials: "request", stops: "stop-all", do_not_call: "blocked"}
"""The kind of link without which a row of a table has no reason to be there."""
_Told = dict[str, Any]


def differences(db: Connection) -> Iterator[str]:
    """What the tables hold otherwise than the chain tells it, a sentence each.

    Rows of before there was evidence have no links: of those only what was told since is compared.
    """
    for key, links in groupby(_streamed(db, _LIVES), key=lambda link: link[evidence.c.key]):
        yield from _of_key(key, list(links))
    began = db.scalar(select(evidence.c.at).order_by(evidence.c.seq).limit(1))
    if began is not None:
        yield from _unheard_of(db, began)


_LIVES = (
    select(
        *(evidence.c[name] for name in ("seq", "account", "at", "kind", "key", "facts", "digest")),
        personal.c.id,
        *asks.c,
        *dials.c,
        *stops.c,
        *do_not_call.c,
    )
    .outerjoin(personal, personal.c.id == evidence.c.personal)
    .outerjoin(asks, asks.c.key == evidence.c.key)
    .outerjoin(dials, dials.c.key == evidence.c.key)
    .outerjoin(stops, stops.c.account == evidence.c.key)
    .outerjoin(do_not_call, do_not_call.c.number == evidence.c.key)
    .order_by(evidence.c.key, evidence.c.seq)
)


def _streamed(db: Connection, statement: Any) -> Iterable[RowMapping]:
    return db.execute(statement, execution_options={"yield_per": _AT_ONCE}).mappings()


def _of_key(key: str, links: list[RowMapping]) -> Iterator[str]:
    """What the rows under one key say otherwise than its links, of which there is one at least."""
    erased = max((link[evidence.c.seq] for link in links if link[evidence.c.kind] == "erased"), default=0)
    for link in links:
        gone = link[evidence.c.digest] is not None and link[personal.c.id] is None
        if gone and link[evidence.c.seq] > erased:
            seq = link[evidence.c.seq]
            yield f"What is personal of entry {seq}, of {key}, is gone, and no entry says that it was erased."
    for table, told in _told(links).items():
        noun, (name,) = _NOUNS[table], table.primary_key.columns
        if told and links[0][name] is None:
            yield f"The {noun} {key} is gone."
            continue
        for column, value in told.items():
            held = links[0][table.c[column]]
            if held != value:
                said = f"is {_word(held)}, and was {_word(value)} when it was written"
                yield f"The {noun} {key} is not what its entries say: {column} {said}."


def _told(links: list[RowMapping]) -> dict[Table, _Told]:
    """What the links of one key say of each table's row, as far as they say it."""
    ask: _Told = {}
    dial: _Told = {}
    stop: _Told = {}
    block: _Told = {}
    for link in links:
        facts, at = link[evidence.c.facts], link[evidence.c.at]
        whose = {"account": link[evidence.c.account], "tool": facts.get("tool")}
        match link[evidence.c.kind]:
            case "question":
                nothing = {"decision": None, "by": None, "used_at": None}
                until = datetime.fromisoformat(facts.get("expires_at", ""))
                ask = nothing | ask | whose | {"minutes": facts.get("minutes"), "expires_at": until}
            case "answer":
                ask |= {"decision": facts.get("decision"), "by": facts.get("by"), "decided_at": at}
                if facts.get("decision") == "no":
                    ask["used_at"] = at
            case "request":
                ask["used_at"] = at
                if "minutes" in facts:  # a dial's: what adds or deletes uses none
                    dial = whose | {"minutes": facts["minutes"], "sent_at": at} | _outcome("sending")
            case "outcome" if facts.get("state") != "done":
                dial |= _outcome(facts.get("state"), facts.get("call_id"), at)
            case "closed":
                dial |= {"used_minutes": facts.get("used_minutes"), "closed_at": at}
            case "lapsed":
                ask["expires_at"] = at
            case "stop-all":
                stop = {"at": at}
            case "blocked":
                block = {"at": at}
            case "unblocked":
                block = {}
    return {asks: ask, dials: dial, stops: stop, do_not_call: block}


def _outcome(state: str | None, call_id: str | None = None, at: datetime | None = None) -> _Told:
    over = state == "failed"
    closed = {"closed_at": at if over else None, "used_minutes": 0.0 if over else None}
    return {"state": state, "call_id": call_id, "settled_at": at, **closed}


def _unheard_of(db: Connection, began: datetime) -> Iterator[str]:
    """What stands in the tables though no link tells of it; rows from before there was evidence apart."""
    for table, kind in _HOLDS.items():
        (name,) = table.primary_key.columns
        made = {asks: asks.c.asked_at, dials: dials.c.sent_at}.get(table)
        unheard: ColumnElement[bool] = ~exists().where(evidence.c.key == name, evidence.c.kind == kind)
        if made is not None:
            unheard &= (made >= began) | questioned(name)
        for row in _streamed(db, select(name).where(unheard).order_by(name)):
            yield f"No entry tells of the {_NOUNS[table]} {row[name]}."
    strange = STRAY | (~LINKED & (personal.c.at >= began))
    count = func.count().label("count")
    for row in _streamed(db, select(personal.c.key, count).where(strange).group_by(personal.c.key)):
        yield f"Something personal stands under {row[personal.c.key]}, and no entry tells of it."


def _word(value: Any) -> str:
    return "nothing" if value is None else value.isoformat() if isinstance(value, datetime) else str(value)
