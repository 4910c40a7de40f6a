"""Places the calls of a list under its one yes, one after the other, and follows each to its end."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from ..api.calls import Call, GetCall, StopCall
from ..api.transcript import Turn
from ..client import Approve, Client
from ..deeds.outcomes import CASES, case_of, talked
from ..errors import Declined, TopCallsError
from ..flow.steps import ASK_LIVES, Answer, Ask
from ..journal.lists import answered_list, counts, said_no
from . import Entry
from .plan import Item, Plan

SUMS_UP = 30.0
"""Seconds after a call's end in which its last turns and its summary may come."""
LOOKS_LIVE, LOOKS = 5.0, 0.5
"""Seconds between two looks at a call (contract A67); in practice they cost nobody anything."""
BLIND = 5
"""Looks in a row that fail, after which a call is not followed any more."""
LATE = 180.0
"""Seconds beyond its longest after which a call is not waited for any more: ringing takes its time too."""
State = Literal["reached", "not reached", "not called", "in doubt", "hung up"]


class Halt(Protocol):
    """Whoever may stop a list, and lets its time pass."""

    @property
    def no_further(self) -> bool:
        """Whether no further call is wanted."""

    @property
    def hang_up(self) -> bool:
        """Whether the one that is under way is to be ended."""

    @property
    def leave(self) -> bool:
        """Whether even that is not to be waited for."""

    def wait(self, seconds: float) -> None:
        """Let time pass, at most until somebody wants something."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one call of a list. `why` is in our words; what was said stands in the call."""

    entry: Entry
    state: State
    why: str
    call_id: str | None = None
    call: Call | None = None


@dataclass(frozen=True, slots=True)
class Turned:
    """Something that was said in a call that is under way."""

    turn: Turn


@dataclass(frozen=True, slots=True)
class Placing:
    """A call whose turn it is."""

    place: int
    entry: Entry


@dataclass(frozen=True, slots=True)
class Ended:
    """Why no further call is placed, and who was not called for it."""

    why: str
    left: tuple[Entry, ...]


Event = Placing | Turned | Outcome | Ended


def answered(plan: Plan, yes: bool, client: Client) -> Plan:
    """Write down what a person at the terminal said to a list; the plan with the answer in it.

    Raises Declined where it came too late, or was no.
    """
    desk = client.line.desk()
    now = desk.clock()
    if now >= plan.row.asked_at + ASK_LIVES:
        raise Declined("This answer took more than 10 minutes, and nothing was sent; run the list again.")
    row = replace(plan.row, decision="yes" if yes else "no", decided_at=now, by="terminal")
    answered_list(desk.journal(), row if yes else replace(row, used_at=now))
    if not yes:
        raise Declined("The answer was no, and nothing was sent; it is final for 10 minutes.")
    return replace(plan, row=row)


def declined_before(plan: Plan, client: Client) -> bool:
    """Whether a person said no to this very list a moment ago."""
    desk = client.line.desk()
    return said_no(desk.journal(), desk.account, plan.row.digest, desk.clock())


def run(plan: Plan, client: Client, halt: Halt, *, stop_after: int) -> Iterator[Event]:
    """Place the calls of a list that was said yes to. Every entry has an Outcome in the end, or was left."""
    missed, doubt = 0, False
    for place, item in enumerate(plan.items, start=1):
        why = ""
        if halt.no_further:
            why = "You stopped the list."
        elif doubt:  # it may go on: another one would be at the same time
            why = "What became of the call before is not known."
        elif missed >= stop_after:
            why = f"{missed} in a row reached nobody."
        if why:
            yield Ended(why, tuple(one.entry for one in plan.items[place - 1 :]))
            return
        yield Placing(place, item.entry)
        outcome = yield from _called(plan, item, client, halt)
        yield outcome
        if outcome.state != "not called":  # that rang nobody
            missed = 0 if outcome.state == "reached" else missed + 1
        doubt = outcome.state == "in doubt"


def _called(plan: Plan, item: Item, client: Client, halt: Halt) -> Generator[Event, None, Outcome]:
    """One call, from its question, which the list's yes answers, to its end."""
    entry = item.entry
    try:
        placed = client.send(entry.request, approve=_answering(plan, item, client, halt))
    except TopCallsError as error:
        return Outcome(entry, "not called" if error.happened is False else "in doubt", str(error))
    if placed.replayed:  # by another window, with a yes of its own
        return Outcome(entry, "not called", "It was called meanwhile.", placed.call_id)
    return (yield from _followed(entry, placed.call_id, client, halt))


def _answering(plan: Plan, item: Item, client: Client, halt: Halt) -> Approve:
    """Whoever is asked about a call of a list: the list's yes counts where the question is the one that was
    shown in it. It is written down when the call is, so that none is left where the call is not placed."""
    desk, shown = client.line.desk(), item.draft

    def approve(ask: Ask) -> Answer:
        if halt.no_further:
            raise Declined("You stopped the list.")
        more = set(ask.question.rules) - set(shown.words.rules) if desk.strict else ()
        if ask.digest != shown.row.digest or ask.minutes > shown.row.minutes or more:
            raise Declined(
                "What this call is about has changed since the list was shown, so it was not placed; run it "
                "again."
            )
        counts(desk.journal(), plan.row, ask.key, ask.digest, desk.clock())
        return Answer(True, ask.seal, "terminal", at=plan.row.decided_at)

    return approve


def _followed(entry: Entry, call_id: str, client: Client, halt: Halt) -> Generator[Event, None, Outcome]:
    """Follow a call to its end and its last words, and hang up where that is wanted."""
    line = client.line
    until = line.timer() + entry.request.max_duration * 60 + LATE
    over: float | None = None
    told = failed = 0
    hung_up = False
    trouble = "It lasts longer than it may"
    while line.timer() < until and failed < BLIND:
        if halt.hang_up and not hung_up:
            hung_up = _hung_up(call_id, client)
        if halt.leave:
            trouble = "You left, and nobody knows how it goes on"
            break
        try:
            call = client.send(GetCall(call_id=call_id))
        except TopCallsError as error:
            failed, trouble = failed + 1, str(error)
        except ValueError:  # the phone rings, whatever its id is
            failed, trouble = BLIND, "TopCalls gave it an id that cannot be asked for"
        else:
            failed = 0
            yield from (Turned(turn) for turn in call.transcript[told:])
            told = max(told, len(call.transcript))
            if call.ended:
                over = line.timer() if over is None else over
                if call.completed is not False or hung_up or line.timer() - over >= SUMS_UP:
                    return _outcome(entry, call, hung_up)
        halt.wait(LOOKS_LIVE if line.live else LOOKS)
    why = f"{trouble.rstrip('.')}; topcalls follow-call --call-id {call_id} shows it, stop-call hangs up."
    return Outcome(entry, "in doubt", why, call_id)


def _hung_up(call_id: str, client: Client) -> bool:
    """Whether a call was hung up; where that failed it is tried again at the next look."""
    try:
        client.send(StopCall(call_id=call_id))
    except (TopCallsError, ValueError):
        return False
    return True


def _outcome(entry: Entry, call: Call, hung_up: bool) -> Outcome:
    if hung_up:
        return Outcome(entry, "hung up", "You hung up.", call.id, call)
    return Outcome(
        entry, "reached" if talked(call) else "not reached", CASES[case_of(call)].why, call.id, call
    )
