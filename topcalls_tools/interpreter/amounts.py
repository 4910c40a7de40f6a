"""How long, how many, which: small values that a sentence names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address
from typing import Any

from .meaning import Found, Meant, Words
from .notation import Phrase

LONGEST = 6
"""Words of a length of time at most: "a quarter of an hour"."""


def length(words: Words) -> Found | None:
    """A length of time, in minutes: "five minutes", "half an hour"."""
    for phrase, each in words.book.read_lengths:
        for spans in phrase.whole(words.said):
            many = _many(words.of(words.said.part(*spans["n"]))) if "n" in spans else 1.0
            if many is not None:
                minutes = round(many * each, 2)
                return Found((Meant({"minutes": minutes}, f"{minutes:g}"),))
    return None


def lengths(words: Words) -> list[str]:
    """The lengths of time that stand anywhere, as they are written, each once."""
    said, found, at = words.said, list[str](), 0
    while at < len(said.tokens):
        ends = range(min(at + LONGEST, len(said.tokens)), at, -1)
        end = next((end for end in ends if length(words.of(said.part(at, end)))), None)
        found += [] if end is None else [said.said(at, end)]
        at = end or at + 1
    return list(dict.fromkeys(found))


def limit(words: Words) -> Found | None:
    """How long a call may last at most, in minutes: "at most five minutes"."""
    return _limit(words, words.book.read_limits)


def clause(words: Words) -> Found | None:
    """The same, of a clause that says nothing else: ", five minutes"."""
    return _limit(words, (*words.book.read_limits, *words.book.read_clauses))


def lasting(words: Words) -> Found | None:
    """The same, after "for"."""
    found = length(words)
    if found is None or found.only is None:
        return None
    minutes = found.only.arguments["minutes"]
    if not 1 <= minutes <= 60:
        return words.unsure("too_long", minutes=f"{minutes:g}")
    return Found((Meant({"max_duration": minutes}, f"{minutes:g}"),))


def _limit(words: Words, phrases: Sequence[Phrase]) -> Found | None:
    for phrase in phrases:
        for spans in phrase.whole(words.said):
            found = length(words.of(words.said.part(*spans["length"])))
            if found and found.only:
                minutes = found.only.arguments["minutes"]
                if not 1 <= minutes <= 60:
                    return words.unsure("too_long", minutes=f"{minutes:g}")
                bare = not any(one.begins(words.said) for one in words.book.group("keep"))
                return Found((Meant({"max_duration": minutes, "bare": bare}, f"{minutes:g}"),))
    return None


def count(words: Words) -> Found | None:
    """A whole number: "five", "20"."""
    many = _many(words)
    if many is None or not many.is_integer() or not 1 <= many <= 200:
        return None
    return Found((Meant({"limit": int(many)}, f"{many:g}"),))


def hour(words: Words) -> Found | None:
    """A time of day, which tells nothing of a call that waits: "at five"."""
    said = " ".join(token.text for token in words.said.tokens)
    clock = r"\d{1,2}(?:[:.]\d\d)? ?(?:am|pm|oclock|a m|p m)?"
    numbers = "|".join(words.book.count)
    fits = re.fullmatch(rf"(?:{'|'.join(words.book.words('before_hour'))}) (?:{clock}|{numbers})", said)
    return Found((Meant({}, words.written),)) if fits else None


def tongue(words: Words) -> Found | None:
    """A language, by its name."""
    code = words.book.tongues.get(words.said.tokens[0].text) if len(words.said.tokens) == 1 else None
    return Found((Meant({"language": code}, words.written),)) if code else None


def motive(words: Words) -> Found | None:
    """Why a number is blocked, for the owner to read later."""
    if words.have("no_motive"):
        return words.unsure("no_conditions")
    said = " ".join(words.written.split())[:500]
    opens = any(one.begins(words.said) for one in words.book.group("stating"))
    return Found((Meant({"reason": said}, said),)) if opens else None


def gateway(words: Words) -> Found | None:
    """The SIP end of a carrier: its address, and its port where one is said."""
    said, way = words.said, dict[str, bool]()
    for phrase in words.book.group("outgoing"):
        at = next((at for at in range(1, len(said.tokens)) if phrase.begins(said, at) == len(said.tokens)), 0)
        if at:
            said, way = said.part(0, at), {"inbound": False, "outbound": True}
            break
    while said.tokens[-1].kind == "mark":
        said = said.part(0, len(said.tokens) - 1)
    first, rest = said.tokens[0], [token.text for token in said.tokens[1:]]
    if (
        first.kind != "address"
        or not _is_address(first.text)
        or (rest and rest[:-1] not in (["port"], [","], [",", "port"]))
    ):
        return None
    end: dict[str, Any] = {"ipv4": first.text, **way}
    if rest:
        if not rest[-1].isdigit():
            return None
        end["port"] = int(rest[-1])
    return Found((Meant({"sip_gateway": end}, words.written),))


def _is_address(text: str) -> bool:
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


def _many(words: Words) -> float | None:
    said = " ".join(token.text for token in words.said.tokens)
    if re.fullmatch(r"\d{1,4}(?:[.,]\d{1,2})?", said):
        return float(said.replace(",", "."))
    if said in words.book.count:
        return words.book.count[said]
    tens, _, ones = said.partition(" ")
    if tens in words.book.count and ones in words.book.count:
        both = words.book.count[tens], words.book.count[ones]
        return sum(both) if both[0] >= 20 and both[0] % 10 == 0 and 0 < both[1] < 10 else None
    return None
