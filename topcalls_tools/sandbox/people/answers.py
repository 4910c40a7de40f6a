"""What a person answers to a point, in their language, and what it brought to light."""

from __future__ import annotations

import re
from functools import lru_cache

from ..script import Chance, Finding
from .english import ENGLISH
from .language import Language
from .person import Person
from .points import Kind, Point
from .pronouns import OBJECTS, to_us
from .spanish import SPANISH

LANGUAGES: dict[str, Language] = {"en": ENGLISH, "es": SPANISH}


def answer(person: Person, point: Point, number: str, chance: Chance) -> tuple[str, Finding]:
    """What somebody who is called at a number says to a point, always about that point."""
    language = LANGUAGES[person.tongue]
    if fixed := person.pinned(point.about):
        return fixed.say, Finding(fixed.disposition, f"{brought_up(point)}: {quoted(fixed.say)}")
    if point.kind in language.refused and person.willing < 0.5 and chance.share() >= person.willing:
        sorry = chance.pick(person.refusal or language.phrases["refusal"])
        refused = language.refused[point.kind].replace("{about}", _said(point, person))
        return f"{sorry}, {refused}.", Finding("declined", f"{brought_up(point)}: declined.")
    currency = language.currency(number)
    if point.tongue == person.tongue:
        words, fact = language.answer(person, point, currency, chance)
    else:
        words, fact = _quoted(language, person, point, currency, chance)
    return words, _finding(point, fact)


def echo(point: Point, person: Person) -> str:
    """How somebody repeats what they are asked: "About whether we deliver?"."""
    said = _said(point, person)
    if point.tongue == "es" or person.tongue == "es":
        return f"¿Lo de {said if said[0] == '«' else f'«{said}»'}?" if person.tongue == "es" else f"{said}?"
    if point.kind == "plan":
        return f"You'd like to {said}?"
    if point.kind in ("favour", "rating") and not _INTERROGATIVE.match(said):
        return f"You'd like us to {said}?"
    if point.kind == "tell":
        bare = re.sub(r"^(?:that|of|about) ", "", said)
        return f"{bare[:1].upper()}{bare[1:]}?"
    return f"About this: {said}?" if point.kind == "matter" else f"About {said}?"


def _said(point: Point, person: Person) -> str:
    if point.tongue != person.tongue:
        return f"“{point.about}”" if person.tongue == "en" else f"«{point.about}»"
    return to_us(point.about) if point.tongue == "en" else point.about


def _quoted(
    language: Language, person: Person, point: Point, currency: str, chance: Chance
) -> tuple[str, str]:
    """An answer to words of another language, which are repeated as they are."""
    short = language.quoted.get(point.kind)
    if point.kind == "whether":
        yes = chance.dice.random() < person.willing
        said, fact = (short or ("",))[0 if yes else -1], "yes" if yes else "no"
    elif point.kind in _DONE or short:
        said = fact = (short or language.quoted[""])[0]
    else:
        said = fact = language.fact(point.kind, person, currency, chance)
    phrase = chance.pick(language.phrases["quoted_answer"])
    return phrase.replace("{about}", point.about).replace("{fact}", said), fact


_DONE: dict[Kind, tuple[str, str]] = {
    "book": ("booked", "Booked"),
    "order": ("ordered", "Ordered"),
    "confirm": ("confirmed", "Confirmed"),
    "cancel": ("cancelled", "Cancelled"),
    "move": ("rescheduled", "Rescheduled"),
    "tell": ("informed", "Passed on"),
    "favour": ("agreed", "Agreed to"),
    "wish": ("agreed", "Granted"),
    "plan": ("agreed", "Agreed"),
    "matter": ("agreed", "Agreed"),
}
"""Label and verb of what is done, not answered."""
_RAISED: dict[Kind, str] = {
    "book": "Asked to book",
    "order": "Asked to order",
    "confirm": "Asked to confirm",
    "cancel": "Asked to cancel",
    "move": "Asked to change",
    "tell": "Told them",
    "favour": "Asked them to",
    "rating": "Asked",
    "wish": "Asked for",
    "plan": "Wanted to",
    "matter": "Brought up",
}


def _finding(point: Point, fact: str) -> Finding:
    if point.kind not in _DONE:
        return Finding("answered", f"{brought_up(point)}: {fact}.")
    label, done = _DONE[point.kind]
    if point.kind == "plan":
        return Finding(label, f"{brought_up(point)}: agreed.")
    offered = fact if point.kind == "book" and fact.startswith((" at", " a las")) else ""
    colon = " " if point.kind == "favour" and point.tongue == "en" else ": "
    about = re.sub(r"^(?:that|of|about) ", "", noted(point)) if point.kind == "tell" else noted(point)
    return Finding(label, f"{done}{colon}{about}{offered}.")


def reported(point: Point, words: str) -> Finding:
    """What somebody's own words brought to light, which the report quotes."""
    label = "answered"
    if point.kind in _DONE:
        yes, no = _YES.match(words), _NO.match(words)
        label = _DONE[point.kind][0] if yes else "declined" if no else label
    return Finding(label, f"{brought_up(point)}: {quoted(words)}")


def quoted(words: str) -> str:
    """Somebody's own words, as they end a sentence of a report."""
    short = words if len(words) <= 200 else f"{words[:199]}…"
    return f"“{short}”" if short.endswith((".", "!", "?", "…")) else f"“{short}”."


_YES = re.compile(
    r"\W*(?:yes|yeah|yep|sure|of course|certainly|ok|okay|all right|fine|done|sí|si|claro|vale|de acuerdo"
    r"|por supuesto|hecho)\b",
    re.IGNORECASE,
)
_NO = re.compile(r"\W*(?:no|nope|sorry|never|unfortunately|lo siento)\b", re.IGNORECASE)


def brought_up(point: Point) -> str:
    """A point as a report begins: "Asked whether they deliver"."""
    raised = _RAISED.get(point.kind, "Asked")
    about = noted(point)
    if raised == "Asked" and point.tongue == "en" and not _INTERROGATIVE.match(about):
        raised = "Asked about"
    return f"{raised} {about}"


_INTERROGATIVE = re.compile(
    r"(?:whether|if|how|what|when|where|who|which|why|(?:until|from|at) w)\b", re.IGNORECASE
)
_THEY = {"you": "they", "your": "their", "yours": "theirs", "yourself": "themselves", "you're": "they're"}
_YOU = re.compile(r"\b(?:you're|yourself|yours|your|you)\b", re.IGNORECASE)
_YOU_AS_OBJECT = re.compile(rf"\b({OBJECTS}) you\b", re.IGNORECASE)


def noted(point: Point) -> str:
    """What a point is about, as a report tells it: you is they again, and Spanish is quoted."""
    return f"«{point.about}»" if point.tongue == "es" else _noted(point.about)


@lru_cache(4096)
def _noted(about: str) -> str:
    told = _YOU_AS_OBJECT.sub(r"\1 them", about)
    return _YOU.sub(lambda found: _THEY[found[0].lower()], told)
