"""Ringing, once: a dial is written down before a byte leaves, and settled by what is really known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from pydantic import ValidationError

from ..action import R, Record
from ..api.calls import CallInList, GetCall, ListCalls, PlaceCall
from ..api.campaigns import GetCampaign, StartCampaign
from ..endpoint import Endpoint
from ..errors import Broken, Declined, Refused, TopCallsError, Unreachable
from ..guard import called
from ..journal import CLOCKS_DIFFER, DialRow, Ledger, State, Yes
from ..wire import iso, moment
from .facts import Known, allowed, callee, consent, inquiry
from .steps import ASK_LIVES, LEASE, PAUSES, TO_DIAL, Desk, Flow, Keep, Sleep, read, transmit

LOOK_AGAIN = 0.25
"""Seconds between two looks at a dial that another process has begun."""


def dial(request: Endpoint[R], yes: Yes, known: Known, desk: Desk) -> Flow[R]:
    """Claim the dial under the confirmation's own key, send, settle. A key used before gives its first
    outcome."""
    ask, now = yes.ask, desk.clock()
    mine = DialRow(
        key=ask.key,
        account=desk.account,
        line=desk.line,
        tool=request.tool,
        arguments=request.model_dump(mode="json", exclude_none=True),
        digest=ask.digest,
        target=ask.target,
        minutes=ask.minutes,
        state="sending",
        agreed_at=yes.at,
        sent_at=now,
        leased_at=now,
        callee=next((callee(number, desk) for number in called(request)), None),
    )

    def judge(ledger: Ledger, agreed_at: datetime) -> None:
        consent(request, known, ledger, ask, agreed_at, desk)

    asked = inquiry(request, known, desk)
    row, ours = yield Keep(lambda: desk.journal().claim(mine, yes, judge, asked))
    first = ours
    while not ours and row.state == "sending":
        row, ours = yield from _taken_over(request, row, desk)
    match row.state:
        case "placed":
            return _first_outcome(request, row)
        case "sending" if first:
            return (yield from ring(request, row, desk))
        case "sending" if (yield from allowed(request, known, row, desk)):
            return (yield from ring(request, row, desk, in_doubt(request, row)))
        case "sending" | "unknown":
            return (yield from adopted(request, row, desk, in_doubt(request, row)))
        case _:
            raise Declined("This yes is spent: TopCalls refused the call; call again to be asked anew.")


def _taken_over(request: Endpoint[Any], row: DialRow, desk: Desk) -> Flow[tuple[DialRow, bool]]:
    """Wait for the process that began a dial, and take the dial over when its lease has run out."""
    now = desk.clock()
    if now - row.leased_at > LEASE:
        taken: tuple[DialRow, bool] = yield Keep(lambda: desk.journal().take_over(row.key, now, LEASE))
        return taken
    if desk.left() < TO_DIAL:
        raise in_doubt(request, row)
    yield Sleep(LOOK_AGAIN)
    current: DialRow = yield Keep(lambda: desk.journal().dial(row.key))
    return current, False


def ring(request: Endpoint[R], row: DialRow, desk: Desk, doubt: TopCallsError | None = None) -> Flow[R]:
    """Send a dial that is ours, and write down what became of it. In `doubt`, after a lost answer or another
    sender, it is looked for before it is sent again: the key of a failure that rang is not kept (contract
    A14). No refusal proves anything then."""
    for pause in (*PAUSES, None):
        if doubt and (reply := (yield from _looked_for(request, row, desk, doubt))) is not None:
            return reply
        if doubt and desk.left() < TO_DIAL:
            raise doubt
        try:
            placed = request.reply((yield from transmit(request, desk, row.key, lambda: _still(row, desk))))
        except Broken as error:
            return (yield from adopted(request, row, desk, error))
        except TopCallsError as error:
            if error.happened is False and doubt is None:
                stands = yield from _settled(row, "failed", desk)
                if stands and stands.state == "placed":  # by a process that took over
                    return _first_outcome(request, stands)
                raise
            doubt = doubt or error
            if error.happened is False or pause is None or pause >= desk.left():
                raise doubt from None
        else:
            told = declared(placed)
            write = partial(desk.journal().settle, row, "placed", desk.clock(), told)
            return (yield from kept(placed, write))
        yield Sleep(pause * desk.jitter())
    raise AssertionError("the last pause is None")


def _looked_for(request: Endpoint[R], row: DialRow, desk: Desk, doubt: TopCallsError) -> Flow[R | None]:
    """The deed that can only be ours; None where there surely is none, so that it may be sent again.
    Otherwise the doubt remains."""
    traces = yield from _traces(request, row, desk)
    if traces is None or len(traces) > 1:
        raise doubt
    if not traces:
        return None
    yield from _settled(row, "placed", desk, traces[0])
    return _reply_of(request, traces[0])


def _still(row: DialRow, desk: Desk) -> None:
    """Raise Refused where this process was held up beyond its lease, or everything was stopped meanwhile."""
    if desk.clock() - row.leased_at >= LEASE:
        raise Refused("lease", "This process was held up for too long, and nothing was sent; call again.")
    if (stopped := desk.stopped_at()) and stopped >= row.agreed_at:
        raise Refused("stop-all", f"Everything was stopped at {iso(stopped)}, and nothing was sent.")


def adopted(request: Endpoint[R], row: DialRow, desk: Desk, doubt: TopCallsError) -> Flow[R]:
    """After an answer that proves nothing: the deed that can only be ours is ours; else the doubt remains."""
    traces = yield from _traces(request, row, desk)
    if traces is None or len(traces) != 1:
        yield from _settled(row, "unknown", desk)
        raise doubt
    yield from _settled(row, "placed", desk, traces[0])
    return _reply_of(request, traces[0])


def _traces(request: Endpoint[Any], row: DialRow, desk: Desk) -> Flow[list[dict[str, Any]] | None]:
    """Everything in TopCalls' own lists that may have come of a dial; None where they cannot be read."""
    try:
        match request:
            case PlaceCall():
                recent = yield from read(ListCalls(limit=200), desk)
                listed = [call for call in recent.data if _could_be(request, call, row.sent_at)]
                undated = any(_to(request, call) and moment(call.created_at) is None for call in recent.data)
                others = yield Keep(lambda: desk.journal().others(row, [call.id for call in listed]))
                found: list[dict[str, Any]] = []
                goes_on = recent.next_cursor is not None and _since(recent.data[-1:], row.sent_at)
                strange = goes_on or undated
                for one in listed:
                    if one.id in others:
                        continue
                    call = yield from read(GetCall(call_id=one.id), desk)
                    brief = (call.metadata or {}).get("task" if request.task else "instructions")
                    if brief == (request.task or request.instructions):
                        told = {"provider_call_id": call.external_call_id, "status": call.status}
                        found.append({"call_id": call.id, **told})
                    elif brief is None:
                        strange = True  # whose it is cannot be told
                return found if found or not strange else None
            case StartCampaign():
                campaign = yield from read(GetCampaign(campaign_id=request.campaign_id), desk)
                return [{"ok": True}] if campaign.status == "running" else []
    except (TopCallsError, ValidationError):
        pass  # nothing could be learnt: the doubt that there was remains
    return None


def _could_be(request: PlaceCall, call: CallInList, sent_at: datetime) -> bool:
    """Whether a listed call has our number and caller id and was made in the time of this dial."""
    created = moment(call.created_at)
    return _to(request, call) and created is not None and -CLOCKS_DIFFER <= created - sent_at <= ASK_LIVES


def _to(request: PlaceCall, call: CallInList) -> bool:
    """Whether a listed call has our number and caller id."""
    ours = call.phone_number == request.phone_number
    return ours and (request.from_number is None or call.from_phone_number == request.from_number)


def _since(calls: tuple[CallInList, ...], sent_at: datetime) -> bool:
    """Whether the last call of a page is so young that the next page may hold ours."""
    created = moment(calls[0].created_at) if calls else None
    return created is None or created >= sent_at - CLOCKS_DIFFER


def _settled(
    row: DialRow, state: State, desk: Desk, reply: dict[str, Any] | None = None
) -> Flow[DialRow | None]:
    """Write down what became of a dial. A journal that fails now changes nothing about what happened."""
    try:
        stands: DialRow = yield Keep(lambda: desk.journal().settle(row, state, desk.clock(), reply))
    except TopCallsError:
        return None
    return stands


def kept(reply: R, write: Callable[[], object]) -> Flow[R]:
    """Keep the outcome of a deed that was done; where the journal fails, the outcome is told all the same."""
    try:
        yield Keep(write)
    except TopCallsError:
        return reply.model_copy(
            update={"note": "This was done, but the journal could not be written; see to its store."}
        )
    return reply


def declared(reply: Record) -> dict[str, Any]:
    """The fields of a reply that we know, as JSON: what TopCalls added is not ours to keep."""
    return reply.model_dump(mode="json", include=set(type(reply).model_fields), exclude_none=True)


def replayed(request: Endpoint[R], reply: dict[str, Any], at: datetime) -> R:
    """The outcome of an earlier call with the same yes."""
    return _reply_of(request, {**reply, "replayed": True, "first_at": iso(at)})


def _first_outcome(request: Endpoint[R], row: DialRow) -> R:
    """What came of a dial that was placed before."""
    if row.reply is None:
        raise Declined(f"This was done at {iso(row.sent_at)}, and what is known of it was forgotten.")
    return replayed(request, row.reply, row.settled_at or row.sent_at)


def in_doubt(request: Endpoint[Any], row: DialRow) -> Unreachable:
    where = "list_calls" if isinstance(request, PlaceCall) else "get_campaign"
    return Unreachable(
        f"This was sent at {iso(row.sent_at)} with the same yes and nobody knows whether it took effect; "
        f"{where} shows whether it did, and the same call again looks once more."
    )


def _reply_of(request: Endpoint[R], reply: dict[str, Any]) -> R:
    kind: type[R] = request.reply_type  # type: ignore[assignment]  # a ClassVar cannot name R
    return kind.model_validate(reply)
