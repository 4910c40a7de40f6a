"""What a language gives a conversation: its phrases, its days and coins, and answers in its grammar."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..script import Chance
from .person import Person
from .points import Point, Tongue

Phrases = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Language:
    tongue: Tongue
    phrases: Phrases
    dayparts: tuple[str, str, str]
    """Greetings of the morning, of the afternoon and of the evening."""
    days: tuple[str, ...]
    counts: Mapping[int, str]
    """Small numbers in words."""
    currencies: Mapping[str, str]
    """What is paid with, by how a number begins; the first that fits counts."""
    refused: Mapping[str, str]
    """A no to each kind of request."""
    quoted: Mapping[str, tuple[str, ...]]
    """Short answers to what was quoted in another language, by kind; the second is a no."""
    hour: Callable[[int, int], str]
    """A time of day, as it follows the day."""
    fact: Callable[[str, Person, str, Chance], str]
    """What answers a question that wants a time, a sum, a number or a place."""
    answer: Callable[[Person, Point, str, Chance], tuple[str, str]]
    """What a person says to a point, and the fact in it."""

    def currency(self, number: str) -> str:
        return next(coins for begins, coins in self.currencies.items() if number.startswith(begins))
