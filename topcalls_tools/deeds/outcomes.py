"""The ways in which a call stands or ends, and what is said of each in a person's words."""

from __future__ import annotations

from dataclasses import dataclass

from ..api.calls import MACHINES, Call, CallInList
from .explain_call import Stage

UNANSWERED = frozenset({"busy", "no-answer", "rejected", "dispatch_timeout"})
"""Outcomes of calls that nobody took."""
ANSWERED_BY = {
    "human": " by a person",
    "voicemail": " by a voicemail",
    "ivr": " by an answering system",
}
"""Who or what answered, in words."""
_RANG = "Whether the phone rang is not known."
_HUNG_UP = "Who hung up is not known."


@dataclass(frozen=True, slots=True)
class Case:
    """What is said of every call that stands or ended in one way."""

    why: str
    unknown: tuple[str, ...] = ()
    works: tuple[str, ...] = ()
    again: bool = False
    """Whether another call may help."""
    line: bool = False
    """Whether the number that called, and its carrier, may have to do with it."""


CASES = {
    "pending": Case(
        "It has not been queued yet.",
        works=("follow_call waits for what becomes of it.", "cancel_call drops it before any phone rings."),
    ),
    "queued": Case(
        "It is queued, and nobody has answered yet.",
        unknown=("Whether the phone is ringing is not known.",),
        works=("follow_call waits for what becomes of it.", "cancel_call drops it."),
    ),
    "running": Case(
        "It is under way.",
        works=("follow_call tells what is said next.", "stop_call hangs up."),
    ),
    "busy": Case("The line was busy.", unknown=(_RANG,), again=True),
    "no-answer": Case("Nobody answered.", unknown=(_RANG,), again=True),
    "rejected": Case(
        "The call was rejected before anybody spoke.",
        unknown=(_RANG, "Whether a person rejected it, or a network on the way, is not known."),
        works=("Ask the person in charge before this number is tried again, or reach them in another way.",),
        again=True,
        line=True,
    ),
    "dispatch_timeout": Case(
        "TopCalls did not send the call out in time.", unknown=(_RANG,), again=True, line=True
    ),
    "failed": Case(
        "The call failed, and nothing says that anybody answered.",
        unknown=(_RANG,),
        works=("Check the digits of the number that was called.",),
        again=True,
        line=True,
    ),
    "broken": Case("The call broke off after it was answered.", again=True, line=True),
    "dropped": Case("It was cancelled, and nothing says that anybody answered.", again=True),
    "stopped": Case("It was stopped after it was answered.", again=True),
    "voicemail": Case("A voicemail answered.", again=True),
    "ivr": Case("An answering system with a menu answered.", again=True),
    "talked": Case("The call was held and has ended.", unknown=(_HUNG_UP,)),
    "silent": Case(
        "It was answered, and the transcript has no word of the person called.",
        unknown=(_HUNG_UP,),
        again=True,
    ),
    "unheard": Case(
        "TopCalls counts it as completed, and nothing says that anybody answered.",
        unknown=("Whether anybody answered is not known.",),
        again=True,
    ),
    "unclear": Case(
        "How it stands or ended is not told in a way that is known here.",
        unknown=("Whether anybody answered is not known.",),
        works=("get_call shows what TopCalls says of it; follow_call waits for more.",),
    ),
}


def case_of(call: Call | CallInList) -> str:
    """Which of CASES a call is. The telephone's outcome goes before TopCalls' progress with the call."""
    ends = {call.status, call.call_status}
    if call.call_status in UNANSWERED and not call.transcript:
        return str(call.call_status)
    if "cancelled" in ends:
        return "stopped" if answered(call) else "dropped"
    if "failed" in ends or call.call_status in UNANSWERED:
        return "broken" if answered(call) else "failed"
    match call.status:
        case "pending" | "queued":
            return call.status
        case "in_progress":
            return "running"
        case "completed" if call.answered_by in MACHINES:
            return str(call.answered_by)
        case "completed" if answered(call):
            return "talked" if talked(call) else "silent"
        case "completed":
            return "unheard"
    return "unclear"


def answered(call: Call | CallInList) -> bool:
    """Whether the data say that somebody or something answered."""
    if call.transcript:
        return True
    started = call.started_at is not None or call.call_status == "in-progress"
    return call.call_status not in UNANSWERED and (started or call.answered_by in {"human", *MACHINES})


def talked(call: Call | CallInList) -> bool:
    """Whether the other side said anything, and is not known to be a machine."""
    return call.answered_by not in MACHINES and any(turn.user != "assistant" for turn in call.transcript)


def stage(call: Call) -> Stage:
    """How far a call is known to have come."""
    if call.status == "completed" and call.call_status not in UNANSWERED:
        return "processed" if call.completed else "ended"
    if answered(call):
        return "talked" if talked(call) else "answered"
    if "ringing" in (call.status, call.call_status):
        return "ringing"
    return "asked" if call.status == "pending" else "queued" if call.status else "sent"
