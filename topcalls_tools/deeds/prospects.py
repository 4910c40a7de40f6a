"""What another call would meet: the number that called, its carrier, and the rules as they are now."""

from __future__ import annotations

from datetime import timedelta

from pydantic import ValidationError

from ..api.calls import Call, PlaceCall
from ..api.phone_numbers import Carrier, ListCarriers, ListPhoneNumbers, Number
from ..errors import TopCallsError
from ..flow.steps import Desk, Flow, glance
from ..journal.called import Called
from ..wire import moment
from .check_call import CallCheck
from .checking import checked
from .explain_call import Finding, finding

AT_ONCE = timedelta(minutes=1)
"""How soon is now: what the rules permit within it needs no waiting."""
STANDS = {
    "active": "Its caller id is active now.",
    "inactive": "Its caller id is disabled now, and only an active number can call.",
    "pending": "Its caller id is still being provisioned, and only an active number can call.",
    "failed": "The provisioning of its caller id failed, and only an active number can call.",
    "deleted": "Its caller id was deleted, and only an active number can call.",
}
_ANOTHER = finding("works", "Give another from_number: an active one of list_phone_numbers.", "number")


def caller_id(call: Call, desk: Desk) -> Flow[tuple[Number | None, list[Finding]]]:
    """How the number that called stands now, and whose carrier it is on."""
    if call.from_phone_number is None:
        return None, [finding("unknown", "Which number called is not told.", "call")]
    try:
        page = yield from glance(ListPhoneNumbers(limit=200), desk)
    except TopCallsError:
        return None, [finding("unknown", "How its caller id stands could not be read.", "number")]
    number = next((one for one in page.data if one.number == call.from_phone_number), None)
    if number is None and page.next_cursor:
        return None, [finding("unknown", "Its caller id is not among the 200 newest numbers.", "number")]
    if number is None:
        return None, [finding("why", "Its caller id is no number of the account now.", "number"), _ANOTHER]
    known = STANDS.get(number.status or "")
    if known is None:
        return number, [finding("unknown", "How its caller id stands is not known.", "number")]
    if number.status != "active":
        return number, [finding("why", known, "number"), _ANOTHER]
    return number, [finding("happened", known, "number"), *(yield from _carrier(number, desk))]


def _carrier(number: Number, desk: Desk) -> Flow[list[Finding]]:
    """Whether the number's carrier may have to do with it: one that the account brought."""
    if number.source == "topcalls" or number.voip_carrier_sid is None:
        return []
    try:
        carriers = yield from glance(ListCarriers(), desk)
    except TopCallsError:
        return [finding("unknown", "Which carrier its caller id is on could not be read.", "carrier")]
    sid = number.voip_carrier_sid
    carrier: Carrier | None = next((one for one in carriers.data if one.voip_carrier_sid == sid), None)
    if carrier is None:
        return [finding("why", "The carrier that its caller id names is not there now.", "carrier"), _ANOTHER]
    if carrier.account_id is None:
        return []
    return [
        finding("happened", "Its caller id is on a carrier that the account brought.", "carrier"),
        finding("unknown", "Whether that carrier took the call is not known.", "carrier"),
        finding("works", "Ask that carrier whether the call reached it; its logs tell.", "carrier"),
    ]


def another(call: Call, known: Called, desk: Desk) -> Flow[list[Finding]]:
    """Whether the rules would let the same call go out again, and from when on."""
    if call.campaign_id:
        return [finding("works", "get_campaign shows whether its campaign tries again.", "call")]
    request = _same_call(call, known)
    if request is None:
        said = "Whether it may be placed again is not known: what it was placed with is not told."
        return [
            finding("unknown", said, "call"),
            finding("works", "check_call tells, for a new call.", "rules"),
        ]
    try:
        check = yield from checked(request, desk)
    except TopCallsError:
        return [finding("unknown", "Whether it may be placed again could not be told now.", "rules")]
    return [finding("works", _permitted(check, desk), "rules")]


def _same_call(call: Call, known: Called) -> PlaceCall | None:
    """The call as it was placed: by the journal, else by what TopCalls tells; None where neither does."""
    told = {"phone_number": call.phone_number, **(call.metadata or {})}
    given = known.dial.arguments if known.dial and known.dial.arguments else told
    names = PlaceCall.model_fields.keys() - PlaceCall.for_code
    try:
        return PlaceCall.model_validate({name: given[name] for name in names & given.keys()})
    except ValidationError:
        return None


def _permitted(check: CallCheck, desk: Desk) -> str:
    refused = [one.rule for one in check.opinions if one.verdict in ("refuse", "refuse_live")]
    now = "Call again: the rules permit it now"
    if not refused:
        return f"{now}."
    earliest = moment(check.earliest)
    later = f"only from {check.earliest_there}" if earliest and earliest - desk.clock() > AT_ONCE else ""
    if check.permitted:
        return f"{now} in practice; with a live key {later or 'they refuse: ' + ', '.join(refused)}."
    if later:
        return f"Call again, {later}: until then the rules refuse it ({', '.join(refused)})."
    return f"Another call is refused by the rules ({', '.join(refused)}); check_call says what would work."
