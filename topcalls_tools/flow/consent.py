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
from datetime import datetime
from functools import partial
from typing import Any

from ..action import Effect, R
from ..api.calls import PlaceCall
from ..contacts import Contact
from ..endpoint import ON_THE_WIRE, Done, Endpoint
from ..errors import Declined, Refused, TopCallsError, Unanswered, Unreachable
from ..guard import Said
from ..guard.compose import compose
from ..journal import AskRow, Ledger, Yes
from ..wire import iso
from .dial import declared, dial, kept, replayed
from .facts import Known, consent, heard, inquiry, looked
from .question import Question, question
from .reconcile import bookkeeping
from .steps import ASK_LIVES, TO_DIAL, Answer, Ask, Desk, Flow, Keep, transmit

UNASKED = "With a live key a person would be asked first."
_AGREED_BEFORE = (
    "This was agreed to before, and this no came too late to keep it from being sent; list_calls shows what "
    "became of it, and stop_call hangs up."
)
_NO = "The person in charge said no, and nothing was sent; ask them before anything else is tried."


def agreed(request: Endpoint[R], desk: Desk, answer: Answer | None) -> Flow[R]:
    """Do what needs a yes. An answer is handed in, or the person is asked; one yes does one deed, however
    often."""
    request = composed(request, desk)
    known = yield from looked(request, desk)
    digest = _digest(request, known, desk)
    if request.effect is Effect.SPEND:
        yield from bookkeeping(desk, besides=digest)
    said = yield from heard(request, known, digest, desk)
    words = _question(request, known, said, desk)
    mine = _ask_row(request, known, digest, words, desk)
    ask: AskRow
    if answer is None:
        ask = yield Keep(lambda: desk.journal().open_ask(mine))
    else:
        ask = _answered((yield Keep(partial(desk.journal().asked, answer.key))), answer, digest, desk)
    if ask.used_at is None and _most(request, known) > ask.minutes:
        yield from _changed(ask, desk)
    note: str | None = None
    match ask.decision:
        case "no":
            raise Declined(_NO)
        case "yes" if answer is not None and answer.yes is False and ask.used_at is None:
            yield Keep(lambda: desk.journal().close_ask(ask.key, desk.clock()))
            raise Declined(_NO)
        case "yes" if answer is not None and answer.yes is not True:
            raise Declined(_AGREED_BEFORE)
        case None:
            if answer is None:
                covered = _covered(request, said, desk)
                answer = yield from _put(words, ask, desk, covered=covered, opened=ask.key == mine.key)
                _answered(ask, answer, digest, desk)
                known = yield from looked(request, desk)  # the world moves while a person thinks
                if _digest(request, known, desk) != digest or _most(request, known) > ask.minutes:
                    yield from _changed(ask, desk)
            yield from _heard(answer, ask, desk)
            note = _unasked(said) if answer.by == "practice" else None
    way, at = (answer.by, answer.at) if answer else ("callback", None)
    now = desk.clock()
    yes = Yes(ask, ask.by or way, ask.decided_at or min(at or now, now))
    reply: R
    try:
        if request.effect is not Effect.SPEND:
            reply = yield from _once(request, yes, known, desk)
        elif desk.left() < TO_DIAL:
            if at is None:  # a yes that was given to a list is not kept for later
                yield Keep(lambda: desk.journal().decide(ask.key, "yes", yes.by, yes.at, ask.minutes))
            raise Refused(
                "time-left", "Too little time was left to dial safely; the same call again goes on."
            )
        else:
            reply = yield from dial(request, yes, known, desk)
    except Refused as refusal:
        if refusal.rule != "journal" and (at or refusal.rule != "time-left"):  # not done: it is asked anew
            yield Keep(lambda: desk.journal().close_ask(ask.key, desk.clock()))
        raise
    unsaid = note and isinstance(reply, Done) and reply.note is None
    return reply.model_copy(update={"note": note}) if unsaid else reply


@dataclass(frozen=True, slots=True)
class Draft:
    """A deed whose question was worded, and put to nobody yet."""

    request: Endpoint[Any]
    """As it will be sent."""
    row: AskRow
    """Its question, as it would be written down."""
    words: Question


def drafted(request: Endpoint[Any], known: Known, desk: Desk) -> Flow[Draft]:
    """Judge a deed by what was looked up, and word its question. Raises the first refusal."""
    request = composed(request, desk)
    digest = _digest(request, known, desk)
    said = yield from heard(request, known, digest, desk)
    words = _question(request, known, said, desk)
    return Draft(request, _ask_row(request, known, digest, words, desk), words)


def composed(request: Endpoint[R], desk: Desk) -> Endpoint[R]:
    """A request as it will be sent: a call opens with who speaks, and knows what to do about a voicemail.
    Raises Misconfigured where the owner's policy or contacts cannot be read."""
    owner = desk.policy()
    if not isinstance(request, PlaceCall):
        return request
    whole: Any = compose(request, _contact(request, desk), owner)
    return whole  # type: ignore[no-any-return]


def _unasked(said: tuple[Said, ...]) -> str:
    """What a live key would have changed about a deed that practice did unasked."""
    refused = [f"{one.why} [rule: {one.rule}]" for one in said if one.softened]
    return refused[0] if refused else UNASKED


def _covered(request: Endpoint[Any], said: tuple[Said, ...], desk: Desk) -> bool:
    """Whether the owner's list of numbers and budget say all that a person would be asked."""
    owner = desk.policy()
    named = isinstance(request, PlaceCall) and None not in (owner.numbers, owner.minutes_per_day)
    return named and not any(one.asks for one in said)


def _put(words: Question, ask: AskRow, desk: Desk, *, covered: bool, opened: bool) -> Flow[Answer]:
    """Ask the person. A question that nobody can be shown is not left standing, where this call `opened` it;
    one that waits is."""
    try:
        answer: Answer = yield Ask(words, ask.key, ask.digest, ask.tool, ask.target, ask.minutes, covered)
    except Unanswered:
        raise
    except TopCallsError:
        if opened:
            yield Keep(lambda: desk.journal().close_ask(ask.key, desk.clock()))
        raise
    if answer.by != "page":  # an assistant waits for that one too
        desk.restart()
    return answer


def _answered(ask: AskRow | None, answer: Answer, digest: str, desk: Desk) -> AskRow:
    """The question that an answer was given to: it counts for that one, and for this very deed alone."""
    if ask is None or ask.digest != digest or answer.seal != f"{ask.key}.{digest}":
        ask = None
    if ask is None or ask.expires_at <= desk.clock() or ask.minutes > (answer.minutes or ask.minutes):
        raise Refused(
            "one-yes-one-deed",
            "This answer was given to another question, or more than 10 minutes ago; call again to be asked "
            "anew.",
        )
    return ask


def _changed(ask: AskRow, desk: Desk) -> Flow[None]:
    """End a question whose deed is no longer what it was."""
    yield Keep(lambda: desk.journal().close_ask(ask.key, desk.clock()))
    raise Refused("same-deed", "What this deed is about has changed meanwhile; call again to be asked anew.")


def _question(request: Endpoint[Any], known: Known, said: tuple[Said, ...], desk: Desk) -> Question:
    now, live, policy, contact = desk.clock(), desk.live, desk.policy(), _contact(request, desk)
    return question(request, known.seen, said, now=now, live=live, policy=policy, contact=contact)


def _contact(request: Endpoint[Any], desk: Desk) -> Contact | None:
    return desk.contacts().get(request.phone_number) if isinstance(request, PlaceCall) else None


def _digest(request: Endpoint[Any], known: Known, desk: Desk) -> str:
    """What a yes is bound to, as a digest under the owner's secret: deed, arguments, object, account,
    policy."""
    contact = _contact(request, desk)
    sealed = {
        "tool": request.tool,
        "arguments": request.model_dump(mode="json", exclude_none=True, context=ON_THE_WIRE),
        "object": request.target(known.seen),
        "name": contact.name if contact else None,
        "account": desk.account,
        "line": desk.line,
        "policy": desk.policy().version,
    }
    text = json.dumps(sealed, sort_keys=True, ensure_ascii=False)
    return hmac.new(desk.secret(), text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]


def _ask_row(request: Endpoint[Any], known: Known, digest: str, words: Question, desk: Desk) -> AskRow:
    now = desk.clock()
    return AskRow(
        key=uuid.uuid4().hex,
        account=desk.account,
        line=desk.line,
        tool=request.tool,
        digest=digest,
        target=request.target(known.seen),
        minutes=_most(request, known),
        asked_at=now,
        expires_at=now + ASK_LIVES,
        question=words.document(),
    )


def _most(request: Endpoint[Any], known: Known) -> float:
    """The most minutes that the deed can use, as the question says them: to two decimals."""
    return round(request.most_minutes(known.seen), 2)


def _heard(answer: Answer, ask: AskRow, desk: Desk) -> Flow[None]:
    """Take an answer for what it is. A yes returns, a no is written down, anything else is no answer."""
    if answer.hasty and desk.strict:
        raise Declined(
            "The form came back faster than a person reads, so it counts as unanswered and nothing was sent; "
            "turn off automatic answers to forms in the assistant, then call again."
        )
    if answer.yes is None:
        yield Keep(lambda: desk.journal().close_ask(ask.key, desk.clock()))
        raise Declined("Nobody answered, and nothing was sent; the same call again asks again.")
    if not answer.yes:
        stands: AskRow = yield Keep(lambda: desk.journal().decide(ask.key, "no", answer.by, desk.clock()))
        raise Declined(_NO if stands.decision == "no" else _AGREED_BEFORE)


def _once(request: Endpoint[R], yes: Yes, known: Known, desk: Desk) -> Flow[R]:
    """Add or delete: the yes is marked used before the request leaves, and a second use tells what became
    of it."""
    ask = yes.ask

    def judge(ledger: Ledger, agreed_at: datetime) -> None:
        consent(request, known, ledger, ask, agreed_at, desk)

    asked = inquiry(request, known, desk)
    used: AskRow = yield Keep(lambda: desk.journal().use(yes, desk.clock(), judge, asked))
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
            yield Keep(lambda: desk.journal().close_ask(ask.key, desk.clock(), used=True))
        raise
    return (yield from kept(reply, lambda: desk.journal().record(ask, declared(reply), desk.clock())))
