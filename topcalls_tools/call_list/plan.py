"""What a list of calls comes to before anybody is asked: which may be placed, which not, and the question."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from ..errors import Refused
from ..flow.consent import Draft, drafted
from ..flow.facts import Known, callee, inquiry, judged, looked
from ..flow.question import Question
from ..flow.reconcile import bookkeeping
from ..flow.steps import ASK_LIVES, Desk, Flow, Keep
from ..guard.compose import own_brief
from ..journal import AskRow, DialRow, Ledger
from ..journal.lists import dialled
from ..wire import iso
from . import Entry

BETWEEN = timedelta(minutes=2)
"""What ringing and looking take beside the minutes of a call."""
LONGEST = timedelta(hours=2)
"""How long the yes to a list counts at most."""


@dataclass(frozen=True, slots=True)
class Item:
    """A call that may be placed, as far as the guard can say now."""

    entry: Entry
    draft: Draft


@dataclass(frozen=True, slots=True)
class Left:
    """Somebody who is not called, and why, in our words."""

    entry: Entry
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What one question is put about. `row` is that question as it is written down once it is answered."""

    items: tuple[Item, ...]
    left: tuple[Left, ...]
    question: Question
    row: AskRow


def planned(entries: tuple[Entry, ...], desk: Desk, *, stop_after: int, again: bool) -> Flow[Plan]:
    """Judge each call of a list, and word the one question. Whoever was called before with the same words is
    left out, but for `again`. Nothing is written down."""
    yield from bookkeeping(desk)  # what a run before this has left
    desk.restart()
    known = yield from looked(entries[0].request, desk)
    numbers = [callee(entry.request.phone_number, desk) for entry in entries]
    rows: list[DialRow] = yield Keep(lambda: dialled(desk.journal(), desk.account, numbers))
    items: list[Item] = []
    left: list[Left] = []
    for entry in entries:
        desk.restart()
        if (before := _before(entry, rows)) and (why := _called(before, again, desk.clock())):
            left.append(Left(entry, why))
            continue
        try:
            items.append(Item(entry, (yield from drafted(entry.request, known, desk))))
        except Refused as refusal:
            left.append(Left(entry, str(refusal)))
    together = yield from _together(items, known, desk)
    now = desk.clock()
    minutes = sum(item.draft.row.minutes for item in items)
    until = now + min(ASK_LIVES + timedelta(minutes=minutes) + BETWEEN * len(items), LONGEST)
    question = worded(tuple(items), tuple(left), together, until, stop_after)
    row = AskRow(
        key=uuid.uuid4().hex,
        account=desk.account,
        line=desk.line,
        tool="call_list",
        digest=_digest(items, desk),
        target="1 call" if len(items) == 1 else f"{len(items)} calls",
        minutes=minutes,
        asked_at=now,
        expires_at=until,
        question=question.document(),
    )
    return Plan(tuple(items), tuple(left), question, row)


def worded(
    items: tuple[Item, ...],
    left: tuple[Left, ...],
    together: tuple[str, ...],
    until: datetime,
    stop_after: int,
) -> Question:
    """One question that lists every call whole. What is the same of all stands in it once."""
    if not items:
        return Question("Nobody on this list is called.", (), tuple(_of_left(left)))
    words = [item.draft.words for item in items]
    same_lines = [line for line in words[0].lines if all(line in one.lines for one in words)]
    same_values = [
        pair
        for pair in words[0].quoted
        if len(items) > 1 and pair[0] != "task" and all(pair in one.quoted for one in words)
    ]
    minutes = sum(item.draft.row.minutes for item in items)
    lines = [
        f"Each is judged again before it rings. Together they can use up to {minutes:,.10g} call minutes.",
        f"This yes counts until {until.astimezone():%H:%M}; who was not called by then is not called.",
        f"No further call after {stop_after} in a row that reach nobody.",
        *together,
        *(["Of each call:", *same_lines] if same_lines else []),
    ]
    quoted: list[tuple[str, str]] = []
    for place, (item, one) in enumerate(zip(items, words, strict=True), start=1):
        own = [line for line in one.lines if line not in same_lines]
        lines += [f"{place}. {item.entry.request.phone_number}: {' '.join(own)}"] if own else []
        known = [("in the file", item.entry.name)] if item.entry.name else []
        values = [*known, *(pair for pair in one.quoted if pair not in same_values)]
        quoted += [(f"{place}. {label}", value) for label, value in values]
    quoted += [(f"of each: {label}", value) for label, value in same_values]
    _, _, world = words[0].title.partition("? ")
    title = f"Place {len(items)} call{'s, one after the other' * (len(items) > 1)}? {world}"
    rules = tuple(dict.fromkeys(rule for one in words for rule in one.rules))
    return Question(title, tuple(lines), (*quoted, *_of_left(left)), words[0].closing, words[0].live, rules)


def _of_left(left: tuple[Left, ...]) -> Iterator[tuple[str, str]]:
    for one in left:
        yield f"Not called: line {one.entry.line}. {one.why} There stands", one.entry.who


def _before(entry: Entry, rows: list[DialRow]) -> DialRow | None:
    """The newest dial with the same words to the same number."""
    number, words = entry.request.phone_number, own_brief(entry.request.task or "").rstrip()
    for row in rows:
        if (
            row.arguments.get("phone_number") == number
            and own_brief(row.arguments.get("task") or "").rstrip() == words
        ):
            return row
    return None


def _called(row: DialRow, again: bool, now: datetime) -> str | None:
    """Why a call that was placed before is not placed now; None where it may be."""
    when = f"It was called with these words at {iso(row.sent_at)}"
    if row.state != "placed":
        return f"{when}, and nobody knows whether it rang; topcalls journal settle finds out."
    if not again:
        return f"{when}; --again calls once more."
    anew = row.sent_at + ASK_LIVES
    within = f"{when}, and the same call within ten minutes is that one; try from {iso(anew)} on."
    return within if now < anew else None


def _together(items: list[Item], known: Known, desk: Desk) -> Flow[tuple[str, ...]]:
    """What the guard will say of the later calls, if each before them lasts as long as it may."""
    minutes, told = 0.0, []
    for place, item in enumerate(items):
        request, row = item.draft.request, item.draft.row
        asked = inquiry(request, known, desk)
        ledger: Ledger = yield Keep(partial(desk.journal().ledger_of, row.digest, asked, desk.clock()))
        then = replace(
            ledger,
            day_minutes=ledger.day_minutes + minutes,
            month_minutes=ledger.month_minutes + minutes,
            unseen_minutes=ledger.unseen_minutes + minutes,
            day_calls=ledger.day_calls + place,
        )
        try:
            judged(request, known, then, desk)
        except Refused as refusal:
            told.append(f"If each lasts its longest, call {place + 1} will not be placed: {refusal}")
        minutes += row.minutes
    return tuple(told)


def _digest(items: list[Item], desk: Desk) -> str:
    """What the yes to a list is bound to: every call of it, in its order."""
    text = "\n".join(("call_list", desk.account, desk.line, *(item.draft.row.digest for item in items)))
    return hmac.new(desk.secret(), text.encode(), hashlib.sha256).hexdigest()[:32]
