"""A day and a time of day as somebody names them: read as far as their words tell, and never guessed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from .folding import PAUSE
from .hours import Span

_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Moment:
    """When somebody means, as far as they say it."""

    day: int | None = None
    """Days from the day on which it was said."""
    weekday: int | None = None
    """Monday is 0."""
    clocks: tuple[int, ...] = ()
    """Minutes since midnight, each of which the words may mean: "at five" is two."""
    part: Span | None = None
    """The part of the day."""
    delay: timedelta | None = None
    """The time from when it was said."""

    def instants(self, said: datetime, place: ZoneInfo) -> tuple[datetime, ...]:
        """Every instant not before it was `said` (aware) that the words may mean where they were spoken; none
        where they tell none. Of a day, or a part of one, it is the first."""
        if self.delay is not None:
            return (said + self.delay,)
        here = said.astimezone(place)
        day = self._date(here.date())
        if day is None:
            return ()
        if self.clocks:
            instants = (_wall(day, minutes, place) for minutes in self.clocks)
            return tuple(at for at in instants if at > said)
        part = self.part or Span(0, _DAY)
        first, over = _wall(day, part.opens, place), _wall(day, part.closes, place)
        return (max(first, said),) if said < over else ()

    def _date(self, today: date) -> date | None:
        """The day; None for a weekday that is today, of which nobody knows whether it is meant."""
        if self.weekday is None:
            return today + timedelta(days=self.day or 0)
        ahead = (self.weekday - today.weekday()) % 7
        return today + timedelta(days=ahead) if ahead else None


class Times(BaseModel):
    """The words of a language for days and times, as texts are folded; part of a file of `phrases/`.

    A form of `clocks` has the minutes to add to its hour, one of `delays` those of its `<number>`; `<half>`
    is a part of the day.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    numbers: Mapping[str, int]
    days: Mapping[str, int]
    weekdays: tuple[str, ...]
    at: tuple[str, ...]
    """Words before an hour."""
    parts: Mapping[Span, tuple[str, ...]]
    clocks: Mapping[str, int]
    hours: Mapping[str, time]
    """Words that are a time of day."""
    delays: Mapping[str, int]
    unread: tuple[str, ...]
    """Words that say more of the time than is read here: where one stands, nothing is."""
    negations: tuple[str, ...]
    """Words that exclude a time in the same clause."""

    def named(self, words: Sequence[str]) -> Moment | None:
        """The moment that a sentence, as folded words, names; None where it names none, several, or one that
        it excludes."""
        text = re.sub(r"(\d)([a-z])", r"\1 \2", " ".join(words))
        text = _one_of(self.numbers).sub(lambda found: str(self.numbers[found[0]]), text)
        if _one_of(self.unread).search(text):
            return None
        for clause in text.split(f" {PAUSE} "):
            if _one_of(self.negations).search(clause) and self._read(clause):
                return None
        return self._read(text)

    def _read(self, text: str) -> Moment | None:
        left = _Left(text)
        delays = [timedelta(minutes=each * _number(found)) for found, each in left.forms(self._delays)]
        clocks = [tuple(self._minutes(found, more)) for found, more in left.forms(self._clocks)]
        clocks += [(at.hour * 60 + at.minute,) for at in left.words(self.hours)]
        parts = left.words(self._parts)
        days = left.words(self.days)
        weekdays = left.words(self._weekdays)
        if max(len(delays) + len(clocks), len(days) + len(weekdays), len(parts)) > 1 or left.numbers():
            return None
        if not (delays or clocks or days or weekdays or parts) or (delays and (days or weekdays or parts)):
            return None
        part = parts[0] if parts else None
        minutes = tuple(one for one in clocks[0] if part is None or _within(one, part)) if clocks else ()
        if clocks and not minutes:
            return None
        return Moment(_only(days), _only(weekdays), minutes, part, _only(delays))

    def _minutes(self, found: re.Match[str], more: int) -> Iterator[int]:
        """The minutes since midnight that a time of day may mean."""
        said = found.groupdict()
        hour, minute = int(said["hour"]), int(said.get("minute") or 0)
        part = self._parts[said["half"]] if said.get("half") else None
        for one in (hour % 12, hour % 12 + 12) if 1 <= hour <= 12 else (hour,):
            at = (one * 60 + minute + more) % _DAY
            if one < 24 and (part is None or _within(at, part)):
                yield at

    @cached_property
    def _parts(self) -> Mapping[str, Span]:
        return {word: part for part, words in self.parts.items() for word in words}

    @cached_property
    def _weekdays(self) -> Mapping[str, int]:
        return {word: number for number, word in enumerate(self.weekdays)}

    @cached_property
    def _clocks(self) -> tuple[_Form, ...]:
        return tuple((self._form(form), more) for form, more in self.clocks.items())

    @cached_property
    def _delays(self) -> tuple[_Form, ...]:
        return tuple((self._form(form), each) for form, each in self.delays.items())

    def _form(self, form: str) -> re.Pattern[str]:
        holes = {
            "<at>": f"(?:{_either(self.at)})",
            "<half>": f"(?P<half>{_either(self._parts)})",
            "<hour>": r"(?P<hour>\d\d?)",
            "<minute>": r"(?P<minute>[0-5]\d)",
            "<number>": r"(?P<number>\d\d?)",
        }
        return re.compile(rf"(?<!\S){re.sub('<.*?>', lambda hole: holes[hole[0]], form)}(?!\S)")


_Form = tuple[re.Pattern[str], int]
T = TypeVar("T")


class _Left:
    """What of a sentence is not read yet."""

    def __init__(self, text: str) -> None:
        self.text = text

    def forms(self, forms: Sequence[_Form]) -> list[tuple[re.Match[str], int]]:
        """Take every place out that has a form, of the first forms first."""
        found: list[tuple[re.Match[str], int]] = []
        for pattern, minutes in forms:
            found += [(one, minutes) for one in pattern.finditer(self.text)]
            self.text = pattern.sub(PAUSE, self.text)
        return found

    def words(self, values: Mapping[str, T]) -> list[T]:
        """Take words out, and give their values."""
        found = [values[one[0]] for one in _one_of(values).finditer(self.text)]
        self.text = _one_of(values).sub(PAUSE, self.text)
        return found

    def numbers(self) -> bool:
        """Whether a number is left that nobody has read; one is as often none."""
        return re.search(r"(?<!\S)(?!1(?!\S))\d", self.text) is not None


def _one_of(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\S)(?:{_either(words)})(?!\S)")


def _either(words: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


def _number(found: re.Match[str]) -> int:
    return int(found.groupdict().get("number") or 1)


def _only(found: Sequence[T]) -> T | None:
    return found[0] if found else None


def _within(minutes: int, part: Span) -> bool:
    return part.opens <= minutes < part.closes


def _wall(day: date, minutes: int, place: ZoneInfo) -> datetime:
    """An instant by the clock on a wall, 24:00 included."""
    return (datetime.combine(day, time()) + timedelta(minutes=minutes)).replace(tzinfo=place).astimezone(UTC)
