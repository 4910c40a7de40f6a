"""How a deed that needs a person's yes is done: look, judge, ask, write down, send, settle.

The key of the confirmation is the journal's primary key and the dial's `Idempotency-Key`: the same yes,
repeated by a retry, a crash, a replay or a second window, is the same deed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .action import Effect, R
from .api.calls import GetCall, ListCalls, PlaceCall
from .endpoint import ON_THE_WIRE, Endpoint
from .errors import Broken, Declined, Refused, TopCallsError, Unreachable
from .guard import Facts, judge
from .journal import AskRow, DialRow
from .question import question
from .steps import ASK_LIVES, READS_FOR, TO_DIAL, Answer, Ask, Desk, Flow, Keep, Sleep, read, transmit

LEASE = timedelta(seconds=60)
"""How long the process that began a dial has it to itself."""
LOOK_AGAIN = 0.25
"""Seconds between two looks at a dial that another process has begun."""
UNASKED = "With a live key a person would be asked first."


@dataclass(frozen=True, slots=True)
class _Look:
    """What is known of a deed before it is done: the previews' replies, and what the rules want to be
    known."""

    seen: tuple[Any, ...]
    reasons: tuple[str, ...]


def agreed(request: Endpoint[R], desk: Desk, answer: Answer | None) -> Flow[R]:
    """Do what needs a yes. An answer is handed in, or the person is asked; one yes does one deed, however
    often."""
    look = yield from _look(request, desk)
    digest = _digest(request, look, desk)
    mine = _ask_row(request, look, digest, desk)
    ask: AskRow = yield Keep(lambda: desk.journal().open_ask(mine))
    note: str | None = None
    if ask.decision is None:
        put = Ask(
            question(request, look.seen, look.reasons, desk.live), ask.key, digest, ask.target, ask.minutes
        )
        if answer is None:
            answer = yield put
            desk.restart()
            look = yield from _look(request, desk)  # the world moves while a person thinks
            if _digest(request, look, desk) != digest:
                raise Refused(
                    "same-deed", "What this deed is about has changed meanwhile; call again to be asked anew."
                )
        yield from _heard(put, answer, ask, desk)
        note = UNASKED if answer.by == "practice" else None
    elif answer is not None and answer.seal != f"{ask.key}.{digest}":
        raise _other_question()
    if ask.decision == "no":
        raise Declined(_NO)
    deed = _dial if request.effect is Effect.SPEND else _once
    reply: R = yield from deed(request, ask, look, desk)
    return reply.model_copy(update={"note": note}) if note else reply


_NO = "The person in charge said no, and nothing was sent; ask them before anything else is tried."


def _look(request: Endpoint[Any], desk: Desk) -> Flow[_Look]:
    seen = []
    for preview in request.preview():
        seen.append((yield from read(preview, desk)))
    return _Look(tuple(seen), judge(request, Facts(desk.clock(), tuple(seen))))


def _digest(request: Endpoint[Any], look: _Look, desk: Desk) -> str:
    """What a yes is bound to, as a digest under the owner's secret: deed, arguments, object, account,
    policy."""
    sealed = {
        "tool": request.tool,
        "arguments": request.model_dump(mode="json", exclude_none=True, context=ON_THE_WIRE),
        "object": request.target(look.seen),
        "account": desk.account,
        "line": desk.line,
        "policy": desk.policy,
    }
    text = json.dumps(sealed, sort_keys=True, ensure_ascii=False)
    return hmac.new(desk.secret(), text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]


def _ask_row(request: Endpoint[Any], look: _Look, digest: str, desk: Desk) -> AskRow:
    now = desk.clock()
    return AskRow(
        key=uuid.uuid4().hex,
        account=desk.account,
        line=desk.line,
        tool=request.tool,
        digest=digest,
        target=request.target(look.seen),
        minutes=request.most_minutes(look.seen),
        asked_at=now,
        expires_at=now + ASK_LIVES,
    )


def _heard(put: Ask, answer: Answer, ask: AskRow, desk: Desk) -> Flow[None]:
    """Take an answer for what it is. A yes returns; a no is written down; anything else leaves the
    question open."""
    if answer.seal != put.seal:
        raise _other_question()
    if answer.yes is None:
        raise Declined("Nobody answered, and nothing was sent; the same call again asks again.")
    if answer.by == "form" and desk.strict and desk.clock() - ask.asked_at < READS_FOR:
        raise Declined(
            "The form came back faster than a person reads, so it counts as unanswered and nothing was sent; "
            "turn off automatic answers to forms in the assistant, then call again."
        )
    if not answer.yes:
        now = desk.clock()
        yield Keep(lambda: desk.journal().decline(ask.key, now))
        raise Declined(_NO)


def _other_question() -> Refused:
    return Refused(
        "one-yes-one-deed",
        "This answer was given to another question, or more than 10 minutes ago; call again to be "
        "asked anew.",
    )


def _once(request: Endpoint[R], ask: AskRow, look: _Look, desk: Desk) -> Flow[R]:
    """Add or delete: the yes is marked used before the request leaves, and a second use tells what became
    of it."""
    now = desk.clock()
    used: AskRow = yield Keep(lambda: desk.journal().use(ask.key, now))
    if used.used_at is not None:
        if used.reply is not None:
            return _replayed(request, used.reply, used.used_at)
        raise Unreachable(
            f"This was sent at {_iso(used.used_at)} with the same yes and nobody knows what became of it; "
            "list what there is before it is tried again."
        )
    try:
        reply = request.reply((yield from transmit(request, desk, ask.key)))
    except TopCallsError as error:
        if error.happened is False:
            yield Keep(lambda: desk.journal().close_ask(ask.key, desk.clock()))
        raise
    yield Keep(lambda: desk.journal().record(ask.key, reply.model_dump(mode="json")))
    return reply


def _dial(request: Endpoint[R], ask: AskRow, look: _Look, desk: Desk) -> Flow[R]:
    """Ring: the dial is written down before a byte leaves, under the confirmation's own key."""
    if desk.left() < TO_DIAL:
        raise Refused("time-left", "Too little time was left to dial safely; the same call again goes on.")
    now = desk.clock()
    mine = DialRow(
        key=ask.key,
        account=desk.account,
        tool=request.tool,
        arguments=request.model_dump(mode="json", exclude_none=True),
        digest=ask.digest,
        target=ask.target,
        minutes=ask.minutes,
        state="sending",
        sent_at=now,
    )

    def consent() -> None:
        judge(request, Facts(now, look.seen))

    row, ours = yield Keep(lambda: desk.journal().claim(mine, now, consent))
    while not ours and row.state == "sending":
        row, ours = yield from _taken_over(row, desk)
    match row.state:
        case "placed":
            return _replayed(request, row.reply or {}, row.settled_at or row.sent_at)
        case "sending":
            return (yield from _ring(request, row, desk))
        case "unknown":
            return (yield from _adopted(request, row, desk, _in_doubt(row)))
        case _:
            raise Declined("This yes is spent: TopCalls refused the call; call again to be asked anew.")


def _taken_over(row: DialRow, desk: Desk) -> Flow[tuple[DialRow, bool]]:
    """Wait for the process that began a dial, and take the dial over when its lease has run out."""
    now = desk.clock()
    if now - row.sent_at > LEASE:
        taken: tuple[DialRow, bool] = yield Keep(lambda: desk.journal().take_over(row.key, now, LEASE))
        return taken
    if desk.left() < TO_DIAL:
        raise _in_doubt(row)
    yield Sleep(LOOK_AGAIN)
    current: DialRow = yield Keep(lambda: desk.journal().dial(row.key))
    return current, False


def _ring(request: Endpoint[R], row: DialRow, desk: Desk) -> Flow[R]:
    try:
        placed = request.reply((yield from transmit(request, desk, row.key)))
    except Broken as error:
        return (yield from _adopted(request, row, desk, error))
    except TopCallsError as error:
        if error.happened is False:
            yield Keep(lambda: desk.journal().settle(row.key, "failed", desk.clock()))
        raise
    yield Keep(lambda: desk.journal().settle(row.key, "placed", desk.clock(), placed.model_dump(mode="json")))
    return placed


def _adopted(request: Endpoint[R], row: DialRow, desk: Desk, doubt: TopCallsError) -> Flow[R]:
    """After an answer that proves nothing: the one call that can only be ours is ours; else the doubt
    remains."""
    found = []
    if isinstance(request, PlaceCall):
        recent = yield from read(ListCalls(limit=50), desk)
        for call in recent.data:
            if _could_be(request, call.phone_number, call.created_at, row.sent_at):
                single = yield from read(GetCall(call_id=call.id), desk)
                brief = (single.metadata or {}).get("task" if request.task else "instructions")
                found += [single] if brief == (request.task or request.instructions) else []
    if len(found) != 1:
        yield Keep(lambda: desk.journal().settle(row.key, "unknown", desk.clock()))
        raise doubt
    reply = {"call_id": found[0].id, "provider_call_id": found[0].external_call_id, "status": found[0].status}
    yield Keep(lambda: desk.journal().settle(row.key, "placed", desk.clock(), reply))
    return _reply_of(request, reply)


def _could_be(request: PlaceCall, number: str | None, created_at: str | None, sent_at: datetime) -> bool:
    try:
        created = datetime.fromisoformat(created_at or "")
    except ValueError:
        return False
    return number == request.phone_number and timedelta() <= created - sent_at <= ASK_LIVES


def _in_doubt(row: DialRow) -> Unreachable:
    return Unreachable(
        f"This was sent at {_iso(row.sent_at)} with the same yes and nobody knows whether a phone rang; "
        "list_calls shows whether it did, and the same call again looks once more."
    )


def _replayed(request: Endpoint[R], reply: dict[str, Any], at: datetime) -> R:
    return _reply_of(request, {**reply, "replayed": True, "first_at": _iso(at)})


def _reply_of(request: Endpoint[R], reply: dict[str, Any]) -> R:
    kind: type[R] = request.reply_type  # type: ignore[assignment]  # a ClassVar cannot name R
    return kind.model_validate(reply)


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
