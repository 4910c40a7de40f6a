"""How a deed that needs a person's yes is done: look, judge, ask, write down, and then add, delete or
dial.

The key of the confirmation is the journal's primary key and the dial's `Idempotency-Key`: the same yes,
repeated by a retry, a crash, a replay or a second window, is the same deed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from dataclasses import dataclass
from typing import Any

from .action import Effect, R
from .dial import declared, dial, iso, kept, replayed
from .endpoint import ON_THE_WIRE, Done, Endpoint
from .errors import Declined, Misconfigured, Refused, TopCallsError, Unreachable
from .guard import Facts, judge
from .journal import AskRow
from .question import question
from .steps import ASK_LIVES, READS_FOR, TO_DIAL, Answer, Ask, Desk, Flow, Keep, read, transmit

UNASKED = "With a live key a person would be asked first."
_AGREED_BEFORE = (
    "This was agreed to before, and this no came too late to keep it from being sent; list_calls shows what "
    "became of it, and stop_call hangs up."
)
_CHANGED = "What this deed is about has changed meanwhile; call again to be asked anew."
_NO = "The person in charge said no, and nothing was sent; ask them before anything else is tried."


def agreed(request: Endpoint[R], desk: Desk, answer: Answer | None) -> Flow[R]:
    """Do what needs a yes. An answer is handed in, or the person is asked; one yes does one deed, however
    often."""
    if desk.trouble:
        raise Misconfigured(desk.trouble)
    look = yield from _look(request, desk)
    digest = _digest(request, look, desk)
    mine = _ask_row(request, look, digest, desk)
    ask: AskRow = yield Keep(lambda: desk.journal().open_ask(mine, shown=answer is None))
    if answer is not None:
        _fits(answer, ask)
        if ask.decision is None and _most(request, look) > ask.minutes:
            raise Refused("same-deed", _CHANGED)
    note: str | None = None
    match ask.decision:
        case "no":
            raise Declined(_NO)
        case "yes" if answer is not None and answer.yes is not True:
            raise Declined(_AGREED_BEFORE)
        case None:
            if answer is None:
                answer = yield from _put(request, look, ask, desk)
                _fits(answer, ask)
                look = yield from _look(request, desk)  # the world moves while a person thinks
                if _digest(request, look, desk) != digest or _most(request, look) > ask.minutes:
                    raise Refused("same-deed", _CHANGED)
            yield from _heard(answer, ask, desk)
            note = UNASKED if answer.by == "practice" else None
    reply: R
    if request.effect is not Effect.SPEND:
        reply = yield from _once(request, ask, desk)
    elif desk.left() < TO_DIAL:
        yield Keep(lambda: desk.journal().agree(ask.key))
        raise Refused("time-left", "Too little time was left to dial safely; the same call again goes on.")
    else:
        reply = yield from dial(request, ask, look.seen, desk)
    unsaid = note and isinstance(reply, Done) and reply.note is None
    return reply.model_copy(update={"note": note}) if unsaid else reply


@dataclass(frozen=True, slots=True)
class _Look:
    """What is known of a deed before it is done: the previews' replies, and what the rules want to be
    known."""

    seen: tuple[Any, ...]
    reasons: tuple[str, ...]


def _put(request: Endpoint[Any], look: _Look, ask: AskRow, desk: Desk) -> Flow[Answer]:
    """Ask the person. A question that nobody can be shown, or nobody answers, is not left standing."""
    words = question(request, look.seen, look.reasons, desk.live)
    try:
        answer: Answer = yield Ask(words, ask.key, ask.digest, ask.target, ask.minutes)
    except TopCallsError:
        yield Keep(lambda: desk.journal().close_ask(ask.key, desk.clock()))
        raise
    desk.restart()
    return answer


def _fits(answer: Answer, ask: AskRow) -> None:
    """An answer counts for the question that it was given to, and for no other."""
    if answer.seal != f"{ask.key}.{ask.digest}":
        raise Refused(
            "one-yes-one-deed",
            "This answer was given to another question, or more than 10 minutes ago; call again to be asked "
            "anew.",
        )


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
        minutes=_most(request, look),
        asked_at=now,
        expires_at=now + ASK_LIVES,
    )


def _most(request: Endpoint[Any], look: _Look) -> float:
    """The most minutes that the deed can use, as the question says them: to two decimals."""
    return round(request.most_minutes(look.seen), 2)


def _heard(answer: Answer, ask: AskRow, desk: Desk) -> Flow[None]:
    """Take an answer for what it is. A yes returns, a no is written down, anything else is no answer."""
    if answer.after is not None and desk.strict and answer.after < READS_FOR:
        raise Declined(
            "The form came back faster than a person reads, so it counts as unanswered and nothing was sent; "
            "turn off automatic answers to forms in the assistant, then call again."
        )
    if answer.yes is None:
        yield Keep(lambda: desk.journal().close_ask(ask.key, desk.clock()))
        raise Declined("Nobody answered, and nothing was sent; the same call again asks again.")
    if not answer.yes:
        stands: AskRow = yield Keep(lambda: desk.journal().decline(ask.key, desk.clock()))
        raise Declined(_NO if stands.decision == "no" else _AGREED_BEFORE)


def _once(request: Endpoint[R], ask: AskRow, desk: Desk) -> Flow[R]:
    """Add or delete: the yes is marked used before the request leaves, and a second use tells what became
    of it."""
    used: AskRow = yield Keep(lambda: desk.journal().use(ask.key, desk.clock()))
    if used.used_at is not None:
        if used.reply is not None:
            return replayed(request, used.reply, used.used_at)
        raise Unreachable(
            f"This was sent at {iso(used.used_at)} with the same yes and nobody knows what became of it; "
            "list what there is before it is tried again."
        )
    try:
        reply = request.reply((yield from transmit(request, desk, ask.key)))
    except TopCallsError as error:
        if error.happened is False:
            yield Keep(lambda: desk.journal().close_ask(ask.key, desk.clock()))
        raise
    return (yield from kept(reply, lambda: desk.journal().record(ask.key, declared(reply))))
