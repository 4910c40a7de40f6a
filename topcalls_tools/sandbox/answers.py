"""What a person answers to each point: always about that point, and what it brought to light."""

from __future__ import annotations

import random
import re

from .people import Person
from .points import OBJECTS, Point, to_us
from .script import Finding


def answer(person: Person, point: Point, currency: str, dice: random.Random) -> tuple[str, Finding]:
    """What the person says to a point, always about that point, and what it brought to light."""
    about, noted = to_us(point.about), _noted(point.about)

    def told(words: str, fact: str) -> tuple[str, Finding]:
        return words, Finding("answered", f"Asked {noted}: {fact}.")

    match point.kind:
        case "whether":
            return _whether(person, point, about, dice)
        case "when":
            at = _time(about, dice)
            said = re.sub(f"^{_WHEN}\\s+", "", about, count=1, flags=re.IGNORECASE)
            return told(f"{_upper(said)}: at {at}." if said == about else f"{_upper(said)} at {at}.", at)
        case "hours":
            hours = f"from {dice.randint(7, 10)} am to {dice.randint(5, 10)} pm"
            return told(f"As for {about}: we're open {hours}.", hours)
        case "price":
            price = f"{dice.randint(12, 95)} {currency}"
            return told(f"{_upper(_priced(about))} {price}.", price)
        case "count":
            count = str(dice.randint(2, 12))
            have = re.match(r"how many (.+?) ((?:we|you|there) \w+)\b\s*(.*)", about, re.IGNORECASE)
            said = f"{have[2]} {count} {have[1]} {have[3]}".strip() if have else f"{about}? That's {count}"
            return told(f"{_upper(said)}.", count)
        case "length":
            length = f"about {dice.choice((20, 30, 45, 60, 90))} minutes"
            return told(f"{_upper(about)}? I'd say {length}.", length)
        case "place":
            thing = re.match(r"where (.+) (is|are)$", about, re.IGNORECASE)
            said = f"{thing[1]} {thing[2]} at" if thing else f"{about}? That's at"
            return told(f"{_upper(said)} {person.street}.", person.street)
        case "person":
            return told(f"That's me, {person.name}; I'm the one {about}.", person.name)
        case "what":
            return told(f"About {about}: as usual, nothing has changed there.", "as usual")
        case "book":
            return _booked(about, dice)
        case "confirm":
            clause = about.startswith("that ")
            said = f"{about.removeprefix('that ')}. Confirmed" if clause else f"{about} is confirmed"
            return f"Yes, that's right: {said}.", Finding("confirmed", f"Confirmed: {noted}.")
        case "cancel":
            return f"All right, I've cancelled {about} for you.", Finding("cancelled", f"Cancelled: {noted}.")
        case "move":
            return f"That works, I've changed {about}.", Finding("rescheduled", f"Rescheduled: {noted}.")
        case "tell":
            words = f"Thanks for letting me know. So, {about}; I've made a note of it."
            return words, Finding("informed", f"Passed on: {noted}.")
        case "favour":
            return f"Of course, I'll {about}.", Finding("agreed", f"Agreed to {noted}.")
        case "wish":
            return f"Of course, you can have {about}.", Finding("agreed", f"Granted: {noted}.")
        case "matter":
            return f"I see: {about}. I'll take care of it.", Finding("agreed", f"Agreed: {noted}.")


_WHEN = r"(?:(?:until |from )?when|(?:at |until |from )?what (?:time|day|date)|how (?:late|early|soon))"


def _time(about: str, dice: random.Random) -> str:
    """A time of day that suits what it is about."""
    half = "pm" if re.search(r"\b(?:clos\w+|until|late|dinner|evening)\b", about) else "am"
    hour = dice.randint(6, 10) if half == "pm" else dice.randint(8, 11)
    return f"{hour}:{dice.choice(('00', '30'))} {half}"


def _priced(about: str) -> str:
    """The thing that costs, with its verb: "how much is the menu" gives "the menu is"."""
    found = re.match(r"how much (.+?) ((?:would |will )?(?:costs?|be)|is|are)$", about, re.IGNORECASE)
    if found:
        return f"{found[1]} {found[2]}"
    if turned := re.match(r"how much (is|are|does|do|would|will) (.+?)( cost| be)?$", about, re.IGNORECASE):
        return f"{turned[2]} {'are' if turned[1].lower() in ('are', 'do') else 'is'}"
    return f"{about}: that comes to"


def _whether(person: Person, point: Point, about: str, dice: random.Random) -> tuple[str, Finding]:
    yes, more = dice.random() < person.willing, dice.choice(person.assent or ("",))
    said = about.removeprefix("whether ")
    finding = Finding("answered", f"Asked {_noted(point.about)}: {'yes' if yes else 'no'}.")
    if yes:
        return f"Yes, {said}{more}.", finding
    denied = _denied(said)
    return (
        f"No, I'm sorry, {denied}." if denied else f"No, I'm afraid not. {_upper(said)}: not at the moment."
    ), finding


_TIMED = re.compile(
    r"\b(?:\d{1,2}(?::\d\d)?\s*(?:am|pm|a\.m|p\.m|o'clock)|\d{1,2}:\d\d"
    r"|at (?:\d{1,2}|noon|midnight|\w+ o'clock)"
    r"|at (?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)|half past)\b",
    re.IGNORECASE,
)


def _booked(about: str, dice: random.Random) -> tuple[str, Finding]:
    """A booking restates party and time; where the agent named no time, the person offers one."""
    offered = "" if _TIMED.search(about) else f" at {dice.randint(5, 8)}:{dice.choice(('00', '30'))} pm"
    name = re.search(r"\b(?:name of|under) ([A-Z]\w+(?: [A-Z]\w+)?)", about)
    party = re.search(r"\bfor (\w+(?: people| persons| guests)?)\b", about)
    repeated = [f"for {party[1]}"] if party and party[1] not in ("the", "a", "an", "our", "your") else []
    repeated += [f"under {name[1]}"] if name else []
    restated = f" That's {', '.join(repeated)}." if repeated else ""
    words = f"Certainly. I've booked {about}{offered}.{restated} It's all confirmed."
    return words, Finding("booked", f"Booked: {about}{offered}.")


def _denied(said: str) -> str:
    """A statement turned into its opposite; empty where we cannot be sure of the grammar."""
    if found := re.match(r"(we|you|i)\s+have\s+(?!been|got)(.*)", said, re.IGNORECASE):
        return f"{found[1].lower()} don't have {found[2]}"
    being = r"\b(is|are|was|were|could|will|would|must|should)\b"
    if re.search(r"\bcan\b", said):
        return re.sub(r"\bcan\b", "cannot", said, count=1)
    if re.search(being, said):
        return re.sub(being, r"\1 not", said, count=1)
    found = re.match(r"we\s+(\w+.*)", said, re.IGNORECASE)
    return f"we don't {found[1]}" if found else ""


_THEY = {"you": "they", "your": "their", "yours": "theirs", "yourself": "themselves", "you're": "they're"}


def _noted(about: str) -> str:
    """A point as a report tells it: you is they again."""
    told = re.sub(rf"\b({OBJECTS}) you\b", r"\1 them", about, flags=re.IGNORECASE)
    return re.sub(
        r"\b(?:you're|yourself|yours|your|you)\b",
        lambda found: _THEY[found[0].lower()],
        told,
        flags=re.IGNORECASE,
    )


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
