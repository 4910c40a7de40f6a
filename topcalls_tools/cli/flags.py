"""What was heard in calls, for their owner: in a word in lists, in sentences where one is shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..journal.heard import HeardCall

MOST_CALLS = 20
"""How many calls of a campaign are shown."""
SAYS = (("disclosed", "that an AI speaks"), ("announced", "that the call is recorded"))
_FLAGS = {
    "opt_out": "no more calls",
    "wrong_person": "wrong person",
    "robot": "asked for a robot",
    "callback": "call back",
}


def flags(heard: Sequence[HeardCall]) -> str:
    """What a person should look at in some calls, in a few words; of several calls how many."""
    found = Counter(word for one in heard for word in _words(one.facts))
    return ", ".join(word if count == 1 else f"{word} ({count})" for word, count in found.items())


def _words(facts: Mapping[str, Any]) -> Iterator[str]:
    yield from (word for kind, word in _FLAGS.items() if kind in facts.get("heard", {}))
    if facts.get("disclosed") == 0:
        yield "AI not said"


def said(facts: Mapping[str, Any]) -> Iterator[str]:
    """Whether the agent really said what the opening has it say, and what the person called asked, where
    anything was said."""
    for name, what in SAYS:
        if name in facts:
            turn = facts[name]
            yield f"Said {what}: in turn {turn}." if turn else f"Said {what}: never."
    for kind, turn in facts.get("heard", {}).items():
        yield f"Heard: {kind} in turn {turn}."
    if "leads_unsubscribed" in facts:
        yield f"Do not call: since then, with {facts['leads_unsubscribed']} of its leads unsubscribed."
    if facts.get("leads_left"):
        yield "Campaigns may still call its leads: topcalls dnc add with the number tries again."
    if at := facts.get("call_from"):
        there = datetime.fromisoformat(at)
        utc = f"{there.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
        yield f"Call back: not before {there:%H:%M} on {there:%A}, {there:%Y-%m-%d}, there ({utc})."


def counted(heard: Mapping[str, int]) -> Iterator[str]:
    """In how many calls what was asked that a person should know of, a line each."""
    from ..deeds.wishes import SOUNDS

    for kind, sounds in SOUNDS.items():
        if many := heard.get(kind):
            yield f"In {many:,} call{'' if many == 1 else 's'} somebody {sounds}."


def of_campaign(calls: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What was heard in the calls of a campaign, a line each."""
    for one in calls[:MOST_CALLS]:
        yield f"Heard in {one['call_id']}: {', '.join(_words(one))}."
    if (more := len(calls) - MOST_CALLS) > 0:
        yield f"Heard in {more} more of its calls: --json has all."
