"""Writes a call when it is placed: a pure function of seed, request, ordinal and the instant."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace

from ..api.calls import PlaceCall
from .answers import answer
from .people import PEOPLE, Person
from .points import filled, points
from .script import Answered, Ended, Event, Finding, Ringing, Said, Script, Speaker, closed, dice, spoken_ms

RING_OUT = 30_000
DISPATCH = 60_000
"""Milliseconds after which nobody answered, and after which a call that was never dialled is given up."""

REFUSALS = {
    "0001": ("busy", "Line busy"),
    "0002": ("no-answer", "No answer"),
    "0003": ("rejected", "Call rejected"),
    "0004": ("failed", "The telephone network could not put the call through"),
}
"""Last four digits of numbers on which nobody answers (contract A106)."""


def written(
    seed: str,
    request: PlaceCall,
    ordinal: int,
    created_at: int,
    person: Person | None = None,
    earlier: int = 0,
) -> Script:
    """What will happen on this call unless somebody intervenes."""
    chance = dice(seed, ordinal)
    reached = person or PEOPLE.of(request.phone_number, seed)
    rings = created_at + chance.randint(1000, 2000)
    match ending := request.phone_number[-4:]:
        case "0007":
            script = Script(created_at, "nobody", 0, ())
            return closed(script, Ended(created_at + DISPATCH, "dispatch_timeout", "Not dispatched in time"))
        case "0009":
            return Script(created_at, "nobody", 0, ())
        case _ if ending in REFUSALS:
            return _unanswered(ending, created_at, rings, chance)
        case "0005" | "0006":
            answered = rings + chance.randint(15_000, 20_000) if ending == "0005" else rings + 3000
            machine = _voicemail if ending == "0005" else _menu
            return _limited(machine(_Stage(request, reached, chance, created_at, rings, answered)), request)
        case "0008":
            return _endless(
                _Stage(request, reached, chance, created_at, rings, rings + chance.randint(3000, 6000))
            )
        case _:
            stage = _Stage(request, reached, chance, created_at, rings, rings + chance.randint(3000, 6000))
            return _limited(_conversation(stage), request)


def _unanswered(ending: str, created_at: int, rings: int, chance: random.Random) -> Script:
    outcome, why = REFUSALS[ending]
    rang = outcome in ("no-answer", "rejected")  # a busy or broken line never rings
    ends = rings + (RING_OUT if outcome == "no-answer" else chance.randint(2000, 5000))
    script = Script(created_at, "nobody", 0, (Ringing(rings),) if rang else ())
    return closed(script, Ended(ends, outcome, why))


def _limited(script: Script, request: PlaceCall) -> Script:
    """The script with its end: when all is said, or when max_duration is over (contract A49)."""
    answered = next(event for event in script.events if isinstance(event, Answered))
    last = script.events[-1]
    silent = last.at + (spoken_ms(last.words) if isinstance(last, Said) else 0) + 800
    limit = answered.at + round(request.max_duration * 60_000)
    return closed(script, Ended(min(silent, limit), "completed"))


@dataclass(frozen=True, slots=True)
class _Stage:
    """All that a conversation is made from."""

    request: PlaceCall
    person: Person
    chance: random.Random
    created_at: int
    rings: int
    answered: int

    @property
    def task(self) -> str:
        return filled(self.request.task or self.request.instructions or "", self.request.request_data)

    @property
    def opening(self) -> str:
        """The agent's first words: the caller's own, else a greeting that names its business."""
        if self.request.first_sentence:
            return filled(self.request.first_sentence, self.request.request_data)
        role = re.search(
            r"\b[Yy]ou are (?!an? |the )([A-Z]\w+(?: [A-Z]\w+)?)(?:,? (?:from|at|of) ([^.,;\n]{2,60}))?",
            self.task,
        )
        named = (
            f"this is {role[1]}{f' from {role[2]}' if role and role[2] else ''}"
            if role
            else "this is an AI assistant"
        )
        return f"Hello, {named}, calling on behalf of a customer."

    @property
    def currency(self) -> str:
        number = self.request.phone_number
        return "dollars" if number.startswith("+1") else "pounds" if number.startswith("+44") else "euros"


class _Talk:
    """Turns as they are spoken, each as long as its words take."""

    def __init__(self, stage: _Stage) -> None:
        self._chance = stage.chance
        self._free = stage.answered + 500
        self.turns: list[Said] = []

    def say(self, speaker: Speaker, words: str, finding: Finding | None = None, pause: int = 0) -> None:
        at = self._free + pause
        self.turns.append(Said(at, speaker, words, finding))
        self._free = at + spoken_ms(words) + self._chance.randint(400, 1200)


def _conversation(stage: _Stage) -> Script:
    """A helpful person answers, and every point of the task gets its answer."""
    asked, talk, person = points(stage.task), _Talk(stage), stage.person
    talk.say("assistant", stage.opening)
    talk.say("user", f"{(person.greeting or ('Hello.',))[0]} What is it about?")
    if len(asked) > 1:
        talk.say(
            "assistant",
            f"Thank you, {person.first_name}. I have {_counted(len(asked))} things to go through with you.",
        )
        talk.say("user", (person.ready or ("Go ahead.",))[0])
    for point in asked:
        talk.say("assistant", point.words)
        talk.say("user", *answer(person, point, stage.currency, stage.chance))
    talk.say(
        "assistant",
        f"That was everything. Thank you very much, {person.first_name}, and have a nice day. Goodbye.",
    )
    talk.say("user", (person.farewell or ("Goodbye.",))[0])
    return _answered(stage, "human", person.name, len(asked), talk.turns)


def _endless(stage: _Stage) -> Script:
    """Somebody who asks for patience, then keeps the line open until it is cut; no limit ends it."""
    script = _conversation(stage)
    last = script.events[-1].at
    waits = tuple(
        Said(last + 8000 + 20_000 * turn, "user", words)
        for turn, words in enumerate(
            ("One moment, please, don't hang up.", "I'm still looking.", "Nearly there.") * 4
        )
    )
    return replace(script, events=(*script.events[:-2], *waits))


def _voicemail(stage: _Stage) -> Script:
    """A greeting and a beep; the agent leaves a message."""
    talk = _Talk(stage)
    talk.say(
        "user",
        "Hi, you have reached the mailbox of this number. Please leave a message after the tone. (beep)",
    )
    talk.say("assistant", stage.opening)
    message = " ".join(point.words for point in points(stage.task)[:5])
    left = Finding("voicemail_left", "Reached a mailbox and left a message.")
    talk.say(
        "assistant",
        f"I'm leaving you a message. {message} Please call back when it suits you. Goodbye.",
        left,
    )
    return _answered(stage, "voicemail", "a mailbox", 1, talk.turns)


def _menu(stage: _Stage) -> Script:
    """A machine that offers keys and never a person."""
    talk = _Talk(stage)
    talk.say(
        "user",
        "Thank you for calling. For opening hours, press 1. For bookings, press 2. To hear it again, 9.",
    )
    talk.say("assistant", f"{stage.opening} May I speak to a person, please?")
    talk.say(
        "user",
        "Sorry, I did not understand that. For opening hours, press 1. For bookings, press 2.",
        pause=1500,
    )
    reached = Finding("menu_reached", "Reached an automatic menu, and no person.")
    talk.say("assistant", "I will try again another time. Goodbye.", reached)
    return _answered(stage, "ivr", "an automatic menu", 1, talk.turns)


def _answered(stage: _Stage, by: str, person: str, brought_up: int, turns: list[Said]) -> Script:
    answered = Answered(
        stage.answered, "voicemail" if by == "voicemail" else "ivr" if by == "ivr" else "human"
    )
    events: tuple[Event, ...] = (Ringing(stage.rings), answered, *turns)
    return Script(stage.created_at, person, brought_up, events)


def _counted(count: int) -> str:
    return {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}.get(count, str(count))
