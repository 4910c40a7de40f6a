"""Finding a contact by what the owner calls somebody: "the dentist", "Dr. Müller", "my mum"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Annotated, NamedTuple

from pydantic import Field

from ..action import Effect, Record
from ..api.fields import E164
from ..contacts import Contact
from ..flow import Deed
from ..flow.steps import Desk, Flow, Keep
from ..places import time_in, zones

MOST = 10
"""How many matches are shown."""
FILLERS = {
    "en": "a an and at call calling can could dial for me my our phone please ring the to up us with you "
    "your",
    "de": "an anrufen auf bei bitte das dem den der die du ein eine einen einer für mal mein meine meinem "
    "meinen meiner mit mir ruf rufe uns unser unsere unseren unserer zu zum zur",
    "es": "a al con de del el la las llama llamar llame lo los mi mis nuestra nuestro para por favor un una",
    "fr": "à appelle appeler au chez du le les ma mes mon nos notre plaît sil te un une vous",
    "it": "al alla chiama chiamare favore gli i il la mia mie miei mio nostra nostro per",
    "nl": "bel bellen de een het mijn ons onze",
    "pt": "a ao liga ligar meu meus minha minhas nossa nosso o os para",
}
"""Words that only serve, by language: they tell nobody from anybody."""
TITLES = {
    "en": "dr doctor prof professor mr mrs ms miss mister madam sir",
    "de": "doktor frau fräulein herr herrn",
    "es": "don doña señor señora sr sra",
    "fr": "docteur madame mlle mme monsieur",
    "it": "dott dottore sig signor signora",
    "nl": "dhr mevr mevrouw",
    "pt": "doutor doutora senhor senhora",
}
"""Words that many names have: they count where nothing else was said."""
SHORT = {"doctor": "dr", "doktor": "dr", "docteur": "dr", "doutor": "dr", "dott": "dr", "professor": "prof"}
"""Titles that are written in several ways."""
_APART = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ı": "i"}
"""Letters that Unicode does not take apart."""
_UMLAUTS = {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"}
"""How letters are written where a keyboard does not have them."""


class OnRecord(Record):
    """Why a contact may be called for more than one thing."""

    basis: str
    """What it rests on: explicit_consent, existing_customer or business_line."""
    date: date
    """Since when."""


class FoundContact(Record):
    """A contact as the owner wrote it down."""

    name: str
    """The owner's name for it."""
    phone_number: str
    """The number, international: what place_call takes."""
    zone: str | None = None
    """Time zone that the owner named (IANA)."""
    language: str | None = None
    """Language spoken there, two letters (ISO 639-1)."""
    local_time: str
    """What time it is there now."""
    any_hour: bool = False
    """True where it may be called at any hour."""
    mine: bool = False
    """True for the owner's own phone."""
    consent: OnRecord | None = None
    """Consent on record; absent where there is none."""


class ContactsFound(Record):
    """The contacts that are meant, best first."""

    data: tuple[FoundContact, ...]
    """At most 10."""
    total: int
    """How many there are in all."""
    note: str
    """What to do next, in a sentence of TopCalls Tools."""


class FindContact(Deed[ContactsFound], effect=Effect.READ, toolset="calls"):
    """Find a person or place in the owner's contacts by name. Free. Words such as "my" do no harm. Gives each
    match with number, local time, language and consent; where there are several, ask which is meant."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    """Whom to find, such as "the dentist" or "Dr. Müller"; a number, or the end of one, is found too."""

    def flow(self, desk: Desk) -> Flow[ContactsFound]:
        book: Mapping[str, Contact] = yield Keep(lambda: desk.contacts())
        best, whole = ranked(self.name, book)
        now = desk.clock()
        shown = tuple(_shown(contact, now) for contact in best[:MOST])
        return ContactsFound(data=shown, total=len(best), note=_note(len(best), whole, len(book)))


def _note(found: int, whole: bool, known: int) -> str:
    if found and not whole:
        return "No contact fits all the words; ask the person whether one of these is meant, before any call."
    if found == 1:
        return "place_call takes the number."
    if found:
        several = f"{found} contacts are meant" if found <= MOST else f"The best {MOST} of {found} are shown"
        return f"{several}; ask the person which one before anybody is called."
    return (
        f"{'No contact is called so' if known else 'There are no contacts yet'}; the owner adds one with "
        "topcalls contacts add NAME NUMBER, which no tool does. Ask the person for the number meanwhile."
    )


def _shown(contact: Contact, now: datetime) -> FoundContact:
    number = E164(contact.number)
    consent = contact.consent
    return FoundContact(
        name=contact.name,
        phone_number=number,
        zone=contact.zone,
        language=contact.language,
        local_time=time_in(zones(number, contact.zone), now),
        any_hour=contact.hours == "any",
        mine=contact.mine,
        consent=OnRecord(basis=consent.basis, date=consent.date) if consent else None,
    )


class _Rank(NamedTuple):
    """How well a contact fits, the better the smaller."""

    missing: int
    """Words that were asked for and are nowhere."""
    unfit: int
    surplus: int
    """Words of the name that were not asked for."""
    name: str
    number: str


def ranked(asked: str, book: Mapping[str, Contact]) -> tuple[list[Contact], bool]:
    """The contacts that are meant, best first: those with every word that tells, else those with any. The
    second value says which."""
    if not re.search(r"[^\W\d_]", asked):
        digits = "".join(re.findall(r"\d", asked))
        return [one for one in book.values() if len(digits) >= 4 and digits in one.number], True
    words = spelt(asked)
    told = [word for word in words if not word & (_FILLERS | _TITLES)]
    told = told or [word for word in words if not word & _FILLERS] or words
    ranked = sorted(_rank(told, words, one) for one in book.values())
    best = [rank for rank in ranked if rank.missing == 0]
    found = best or [rank for rank in ranked if rank.missing < len(told)]
    return [book[rank.number] for rank in found], bool(best)


def _rank(told: list[frozenset[str]], asked: list[frozenset[str]], contact: Contact) -> _Rank:
    name, note = spelt(contact.name), [one for one in spelt(contact.note or "") if not one & _FILLERS]
    fits = [_fit(word, name, note) for word in told]
    beside = sum(_fit(word, name, []) for word in asked)  # a title or a "the" that the name has too
    surplus = sum(not any(word & one for one in asked) for word in name)
    return _Rank(fits.count(0), -10 * sum(fits) - beside, surplus, contact.name.casefold(), contact.number)


def _fit(word: frozenset[str], name: list[frozenset[str]], note: list[frozenset[str]]) -> int:
    """How a word that was asked for stands in a name: as it is, as its beginning, or in the note alone."""
    if any(word & one for one in name):
        return 3
    beginnings = tuple(part for part in word if len(part) >= (3 if part.isascii() else 2))
    if any(whole.startswith(beginnings) for one in name for whole in one):
        return 2
    return 1 if any(word & one for one in note) else 0


def spelt(text: str) -> list[frozenset[str]]:
    """The words of a text, each in the ways in which it may be written without accents."""
    plain = unicodedata.normalize("NFC", text).casefold()
    plain = re.sub(r"['’]s\b", "", plain)
    return [frozenset(_spellings(word)) for word in re.findall(r"[^\W_]+", re.sub(r"['’]", "", plain))]


def _spellings(word: str) -> Iterator[str]:
    for letters in (_APART, _UMLAUTS | {"ß": "ss"}):
        apart = unicodedata.normalize("NFKD", "".join(letters.get(one, one) for one in word))
        plain = "".join(one for one in apart if not unicodedata.combining(one)) or word
        yield SHORT.get(plain, plain)


def _all(words: Mapping[str, str]) -> frozenset[str]:
    return frozenset(spelling for said in words.values() for one in spelt(said) for spelling in one)


_FILLERS, _TITLES = _all(FILLERS), _all(TITLES)
