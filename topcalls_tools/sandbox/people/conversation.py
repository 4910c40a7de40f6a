"""Writes a call when it is placed: a pure function of seed, request, ordinal, instant and who answers."""

from __future__ import annotations

from ...api.calls import PlaceCall
from ..script import Chance, Script
from .person import PEOPLE, Person
from .stage import Stage
from .tempers import TEMPERS, unanswered


def written(
    seed: str,
    request: PlaceCall,
    ordinal: int,
    created_at: int,
    person: Person | None = None,
    earlier: int = 0,
) -> Script:
    """What will happen on this call unless somebody intervenes.

    `created_at` is milliseconds since 1970; `person` is whoever the number reaches, one of ours by default;
    `earlier` is how many calls the account made to this number before.
    """
    person = person or PEOPLE.of(request.phone_number, seed)
    chance = Chance(seed, ordinal)
    rings = created_at + chance.dice.randint(1000, 2000)
    stage = Stage(request, person, chance, created_at, rings)
    if earlier + 1 < person.answers_on_attempt:
        return unanswered(stage, person.until_then)
    return TEMPERS[person.temper](stage)
