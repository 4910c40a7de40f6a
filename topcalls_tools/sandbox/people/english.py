"""How people speak English: their answers to each kind of point."""

from __future__ import annotations

import re

from ..script import Chance
from . import phrases
from .language import Language
from .person import Person
from .points import Point
from .pronouns import to_us

_REFUSED = {
    "book": "we can't book {about}",
    "order": "we can't do {about}",
    "confirm": "I can't confirm {about}",
    "cancel": "I can't cancel {about}",
    "move": "I can't change {about}",
    "favour": "I won't {about}",
    "wish": "you can't have {about}",
    "plan": "I don't want you to {about}",
    "matter": "I can't help with this: {about}",
}
_QUOTED = {
    "whether": ("yes, that's so", "no, I'm sorry"),
    "book": ("I've booked it",),
    "order": ("your order is in",),
    "confirm": ("yes, that's confirmed",),
    "cancel": ("it's cancelled",),
    "move": ("I've changed it",),
    "tell": ("thanks, I've made a note of it",),
    "person": ("that's me",),
    "what": ("as usual, nothing has changed",),
    "": ("all right, I'll see to it",),
}


def fact(kind: str, person: Person, currency: str, chance: Chance) -> str:
    """What answers a question that wants a time, a sum, a number or a place."""
    dice = chance.dice
    match kind:
        case "when":
            return f"at {dice.randint(8, 11)}:{dice.choice(('00', '30'))} am"
        case "hours":
            return f"from {dice.randint(7, 10)} am to {dice.randint(5, 10)} pm"
        case "price":
            return f"{dice.randint(12, 95)} {currency}"
        case "count":
            return str(dice.randint(2, 12))
        case "length":
            return f"about {dice.choice((20, 30, 45, 60, 90))} minutes"
        case "rating":
            return f"{dice.randint(6, 10)} out of 10"
        case _:
            return person.street


def answer(person: Person, point: Point, currency: str, chance: Chance) -> tuple[str, str]:
    """What a person says to a point, and the fact in it."""
    about = to_us(point.about)

    def known(kind: str) -> str:
        return fact(kind, person, currency, chance)

    match point.kind:
        case "whether":
            return _whether(person, about, chance)
        case "when":
            moment = _moment(about, chance)
            said = re.sub(f"^{_WHEN}\\s+", "", about, count=1, flags=re.IGNORECASE)
            colon = ":" if said == about else ""
            return f"{_upper(said)}{colon} {moment}.", moment.removeprefix("at ")
        case "hours":
            hours = known("hours")
            short = f"We're open {hours}."
            long = short if about.startswith("what") else f"As for {about}: we're open {hours}."
            return chance.pick((long, short)), hours
        case "price":
            price = known("price")
            return f"{_upper(_priced(about))} {price}.", price
        case "count":
            count = known("count")
            have = re.match(r"how many (.+?) ((?:we|you|there) \w+)\b\s*(.*)", about, re.IGNORECASE)
            said = f"{have[2]} {count} {have[1]} {have[3]}".strip() if have else f"{about}? That's {count}"
            return f"{_upper(said)}.", count
        case "length":
            length = known("length")
            return f"{_upper(about)}? {chance.pick((f'I would say {length}', _upper(length)))}.", length
        case "rating":
            rating = known("rating")
            return f"{_upper(about)}? I'd say {rating}.", rating
        case "place":
            thing = re.match(r"where (.+) (is|are)$", about, re.IGNORECASE)
            said = f"{thing[1]} {thing[2]} at" if thing else f"{about}? That's at"
            return f"{_upper(said)} {person.street}.", person.street
        case "person":
            return f"That's me, {person.name}; I'm the one {about}.", person.name
        case "what":
            return f"About {about}: as usual, nothing has changed there.", "as usual"
        case "book":
            return _booked(about, chance)
        case kind:
            clause = re.sub(r"^(?:that|of|about) ", "", about)
            return _upper(chance.pick(_AGREED[kind]).replace("{about}", clause)), ""


_AGREED = {
    "order": (
        "Certainly. I've noted {about}, the order is in.",
        "Of course: {about}. Your order is in.",
        "Sure, {about}. Consider it ordered.",
    ),
    "confirm": ("Yes, that's right: {about}.", "Yes, {about}: confirmed.", "That's correct: {about}."),
    "cancel": (
        "All right, I've cancelled {about} for you.",
        "Done. I've cancelled {about}.",
        "No problem, I've cancelled {about}.",
    ),
    "move": (
        "That works, I've changed {about}.",
        "Sure, I've changed {about}.",
        "Done: I've changed {about}.",
    ),
    "tell": (
        "Thanks for letting me know: {about}. I've made a note of it.",
        "All right: {about}. Thank you for the call.",
        "Good to hear that from you: {about}. I've written it down.",
    ),
    "favour": ("Of course, I'll {about}.", "Sure, I'll {about}.", "No problem, I'll {about}."),
    "wish": ("Of course, you can have {about}.", "Sure: {about}, coming up."),
    "plan": ("You'd like to {about}? All right, that's fine with me.", "To {about}? Sure, go ahead."),
    "matter": ("I see: {about}. I'll take care of it.", "All right: {about}. Leave it to me."),
}
_WHEN = r"(?:(?:until |from )?when|(?:at |until |from )?what (?:time|day|date)|how (?:late|early|soon))"


_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _moment(about: str, chance: Chance) -> str:
    """A time of day that suits what it is about, or a day of the week for what will be."""
    later = r"when\b.*\b(?:will|would|can|could|next|latest|earliest)\b|what (?:day|date)"
    if re.match(later, about, re.IGNORECASE):
        return f"on {chance.dice.choice(_DAYS[:5])}"
    half = "pm" if re.search(r"\b(?:clos\w+|until|late|dinner|evening)\b", about) else "am"
    hour = chance.dice.randint(6, 10) if half == "pm" else chance.dice.randint(8, 11)
    return f"at {hour}:{chance.dice.choice(('00', '30'))} {half}"


def _priced(about: str) -> str:
    """The thing that costs, with its verb: "how much is the menu" gives "the menu is"."""
    found = re.match(r"how much (.+?) ((?:would |will )?(?:costs?|be)|is|are)$", about, re.IGNORECASE)
    if found:
        return f"{found[1]} {found[2]}"
    if turned := re.match(r"how much (is|are|does|do|would|will) (.+?)( cost| be)?$", about, re.IGNORECASE):
        return f"{turned[2]} {'are' if turned[1].lower() in ('are', 'do') else 'is'}"
    return f"{about}: that comes to"


def _whether(person: Person, about: str, chance: Chance) -> tuple[str, str]:
    yes, more = (
        chance.dice.random() < person.willing,
        chance.dice.choice(person.assent or phrases.ENGLISH["assent"]),
    )
    said = about.removeprefix("whether ")
    if yes:
        return f"Yes, {said}{more}.", "yes"
    denied = _denied(said)
    sorry = (
        f"No, I'm sorry, {denied}." if denied else f"No, I'm afraid not. {_upper(said)}: not at the moment."
    )
    return sorry, "no"


def _denied(said: str) -> str:
    """A statement turned into its opposite; empty where we cannot be sure of the grammar."""
    if found := re.match(r"there (is|are) (?:an? |any )?(.*)", said, re.IGNORECASE):
        return f"there {found[1].lower()} no {found[2]}"
    if found := re.match(r"(\w+(?: \w+){0,3}?) has (?!been)(.*)", said, re.IGNORECASE):
        return f"{found[1]} doesn't have {found[2]}"
    if found := re.match(r"(we|you|i)\s+have\s+(?!been|got)(.*)", said, re.IGNORECASE):
        return f"{found[1].lower()} don't have {found[2]}"
    being = r"\b(is|are|was|were|could|will|would|must|should)\b"
    if re.search(r"\bcan\b", said):
        return re.sub(r"\bcan\b", "cannot", said, count=1)
    if re.search(being, said):
        return re.sub(being, r"\1 not", said, count=1)
    found = re.match(r"we\s+(\w+.*)", said, re.IGNORECASE)
    return f"we don't {found[1]}" if found else ""


_TIMED = re.compile(
    r"\b(?:\d{1,2}(?::\d\d)?\s*(?:am|pm|a\.m|p\.m|o'clock)|\d{1,2}:\d\d"
    r"|at (?:\d{1,2}|noon|midnight|\w+ o'clock)"
    r"|at (?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)|half past)\b",
    re.IGNORECASE,
)


def _booked(about: str, chance: Chance) -> tuple[str, str]:
    """A booking restates party and name; where the agent named no time, the person offers one."""
    dice = chance.dice
    if _TIMED.search(about):
        offered = ""
    elif re.search(r"\bmornings?\b", about):
        offered = f" at {dice.randint(9, 11)}:{dice.choice(('00', '30'))} am"
    else:
        offered = f" at {dice.randint(5, 8)}:{dice.choice(('00', '30'))} pm"
    name = re.search(r"\b(?:name of|under) ([A-Z]\w+(?: [A-Z]\w+)?)", about)
    party = re.search(rf"\bfor ((?:{_NUMBER})(?: people| persons| guests)?)\b", about, re.IGNORECASE)
    repeated = [f"for {party[1]}"] if party else []
    repeated += [f"under {name[1]}"] if name else []
    restated = f" That's {', '.join(repeated)}." if repeated else ""
    sure, done = chance.pick(("Certainly", "With pleasure", "Of course")), chance.pick(_DONE)
    return f"{sure}. I've booked {about}{offered}.{restated} {done}", offered


_NUMBER = r"\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_DONE = ("It's all confirmed.", "You're in the book.", "We look forward to it.")


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _hour(hour: int, minute: int) -> str:
    return f"at {(hour - 1) % 12 + 1}:{minute:02} {'am' if hour < 12 else 'pm'}"


ENGLISH = Language(
    tongue="en",
    phrases=phrases.ENGLISH,
    dayparts=("Good morning", "Good afternoon", "Good evening"),
    days=_DAYS,
    counts={2: "two", 3: "three", 4: "four", 5: "five", 6: "six"},
    currencies={"+1": "dollars", "+44": "pounds", "": "euros"},
    refused=_REFUSED,
    quoted=_QUOTED,
    hour=_hour,
    fact=fact,
    answer=answer,
)
