"""What the journal says to its store, written once: a statement that is made anew each time costs more than
it does."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, bindparam, delete, exists, func, insert, or_, select, update

from .tables import asks, dials, do_not_call, evidence, lines, personal, slips, stops, usage

LINE = select(lines.c.account).where(lines.c.line == bindparam("line"))
NEW_LINE = insert(lines)

ASK = select(asks).where(asks.c.key == bindparam("key"))
NEW_ASK = insert(asks)
_alive = and_(asks.c.account == bindparam("account"), asks.c.expires_at > bindparam("now"))
SAME_ASK = (
    select(asks).where(_alive, asks.c.digest == bindparam("digest")).order_by(asks.c.asked_at.desc()).limit(1)
)
UNANSWERED = select(func.count()).select_from(asks).where(_alive, asks.c.decision.is_(None))
OPEN_ASKS = (
    select(asks)
    .where(asks.c.expires_at > bindparam("now"), asks.c.decision.is_(None))
    .order_by(asks.c.asked_at)
)
ASK_OF_SLIP = (
    select(asks, slips.c.box).join(slips, slips.c.key == asks.c.key).where(slips.c.slip == bindparam("slip"))
)
NEW_SLIP = insert(slips)
SPENT = update(slips).where(slips.c.key == bindparam("this")).values(box=None)
SLIPS_OVER = delete(slips).where(slips.c.expires_at <= bindparam("now"))

_this_ask = update(asks).where(asks.c.key == bindparam("this"))
MOST = _this_ask.values(minutes=bindparam("most"))
ANSWERED = _this_ask.values(decision=bindparam("said"), decided_at=bindparam("at"), by=bindparam("way"))
AGREED = ANSWERED.values(used_at=bindparam("now"))
USED = _this_ask.values(used_at=bindparam("now"))
LAPSED = _this_ask.where(asks.c.expires_at > bindparam("now")).values(expires_at=bindparam("now"))
LAPSED_UNUSED = LAPSED.where(asks.c.used_at.is_(None))

DIAL = select(dials).where(dials.c.key == bindparam("key"))
NEW_DIAL = insert(dials)
OTHERS = select(dials.c.call_id).where(
    dials.c.key != bindparam("key"), dials.c.call_id.in_(bindparam("calls", expanding=True))
)
_this_dial = update(dials).where(dials.c.key == bindparam("this"))
TAKEN = _this_dial.values(leased_at=bindparam("now"))
SETTLED = _this_dial.where(
    dials.c.leased_at == bindparam("lease"), dials.c.state.in_(("sending", "unknown"))
).values(
    state=bindparam("outcome"),
    settled_at=bindparam("now"),
    call_id=bindparam("call"),
    closed_at=bindparam("closed"),
    used_minutes=bindparam("used"),
)
CLOSED = _this_dial.where(dials.c.closed_at.is_(None)).values(
    used_minutes=bindparam("used"), closed_at=bindparam("now")
)
_open = and_(dials.c.account == bindparam("account"), dials.c.closed_at.is_(None))
OPEN_DIALS = select(dials).where(_open).order_by(dials.c.sent_at)
DIALS = select(dials).where(dials.c.account == bindparam("account")).order_by(dials.c.sent_at.desc())

_minutes = func.coalesce(dials.c.used_minutes, dials.c.minutes)
_lately = and_(dials.c.account == bindparam("account"), dials.c.sent_at > bindparam("day"))
_day = select(func.sum(_minutes)).where(_lately).scalar_subquery()  # by an index that holds all of it
_own = select(_minutes).where(dials.c.key == bindparam("besides"), _lately).scalar_subquery()
_counted = and_(dials.c.account == bindparam("account"), dials.c.key != bindparam("besides"))
# TopCalls' balance knows a call once it has answered for it; until then its minutes are ours to count.
_unanswered = dials.c.state.in_(("sending", "unknown"))
_answered_since = and_(dials.c.state == "placed", dials.c.settled_at >= bindparam("looked_at"))
_unseen = (
    select(func.sum(dials.c.minutes))
    .where(_counted, dials.c.closed_at.is_(None), dials.c.sent_at > bindparam("hour"))
    .where(or_(_unanswered, _answered_since))
    .scalar_subquery()
)
_stop = select(stops.c.at).where(stops.c.account == bindparam("account")).scalar_subquery()
_calls = select(func.count()).where(_lately, dials.c.state != "failed").scalar_subquery()
_oldest = select(func.min(dials.c.sent_at)).where(_lately, dials.c.state != "failed").scalar_subquery()
_own_call = select(func.count()).where(dials.c.key == bindparam("besides"), _lately).scalar_subquery()
_under_way = (
    select(func.count())
    .where(_counted, dials.c.closed_at.is_(None), dials.c.sent_at > bindparam("hour"))
    .where(dials.c.callee.is_not(None))
    .scalar_subquery()
)
_this_month = and_(usage.c.account == bindparam("account"), usage.c.month == bindparam("month"))
_month = select(usage.c.minutes).where(_this_month).scalar_subquery()
_own_month = (
    select(_minutes)
    .where(dials.c.key == bindparam("besides"), dials.c.sent_at >= bindparam("first"))
    .scalar_subquery()
)
SUMS = select(
    (func.coalesce(_day, 0) - func.coalesce(_own, 0)).label("day"),
    (func.coalesce(_month, 0) - func.coalesce(_own_month, 0)).label("month"),
    (_calls - _own_call).label("calls"),
    _oldest.label("oldest"),
    _under_way.label("under_way"),
    _unseen.label("unseen"),
    _stop.label("stop"),
)
BLOCKED = select(do_not_call.c.number).where(do_not_call.c.number.in_(bindparam("callees", expanding=True)))
EARLIER = (
    select(dials.c.callee, dials.c.sent_at, dials.c.state, dials.c.closed_at)
    .where(_counted, dials.c.callee.in_(bindparam("callees", expanding=True)))
    .where(dials.c.sent_at > bindparam("day"), dials.c.state != "failed")
    .order_by(dials.c.sent_at.desc())
)
COUNTED = (
    update(usage)
    .where(usage.c.account == bindparam("whose"), usage.c.month == bindparam("when"))
    .values(minutes=usage.c.minutes + bindparam("more"))
)
NEW_MONTH = insert(usage)

STOPPED = update(stops).where(stops.c.account == bindparam("this")).values(at=bindparam("now"))
NEW_STOP = insert(stops)

LAST_LINK = select(evidence.c.seq, evidence.c.hash).order_by(evidence.c.seq.desc()).limit(1)
LINKS_OF = select(evidence).where(evidence.c.key == bindparam("key")).order_by(evidence.c.seq)
NEW_LINK = insert(evidence)
NEW_PERSONAL = insert(personal)


def questioned(key: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether the chain tells of the question with this key: rows of before there was evidence have none."""
    return exists().where(evidence.c.key == key, evidence.c.kind == "question")


LINKED = exists().where(evidence.c.key == personal.c.key, evidence.c.personal == personal.c.id)
STRAY = and_(~LINKED, questioned(personal.c.key))
"""What stands under the key of a question, and no link points there: it was never written by us."""
KNOWN = (
    select(personal.c.key, personal.c.content)
    .where(personal.c.key.in_(bindparam("keys", expanding=True)), ~STRAY)
    .order_by(personal.c.id)
)
