"""What is known around a deed, gathered for the guard: the previews' replies and the journal's sums."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from ..action import Action
from ..dnc import digest
from ..endpoint import Endpoint
from ..errors import Misconfigured, Refused
from ..guard import Facts, Rung, Said, judge, reached
from ..journal import CLOCKS_DIFFER, AskRow, DialRow, Inquiry, Ledger
from ..wire import iso
from .steps import Desk, Flow, Keep, read


@dataclass(frozen=True, slots=True)
class Known:
    """The previews' replies, and when they were asked for."""

    seen: tuple[Any, ...]
    at: datetime


def looked(request: Endpoint[Any], desk: Desk) -> Flow[Known]:
    """Read what a deed's question shows."""
    at, seen = desk.clock(), []
    for preview in request.preview():
        seen.append((yield from read(preview, desk)))
    return Known(tuple(seen), at)


def inquiry(request: Endpoint[Any], known: Known, desk: Desk) -> Inquiry:
    """What the ledger is asked before a deed."""
    return Inquiry(desk.account, known.at, tuple(_whose(request, known, desk)))


def heard(request: Endpoint[Any], known: Known, sealed: str, desk: Desk) -> Flow[tuple[Said, ...]]:
    """What the rules say of a deed now, which may be done already: `sealed` is its digest. Raises the first
    refusal."""
    asked = inquiry(request, known, desk)
    ledger: Ledger = yield Keep(lambda: desk.journal().ledger_of(sealed, asked, desk.clock()))
    return judged(request, known, ledger, desk)


def judged(request: Endpoint[Any], known: Known, ledger: Ledger, desk: Desk) -> tuple[Said, ...]:
    """What the rules say of a deed, by what the ledger says; raises the first refusal."""
    return judge(request, facts(request, known, ledger, desk), desk.policy())


def facts(request: Action[Any], known: Known, ledger: Ledger, desk: Desk) -> Facts:
    """All that the rules may know of a deed."""
    whose = _whose(request, known, desk) if desk.noted() else {}
    never = desk.dnc().numbers(desk.account).keys()
    rung: dict[str, list[Rung]] = {}
    for one in ledger.earlier:
        if number := whose.get(one.callee):
            rung.setdefault(number, []).append(Rung(one.sent_at, one.state, one.under_way))
    return Facts(
        now=desk.clock(),
        seen=known.seen,
        contacts=desk.contacts(),
        blocked=frozenset(whose[one] for one in ledger.blocked) | (never & set(reached(request, known.seen))),
        day_minutes=ledger.day_minutes,
        month_minutes=ledger.month_minutes,
        unseen_minutes=ledger.unseen_minutes,
        day_calls=ledger.day_calls,
        oldest=ledger.oldest,
        calls_under_way=ledger.calls_under_way,
        rung={number: tuple(dials) for number, dials in rung.items()},
    )


def consent(
    request: Endpoint[Any], known: Known, ledger: Ledger, ask: AskRow, agreed_at: datetime, desk: Desk
) -> None:
    """Judge once more, inside the transaction that writes the deed down. A yes from before a stop is none,
    and neither is one to a question that did not say what a rule has a person asked about now."""
    if (stopped := stopped_at(ledger, desk)) and stopped >= agreed_at:
        raise Refused(
            "stop-all",
            f"Everything was stopped at {iso(stopped)}, after this yes; call again to be asked anew.",
        )
    said = judged(request, known, ledger, desk)
    shown = (ask.question or {}).get("rules", ())
    if desk.strict and (new := [one for one in said if one.asks and one.rule not in shown]):
        raise Refused("same-deed", f"{new[0].why} The question did not say so; call again to be asked anew.")


def allowed(request: Endpoint[Any], known: Known, row: DialRow, desk: Desk) -> Flow[bool]:
    """Whether a dial that another process began may still be sent: its own minutes are reserved already."""
    asked = replace(inquiry(request, known, desk), besides=row.key)
    ledger: Ledger = yield Keep(lambda: desk.journal().ledger(asked, desk.clock()))
    ask: AskRow | None = yield Keep(lambda: desk.journal().asked(row.key))
    if ask is None:
        return False
    try:
        consent(request, known, ledger, ask, row.agreed_at, desk)
    except (Refused, Misconfigured):
        return False
    return True


def stopped_at(ledger: Ledger, desk: Desk) -> datetime | None:
    """When everything was stopped last, by the file beside the journal, or by the journal: by the clock of
    another machine then, whose yeses may be older than they look."""
    here, shared = desk.stopped_at(), ledger.stopped_at
    return here if shared is None or (here and here >= shared) else shared + CLOCKS_DIFFER


def _whose(request: Action[Any], known: Known, desk: Desk) -> dict[str, str]:
    """The numbers of a deed by what the journal knows them by: for every account, and for this one."""
    these, secret = reached(request, known.seen), desk.secret()
    return {name: one for one in these for name in (digest(desk.account, one, secret), _callee(one, secret))}


def callee(number: str, desk: Desk) -> str:
    """What the journal knows a number by, for every account: a digest under the owner's secret."""
    return _callee(number, desk.secret())


@lru_cache(4096)
def _callee(number: str, secret: bytes) -> str:
    return hmac.new(secret, f"callee {number}".encode(), hashlib.sha256).hexdigest()
