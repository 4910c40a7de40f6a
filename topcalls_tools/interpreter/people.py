"""Whom a sentence means: a number as people write it, a contact, or the person spoken of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..api.calls import ENDED, CallFacts
from ..api.fields import E164
from ..contacts import Contact
from ..deeds.find_contact import FILLERS, TITLES, ranked, spelt
from .meaning import Found, Meant, Missing, Words, plain
from .scene import Look, Scene
from .sentence import Sentence

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

MOST = 5
"""How many people, calls or campaigns are shown where several may be meant."""
_FILLERS = frozenset(" ".join(FILLERS.values()).split())
_LEARNED = frozenset(("dr", "prof"))
"""Titles that a contact may be written without."""
_TITLES = frozenset(" ".join(TITLES.values()).split())


def whom(words: Words) -> Found | None:
    """The number to call: of a contact, of the person spoken of, or as it is written."""
    if words.of(_last(words.said)).are("no_last"):
        return None
    if any(phrase.ends(words.said) for phrase in words.book.group("by_phone")):
        return None
    numbers = [at for at, token in enumerate(words.said.tokens) if token.kind == "number"]
    if len(numbers) > 1:
        return words.unsure("several_numbers")
    if numbers:
        return _numbered(words, numbers[0])
    if words.are("person"):
        return _spoken_of(words)
    if words.have("later"):
        return words.unsure("scheduled")
    if any(token.kind == "mark" for token in words.said.tokens):
        return None
    odd = [token.text for token in words.said.tokens if words.of(Sentence("", (token,))).are("no_name")]
    if not odd and not words.have("no_name"):
        return named(words)
    found = named(words)
    name = found.only and spelt(str(found.only.arguments["contact"]))
    return found if name and all(any(word in one for one in name) for word in odd) else None


def somebody(words: Words) -> Found | None:
    """The same of somebody who is named, and whom no call under way is with: of her "ask" is said to the
    agent that speaks with her."""
    found = None if words.are("person") else whom(words)
    if found is None or found.only is None:
        return found
    number = found.only.arguments["phone_number"]
    live = (one for one in calls(words.scene) if (one.status or "") not in ENDED)
    return None if any(E164.read(one.phone_number) == number for one in live) else found


def number(words: Words) -> Found | None:
    """A number as it is written, dialled from the user's country where it names none."""
    if len(words.said.tokens) != 1 or words.said.tokens[0].kind != "number":
        return None
    read = dialled(words.said.tokens[0].text, words.scene.region)
    if read is None:
        region = words.scene.region
        return words.unsure("no_number" if region else "no_country", number=words.written, region=region)
    return Found((Meant({"phone_number": read, "number": read}, shown(read, words.scene)),))


def named(words: Words) -> Found:
    """The contact that a name means."""
    found, whole, asked = list[Contact](), False, words.written
    for asked in _ways_to_name(words):
        found, whole = ranked(asked, contacts(words.scene))
        if found and whole:
            break
    if not found or not whole:
        return words.unsure("no_contact", name=words.written)
    meant = tuple(_person(one, words.written) for one in found[:MOST])
    if len(found) > 1:
        return words.unsure("several_contacts", *meant, name=words.written)
    if not _exactly(asked, found[0]) or (words.begin("any_one") and not _begins(words, found[0])):
        return words.unsure("other_contact", *meant, name=words.written)
    return Found(meant)


def _ways_to_name(words: Words) -> Iterator[str]:
    """What somebody may be called who is named so, what is written first."""
    asked = words.written
    yield asked
    yield re.sub(r"(\w{3,})s\b(?!['’])", r"\1's", asked)  # "marios" is Mario's
    bare = _bare(words)
    if bare.written != asked:
        yield bare.written
        yield re.sub(r"['’]?s$", "", bare.written)
    for kin in words.book.kin:
        if bare.said.tokens[-1].text in kin:
            yield from kin


def _bare(words: Words) -> Words:
    """A name without what says only where somebody is found: "the guys at", "'s office"."""
    said = words.said
    for phrase in words.book.group("before_name"):
        end = phrase.begins(said)
        if end is not None and end < len(said.tokens):
            said = said.part(end, len(said.tokens))
            break
    for phrase in words.book.group("after_name"):
        ends = [at for at in range(1, len(said.tokens)) if phrase.begins(said, at) == len(said.tokens)]
        if ends:
            said = said.part(0, ends[0])
            break
    return words.of(said)


def contacts(scene: Scene) -> dict[str, Contact]:
    """The owner's contacts."""
    if scene.contacts is None:
        raise Missing(Look("contacts"))
    return dict(scene.contacts)


def calls(scene: Scene) -> tuple[CallFacts, ...]:
    """The calls, newest first."""
    if scene.calls is None:
        raise Missing(Look("calls"))
    return scene.calls


def last_call(scene: Scene) -> CallFacts | None:
    """The call spoken of last."""
    if scene.last_call is None:
        return None
    found = next((one for one in calls(scene) if one.id == scene.last_call), None)
    if found is None:
        raise Missing(Look("call", scene.last_call))
    return found


def dialled(text: str, region: str | None) -> E164 | None:
    """A number in its international form; None where it is none, or none without a country that is not
    known."""
    text = text.strip()
    if text.startswith("+"):
        return E164.read(text)
    if region is None:
        return None
    import phonenumbers
    from phonenumbers import ValidationResult

    try:
        found = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    read = E164.read(str(phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)))
    if read is None or phonenumbers.is_possible_number_with_reason(found) != ValidationResult.IS_POSSIBLE:
        return None
    digits, prefix = re.sub(r"\D", "", text), phonenumbers.ndd_prefix_for_region(region, True)
    if found.country_code != phonenumbers.country_code_for_region(region) or digits.endswith(read[1:]):
        return read  # with the prefix that is dialled for abroad
    within = phonenumbers.national_significant_number(found)
    if prefix and digits == f"{prefix}{within}":
        return read
    return read if phonenumbers.is_valid_number(found) and digits == _within(found) else None


def _within(found: PhoneNumber) -> str:
    """The digits of a number as it is dialled within its country."""
    from phonenumbers import PhoneNumberFormat, format_number

    return re.sub(r"\D", "", str(format_number(found, PhoneNumberFormat.NATIONAL)))


def shown(number: str, scene: Scene) -> str:
    """A number with the name of its contact, where there is one."""
    contact = (scene.contacts or {}).get(number)
    return f"{plain(contact.name)} ({number})" if contact else number


def _person(contact: Contact, name: str | None = None) -> Meant:
    number = E164(contact.number)
    told = {"phone_number": number, "number": number, "name": name or contact.name}
    told["contact"] = contact.name
    return Meant(told, f"{plain(contact.name)} ({number})")


def _spoken_of(words: Words) -> Found:
    call = last_call(words.scene)
    number = E164.read(call.phone_number) if call else None
    if number is None:
        return words.unsure("nobody_spoken_of", word=words.written)
    return Found((Meant({"phone_number": number, "number": number}, shown(number, words.scene)),))


def _numbered(words: Words, at: int) -> Found | None:
    """A number, with a name beside it or without."""
    tokens = words.said.tokens
    read = number(words.of(words.said.part(at, at + 1)))
    before, after = words.said.part(0, at), words.said.part(at + 1, len(tokens))
    if (inner := _extension(words.of(after))) and read and read.only:
        told = {**read.only.arguments, "extension": inner}
        read = Found((Meant(told, f"{read.only.words}, {inner}"),))
        after = after.part(0, 0)
    if after.tokens and any(token.kind != "mark" for token in after.tokens):
        return words.unsure("scheduled") if words.of(after).have("later") else None
    while before.tokens and (
        before.tokens[-1].kind == "mark" or words.of(_last(before)).are("beside_number")
    ):
        before = before.part(0, len(before.tokens) - 1)
    if not before.tokens:
        return read
    name = words.of(before)
    if name.have("later"):
        return words.unsure("scheduled")
    if name.have("no_name") or any(token.kind in ("mark", "handle") for token in before.tokens):
        return None
    if read is None or read.only is None:
        return read
    chosen = read.only
    found, whole = ranked(name.written, contacts(words.scene))
    others = [one for one in found if one.number != chosen.arguments["phone_number"]]
    if whole and others and len(others) == len(found):
        meant = (chosen, *(_person(one) for one in others[:MOST]))
        return words.unsure("another_number", *meant, name=name.written)
    who = {} if words.are("person") else {"name": name.written}
    return Found((Meant({**chosen.arguments, **who}, chosen.words),))


def _extension(words: Words) -> str | None:
    """What is dialled after a number, as it is written: "ext. 12"."""
    tokens = [one for one in words.said.tokens if one.kind != "mark"]
    if len(tokens) == 1 and tokens[0].kind == "handle":  # ext12
        apart = re.fullmatch(r"([a-z]+)(\d{1,6})", tokens[0].text.casefold())
        opens = apart is not None and apart[1] in words.book.words("extension")
        return f"extension {apart[2]}" if apart and opens else None
    if len(tokens) != 2 or not re.fullmatch(r"\d{1,6}", tokens[1].text):
        return None
    return f"extension {tokens[1].text}" if tokens[0].text in words.book.words("extension") else None


def _last(said: Sentence) -> Sentence:
    return said.part(len(said.tokens) - 1, len(said.tokens))


def _begins(words: Words, contact: Contact) -> bool:
    """Whether a contact's name has the first word of what is asked for: "A Plus Repairs"."""
    return spelt(contact.name)[:1] == spelt(words.written)[:1]


def _exactly(asked: str, contact: Contact) -> bool:
    """Whether every word that tells stands whole in the contact's name, with the same title."""
    name = spelt(contact.name)
    for word in spelt(asked):
        there = any(word & one for one in name)
        if word & _TITLES:
            if not there and (not word & _LEARNED or any(one & _TITLES for one in name)):
                return False
        elif not word & _FILLERS and not there:
            return False
    return True
