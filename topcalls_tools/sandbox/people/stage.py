"""A call being written: who speaks with whom, about what, and the turns as they are spoken."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from ...api.calls import PlaceCall
from ...api.placeholders import filled
from ..script import (
    Answered,
    Chance,
    Ended,
    Event,
    Finding,
    Ringing,
    Said,
    Script,
    Speaker,
    closed,
    spoken_ms,
)
from .answers import LANGUAGES, answer
from .brief import Brief, brief
from .language import Language
from .person import Choices, Person
from .points import Point

By = Literal["human", "voicemail", "ivr"]


@dataclass(slots=True)
class Stage:
    """All that a call is made from, and what has been said so far."""

    request: PlaceCall
    person: Person
    chance: Chance
    created_at: int
    rings: int
    answered: int = 0
    turns: list[Said] = field(default_factory=list)
    brief: Brief = field(init=False)
    language: Language = field(init=False)
    """What the two of them speak: the person's language."""
    _free: int = 0

    def __post_init__(self) -> None:
        self.brief = brief(task(self.request), self.request.request_data)
        self.language = LANGUAGES[self.person.tongue]

    @property
    def opening(self) -> str:
        """The agent's first words: the caller's own, else a greeting that names its business."""
        return opening(self.request, self.brief, self.chance)

    def picked_up(self) -> None:
        """It rings, and somebody or something answers."""
        least, most = self.person.rings_for
        ringing = self.chance.dice.randint(round(least * 1000), max(round(least * 1000), round(most * 1000)))
        self.answered = self.rings + ringing
        self._free = self.answered + 500

    def say(self, speaker: Speaker, words: str, finding: Finding | None = None, pause: int = 0) -> None:
        """The next turn, as long as its words take; `pause` is milliseconds of silence before it."""
        at = self._free + pause
        self.turns.append(Said(at, speaker, words, finding))
        self._free = at + spoken_ms(words) + self.chance.dice.randint(400, 1200)

    def phrase(self, name: str, own: Choices = (), **holes: str) -> str:
        """One of the person's own wordings, else of the language's."""
        words = self.chance.pick(own or self.language.phrases[name])
        return self._filled(words, holes) if "{" in words else words

    def bring_up(self, point: Point, before: str = "", finding: Finding | None = None) -> None:
        """The agent says a point, in the language of the call."""
        if point.tongue == self.language.tongue:
            words = self.chance.pick(point.words)
        else:
            name = f"quoted_{point.kind}"
            known = name if name in self.language.phrases else "quoted_point"
            words = self.phrase(known, about=point.about)
        self.say("assistant", before + words, finding)

    def answer(self, point: Point, after: str = "", before: str = "") -> None:
        words, finding = answer(self.person, point, self.request.phone_number, self.chance)
        self.say("user", f"{before}{words}{after}", finding)

    def script(self, by: By = "human", brought_up: int | None = None) -> Script:
        """The call, ended when all is said, or when max_duration is over (contract A49)."""
        limit = self.answered + round(self.request.max_duration * 60_000)
        last = self.turns[-1]
        over = last.at + spoken_ms(last.words) + 800
        return closed(self.unended(by, brought_up), Ended(min(over, limit), "completed"))

    def unended(self, by: By = "human", brought_up: int | None = None) -> Script:
        events: tuple[Event, ...] = (Ringing(self.rings), Answered(self.answered, by), *self.turns)
        reached = self.person.name if by == "human" else ""
        count = len(self.brief.points) if brought_up is None else brought_up
        return Script(self.created_at, reached, count, events)

    def local(self, at: int) -> datetime:
        """An instant on the person's own clock."""
        return datetime.fromtimestamp(at / 1000, ZoneInfo(self.person.timezone))

    def _filled(self, words: str, holes: dict[str, str]) -> str:
        """A wording with its holes filled. Whose name was not given is not called by it."""
        if "{daypart}" in words:
            hour = self.local(self.answered).hour
            words = words.replace("{daypart}", self.language.dayparts[(hour >= 12) + (hour >= 18)])
        if "{first}" in words:
            known = any(self.person.first_name in turn.words for turn in self.turns if turn.speaker == "user")
            words = (
                words.replace("{first}", self.person.first_name) if known else words.replace(", {first}", "")
            )
        words = words.replace("{name}", self.person.name)
        for name, value in holes.items():
            words = words.replace(f"{{{name}}}", value)
        return words


def opening(request: PlaceCall, asked: Brief, chance: Chance) -> str:
    """How the agent begins, in the language of its task."""
    if request.first_sentence:
        return filled(request.first_sentence, request.request_data)
    phrases = LANGUAGES[asked.tongue].phrases
    who = phrases["who"][0]
    if asked.tongue == "en" and (role := _ROLE.search(filled(task(request), request.request_data))):
        who = f"this is {role[1]}{f' from {role[2]}' if role[2] else ''}"
    return chance.pick(phrases["opening"]).replace("{who}", who)


def task(request: PlaceCall) -> str:
    return request.task or request.instructions or ""


_ROLE = re.compile(
    r"\b[Yy]ou are (?!an? |the )([A-Z]\w+(?: [A-Z]\w+)?)(?:,? (?:from|at|of) ([^.,;\n]{2,60}))?"
)


def days_on(at: datetime, days: int) -> datetime:
    """The same time of day, some days later, and not on a Sunday."""
    later = at + timedelta(days=days)
    return later + timedelta(days=1) if later.weekday() == 6 else later
