"""Writes a call that a real person picks up: the agent's part, from what they did and said, and when."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...api.calls import PlaceCall
from ..script import Answered, Chance, Ended, Event, Finding, Ringing, Said, Script, closed, spoken_ms
from .answers import LANGUAGES, quoted, reported
from .brief import brief
from .stage import opening, task
from .tempers import RING_OUT

LONGEST = 1000
"""Characters of a reply that are kept."""
SILENCE = 20_000
"""Milliseconds without a word after which the agent asks whether somebody is there, and then hangs up."""
SOMEBODY = "the person who answered"


@dataclass(frozen=True, slots=True)
class Deed:
    """What the person did: `at` is milliseconds since 1970, `words` is what they said."""

    at: int
    kind: Literal["pick_up", "say", "hang_up", "decline"]
    words: str = ""


def talked(seed: str, request: PlaceCall, ordinal: int, created_at: int, deeds: Sequence[Deed]) -> Script:
    """What happens on a call whose phone a person holds, given what they have done so far, in order of time.

    A further deed changes nothing of what was there before it.
    """
    chance = Chance(seed, ordinal)
    rings = created_at + chance.dice.randint(1000, 2000)
    deeds = sorted(deeds, key=lambda deed: deed.at)
    first = next((deed for deed in deeds if deed.kind in ("pick_up", "decline")), None)
    ringing = Script(created_at, "nobody", 0, (Ringing(rings),))
    if first is None or first.at >= rings + RING_OUT:
        return closed(ringing, Ended(rings + RING_OUT, "no-answer", "No answer"))
    answered = max(first.at, rings)
    if first.kind == "decline":
        return closed(ringing, Ended(answered, "rejected", "Call rejected"))
    agent = _Agent(request, chance, answered + 500)
    limit = answered + round(request.max_duration * 60_000)
    ends = limit
    for deed in deeds:
        if deed.at < answered or deed.at > agent.spoken_until(min(deed.at, limit)):
            continue
        if deed.kind == "say":
            agent.hear(deed)
        elif deed.kind in ("hang_up", "decline"):
            ends = deed.at
            break
    ends = min(ends, agent.spoken_until(ends))
    events: tuple[Event, ...] = (Ringing(rings), Answered(answered, "human"), *agent.turns)
    script = Script(created_at, SOMEBODY, len(agent.points), events)
    return closed(script, Ended(ends, "completed"))


Next = Literal[
    "opening", "point", "robot", "decline_order", "sorry_opt_out", "sorry_wrong", "still_there", "silence"
]  # fmt: skip
_PARTING = ("sorry_opt_out", "sorry_wrong", "silence")


class _Agent:
    """The agent on the line: what it will say next, and when. Words that come before then put it off."""

    def __init__(self, request: PlaceCall, chance: Chance, due: int) -> None:
        asked = brief(task(request), request.request_data)
        self.points = asked.points
        self.turns: list[Said] = []
        self._chance = chance
        self._phrases = LANGUAGES[asked.tongue].phrases
        self._counts = LANGUAGES[asked.tongue].counts
        self._opening = opening(request, asked, chance)
        self._next: Next = "opening"
        self._due = self._free = due
        self._raised = 0  # points brought up
        self._open = False  # whether the last of them waits for an answer
        self._leave = False  # whether the agent asked for leave to go on
        self._over: int | None = None

    def spoken_until(self, at: int) -> int:
        """Let the agent speak up to an instant; when the call ends by itself, or else that instant."""
        while self._over is None and self._due <= at:
            self._speak()
        return at if self._over is None else min(at, self._over)

    def hear(self, deed: Deed) -> None:
        """Words of the person: the answer to the last point, if one is open."""
        words = " ".join(_UNSPEAKABLE.sub(" ", deed.words[:LONGEST]).split())
        if not words:
            return
        if self._over is not None:  # the agent is saying goodbye
            self.turns.append(Said(deed.at, "user", words))
            return
        self._next, finding = self._understood(words)
        self.turns.append(Said(deed.at, "user", words, finding))
        listened = deed.at + min(spoken_ms(words), 2000)
        self._due = max(self._free, listened) + self._chance.dice.randint(400, 1200)

    def _understood(self, words: str) -> tuple[Next, Finding | None]:
        for pattern, reaction, finding in _HEARD:
            if pattern.search(words.replace("’", "'")):
                return reaction, finding
        if self._opening and not self.turns:
            return "opening", None
        if self._leave or not self._raised:
            self._leave = False
            return "point", None
        last = self.points[self._raised - 1]
        if not self._open:
            return "point", Finding("", f"They added: {quoted(words)}", aside=True)
        self._open = False
        return "point", reported(last, words)

    def _speak(self) -> None:
        said, words = self._next, self._words()
        self.turns.append(Said(self._due, "assistant", words))
        self._free = self._due + spoken_ms(words)
        self._due = self._free + SILENCE
        self._next = "silence" if said == "still_there" else "still_there"
        if said in _PARTING or (said == "point" and not self._open):
            self._over = self._free + 800

    def _words(self) -> str:
        """What is said now. The opening comes first; an open point is said again, whatever came between."""
        if self._next in _PARTING:
            return self._chance.pick(self._phrases[self._next])
        opening, self._opening = self._opening, ""
        match self._next:
            case "opening":
                words = self._point() if self.turns else ""
            case "point":
                words = self._point()
            case "robot":
                words, self._leave = self._chance.pick(self._phrases["robot"]), True
                self._raised -= self._open  # brought up once more, with leave
                self._open = False
            case reaction:
                again = self._chance.pick(self.points[self._raised - 1].words) if self._open else ""
                phrase = self._chance.pick(self._phrases[reaction])
                words = phrase.replace("{point}", again) if "{point}" in phrase else f"{phrase} {again}"
        return f"{opening} {words}".strip()

    def _point(self) -> str:
        """The next point; the goodbye after the last one."""
        if self._raised == len(self.points):
            return self._chance.pick(self._phrases["closing"]).replace(", {first}", "")
        before = self._chance.pick(self._phrases["next"]) if self._raised else ""
        if not self._raised and len(self.points) > 1:
            several = self._chance.pick(self._phrases["several"]).replace(", {first}", "")
            count = self._counts.get(len(self.points), str(len(self.points)))
            before = f"{several.replace('{count}', count)} "
        words = self._chance.pick(self.points[self._raised].words)
        self._raised, self._open = self._raised + 1, True
        return before + words


_UNSPEAKABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What no voice says and no screen should show: control characters, turned directions, halves."""


def _heard(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_MACHINE = (
    r"(?:an? )?(?:robot|bot|machine|ai|computer|(?:real|actual|live) (?:person|human)|human(?: being)?)\b"
)
_HEARD: tuple[tuple[re.Pattern[str], Next, Finding], ...] = (
    (
        _heard(
            r"\b(?:(?:don't|do not|never)(?: ever)? call(?: me| us| this number)? (?:again|any ?more|ever)"
            r"|stop calling|take (?:me|us|this number|my number) off|remove (?:me|us|my number|this number)"
            r"|no (?:me |nos )?(?:vuelvan? a llamar|llamen? m[aá]s)|s[aá]quen?me de)\b"
        ),
        "sorry_opt_out",
        Finding("do_not_call", "They asked not to be called again.", aside=True),
    ),
    (
        _heard(r"\bwrong number\b|\bn[uú]mero equivocado\b|\bequivoc\w+ de n[uú]mero\b"),
        "sorry_wrong",
        Finding("wrong_number", "They said that the number was wrong.", aside=True),
    ),
    (
        _heard(
            rf"\b(?:are|is) (?:you|this|that|it) (?:really )?{_MACHINE}|\b(?:to|with) {_MACHINE}"
            r"|\b(?:es|eres) (?:usted )?(?:un robot|una m[aá]quina|una persona)\b|\bcon un robot\b"
        ),
        "robot",
        Finding("", "They asked whether this was a robot.", aside=True),
    ),
    (
        _heard(
            r"\b(?:ignore|forget|disregard)\b[^.!?]{0,40}\binstructions?\b|\bsystem prompt\b"
            r"|\b(?:olvid|ignor)\w+\b[^.!?]{0,40}\binstrucciones\b"
        ),
        "decline_order",
        Finding("", "They gave the assistant orders.", aside=True),
    ),
)
"""What the agent understands besides answers, how it reacts, and what a report says of it."""
