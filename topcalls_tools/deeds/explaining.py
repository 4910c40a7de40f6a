"""What became of a call, gathered from all that knows of it, in sentences that each name their source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from ..api.calls import MACHINES, Call, GetCall
from ..api.fields import Spoken
from ..api.phone_numbers import Number
from ..errors import NotFound, TopCallsError
from ..flow.steps import Desk, Flow, Keep, read
from ..guard.disclosure import announced, disclosed
from ..journal.called import Called, called
from ..wire import moment
from .explain_call import Explanation, Finding, Quoted, finding
from .outcomes import ANSWERED_BY, CASES, answered, case_of, stage
from .prospects import another, caller_id
from .wishes import told, wished

MOST = 3
"""How many things that would work are told."""
AGREED = {
    "form": "A person agreed to it in the assistant's form",
    "page": "A person agreed to it on the approval page",
    "terminal": "A person agreed to it in a terminal",
    "interrupt": "A person agreed to it where the graph had paused",
    "slip": "A person's yes to it came as a slip",
    "callback": "The program that asked for it agreed by its own approve=",
    "practice": "Nobody was asked, for this is practice; it was agreed to",
    "none": "The owner's list of numbers and budget covered it; it was agreed to",
}
"""How it was agreed to, by what the journal calls the way."""
EVENTS = {
    "call.queued": "was queued",
    "call.started": "had been answered",
    "call.completed": "was completed",
    "call.failed": "had failed",
}
"""What a webhook tells of a call, by its event."""
TOLD = {
    "disclosed": (disclosed, "that an AI speaks"),
    "announced": (announced, "that the call is recorded"),
}
"""What the agent should have said, by its name in the journal."""


def explained(call_id: str, desk: Desk) -> Flow[Explanation]:
    """Look at a call and at whatever else may tell something of it: journal, caller id, carrier, rules.

    Nothing is sent but reads, and nothing is written. Raises NotFound where neither TopCalls nor the journal
    has such a call.
    """
    known, findings = yield from _known(call_id, desk)
    try:
        call = yield from read(GetCall(call_id=call_id), desk)
    except NotFound:
        if known.dial is None:
            raise
        gone = finding("why", "TopCalls does not have this call; how it ended is not told.", "call")
        told_here = (*_journalled(known), *_delivered(Call(id=call_id), known, desk))
        return _explanation(call_id, Call(id=call_id), (*findings, *told_here, gone), None)
    case, number, wishes = CASES[case_of(call)], None, wished(call, known)
    findings += [finding("why", case.why, "call"), *_journalled(known), *_of(call)]
    findings += [*_delivered(call, known, desk), *_cancelled(call, known), *_disclosure(call, known)]
    findings += told(call, known, wishes, desk)
    findings += [finding("unknown", one, "call") for one in case.unknown]
    findings += [finding("works", one, "call") for one in (*_afterwards(call), *case.works)]
    if case.line:
        number, found = yield from caller_id(call, desk)
        findings += found
    if case.again and "opt_out" not in wishes:
        findings += yield from another(call, known, desk)
    return _explanation(call_id, call, findings, number)


def _explanation(call_id: str, call: Call, findings: Sequence[Finding], number: Number | None) -> Explanation:
    reasons = (("call", call.error_message), ("number", number and number.error_message))
    return Explanation(
        call_id=call_id,
        stage=stage(call),
        ended=call.ended if call.status else None,
        status=call.status,
        call_status=call.call_status,
        happened=tuple(one for part, one in findings if part == "happened"),
        why=tuple(one for part, one in findings if part == "why"),
        unknown=tuple(one for part, one in findings if part == "unknown"),
        works=tuple(one for part, one in findings if part == "works")[:MOST],
        quoted=tuple(
            Quoted.model_validate({"source": source, "text": Spoken(words)})
            for source, words in reasons
            if words
        ),
    )


def _known(call_id: str, desk: Desk) -> Flow[tuple[Called, list[Finding]]]:
    """What the journal knows, and what cannot be known without it. What only reads makes no journal."""
    lacks = "who asked for the call, who agreed and what was reserved cannot be told."
    if not desk.noted():
        return Called(), [finding("unknown", f"There is no journal here: {lacks}", "journal")]
    try:
        known: Called = yield Keep(lambda: called(desk.journal(), desk.account, call_id))
    except TopCallsError:
        return Called(), [finding("unknown", f"The journal cannot be read: {lacks}", "journal")]
    if known.dial is None:
        return known, [finding("unknown", f"The journal does not know this call: {lacks}", "journal")]
    return known, []


def _journalled(known: Called) -> Iterator[Finding]:
    """What the journal tells of asking, sending and minutes."""
    ask, dial = known.ask, known.dial
    if ask:
        yield finding("happened", f"It was asked for at {_time(ask.asked_at)}.", "journal")
    if dial is None:
        return
    way = AGREED.get((ask and ask.by) or "", "It was agreed to")
    yield finding("happened", f"{way} at {_time(dial.agreed_at)}.", "journal")
    yield finding("happened", f"It was sent at {_time(dial.sent_at)}.", "journal")
    used = "what it used is not settled yet" if dial.used_minutes is None else f"{dial.used_minutes:g} used"
    yield finding("happened", f"{dial.minutes:g} minutes were reserved for it, and {used}.", "journal")


def _of(call: Call) -> Iterator[Finding]:
    """What the call itself tells, in order of time."""
    if call.campaign_id:
        yield finding("happened", "A campaign made the call.", "call")
    if at := moment(call.created_at):
        yield finding("happened", f"TopCalls took the call at {_time(at)}.", "call")
    if answered(call):
        by, started = ANSWERED_BY.get(call.answered_by or "", ""), moment(call.started_at)
        when = f" at {_time(started)}" if started else ""
        yield finding("happened", f"It was answered{when}{by}.", "call")
        if not by:
            yield finding("unknown", "Whether a person or a machine answered is not known.", "call")
    elif call.status == "in_progress":
        yield finding("unknown", "Whether anybody has answered is not told yet.", "call")
    if call.transcript:
        last = call.transcript[-1]
        other = "the answering system" if call.answered_by in MACHINES else "the person called"
        speaker = "the agent" if last.user == "assistant" else other
        said = f"The conversation has {_several(len(call.transcript), 'turn')}; {speaker} spoke last."
        yield finding("happened", said, f"turn {last.id}")
    elif answered(call):
        yield finding("unknown", "What was said is not known: there is no transcript.", "call")
    if call.ended:
        end = moment(call.end_at)
        when = f" at {_time(end)}" if end else ""
        lasted = f" after {call.duration:g} minutes" if call.duration and answered(call) else ""
        yield finding("happened", f"It ended{when}{lasted}.", "call")
    if call.ended and answered(call):
        yield from _finished(call)
    most = (call.metadata or {}).get("max_duration")
    if call.status == "completed" and isinstance(most, int | float) and (call.duration or 0) >= most > 0:
        yield finding("why", f"It lasted as long as it was allowed to: {most:g} minutes.", "call")
        yield finding("works", "A longer max_duration leaves more time for another call.", "call")
    if call.error_message:
        yield finding("why", "TopCalls gives a reason, in its own words: see quoted.", "call")


def _finished(call: Call) -> Iterator[Finding]:
    """Whether there is all that comes after the end."""
    parts = {"summary": call.call_summary, "recording": call.recording_url}
    missing = " and no ".join(name for name, part in parts.items() if not part)
    if call.completed:
        there = f"there is no {missing}" if missing else "summary and recording are there"
        yield finding("happened", f"TopCalls has finished with it; {there}.", "call")
    elif call.completed is None and missing:
        yield finding("unknown", f"Whether more is to come is not told; there is no {missing} yet.", "call")


def _delivered(call: Call, known: Called, desk: Desk) -> Iterator[Finding]:
    """What webhooks told, each event once; and where TopCalls' answer does not bear it out."""
    events: dict[str, datetime] = {}
    for one in known.deliveries:
        events.setdefault(one.event if one.event in EVENTS else "", one.at)
    for event, at in events.items():
        what = f"that it {EVENTS[event]}" if event else "something else of it"
        yield finding("happened", f"A webhook told at {_time(at)} {what}.", "webhook")
    over = events.keys() & {"call.completed", "call.failed"}
    if over and call.status and not call.ended:
        said = "A webhook told that it is over, and TopCalls' answer does not say so."
        yield finding("unknown", said, "webhook")
    here = desk.webhook_url and known.dial and known.dial.arguments.get("webhook_url") == desk.webhook_url
    if here and call.ended and not known.deliveries:
        said = "Webhooks of it were asked for at webhook_url, and none has come."
        yield finding("happened", said, "journal")


def _cancelled(call: Call, known: Called) -> Iterator[Finding]:
    """Who cancelled it, as far as that was written down."""
    if known.stopped_at:
        yield finding("happened", f"It was stopped from here at {_time(known.stopped_at)}.", "journal")
    elif "cancelled" in (call.status, call.call_status):
        said = "Who cancelled it is not known: no stop from here is written down."
        yield finding("unknown", said, "journal")


def _disclosure(call: Call, known: Called) -> Iterator[Finding]:
    """Where the agent said who speaks: by the transcript, or by the journal where there is none."""
    for name, (first, what) in TOLD.items():
        if any(turn.user == "assistant" for turn in call.transcript):
            turn = first(call.transcript)
            source = f"turn {turn}" if turn else "call"
        elif name in known.closed:
            turn, source = known.closed[name], "journal"
        else:
            continue
        never = f"In no turn did the agent say, in words that are known here, {what}."
        yield finding("happened", f"The agent said in turn {turn} {what}." if turn else never, source)


def _afterwards(call: Call) -> Iterator[str]:
    """What there is to read after a call, or to wait for."""
    if not (call.ended and answered(call)):
        return
    if call.completed is False:
        yield "follow_call waits for summary and recording, which come about 15 seconds after the end."
    elif call.transcript or call.call_summary:
        yield "get_call shows what came of it; follow_call reads every turn."


def _several(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
