"""A sentence as plain words that remember where they stood: numbers, ids and marks are words of their own."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["word", "number", "handle", "address", "mark"]
LONGEST, MOST_WORDS = 2_000, 100
"""Characters, and words, above which a text is no sentence that is read."""

_TOKEN = re.compile(
    r"""
    (?P<address>(?<![\w.+])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\w))
  | (?P<number>(?<![\w])(?:\+\s?\(?\d|\(?\d)(?:[\s\u00a0()./-]{0,3}\d){5,}(?![\w-]*[^\W\d]))
  | (?P<word>[^\W_]+(?:['’‘`´][^\W_]+|[_~-]+[^\W_]+|(?<=\d)[:.,](?=\d)\d+)*['’]?)
  | (?P<and>(?<=\s)[&+](?=\s))
  | (?P<mark>\n\s*\n|[.!?…;:,()\[\]—–\n]|\s-+\s)
    """,
    re.VERBOSE,
)
_DATE = re.compile(r"\d{4}-\d\d?-\d\d?|\d\d?[./-]\d\d?[./-](?:19|20)\d\d")
_APOSTROPHES = re.compile("['’‘`´]")
_HANDLE = re.compile(r"(?=[\w~-]*\d)(?=[\w~-]*[^\W\d_])[A-Za-z0-9][A-Za-z0-9_~-]*")
_COUNT = re.compile(r"\d+-?[A-Za-z]+")
"""A number and its unit: 5pm, 5-minute."""
_SHORTENED = frozenset(
    [
        "dr",
        "dra",
        "mr",
        "mrs",
        "ms",
        "prof",
        "st",
        "sr",
        "jr",
        "vs",
        "etc",
        "no",
        "approx",
        "max",
        "min",
        "ext",
        "extn",
        "tel",
    ]
)
"""Words that a full stop shortens; a letter by itself is such too."""
STOP, PAUSE, ASKED = ".", ",", "?"
"""How marks are read: the end of a sentence, a rest in it, and the end of a question."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a sentence, and where it stands there."""

    text: str
    """As phrases are written: no case, no accents, no apostrophes."""
    kind: Kind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """What somebody wrote, and its words."""

    written: str
    tokens: tuple[Token, ...]
    asked: bool = False
    """Whether it ends in a question mark."""

    def said(self, first: int, last: int) -> str:
        """The words from one token up to another, as they were written."""
        if first >= last:
            return ""
        return self.written[self.tokens[first].start : self.tokens[last - 1].end]

    def part(self, first: int, last: int) -> Sentence:
        """Some of its tokens as a sentence."""
        return Sentence(self.written, self.tokens[first:last])


def sentence(
    text: str,
    known: Collection[str] = (),
    units: Collection[str] = (),
    same: Mapping[str, tuple[str, ...]] | None = None,
) -> Sentence:
    """Read a text. `known` ids are words as they stand; `units` are words that a small number before them
    belongs to, so that it ends no phone number: "+49 30 5550140 5 minutes"; `same` are words that are read as
    others: "what's" as "what is"."""
    text = unicodedata.normalize("NFC", text)
    tokens: list[Token] = []
    place = 0
    while found := _TOKEN.search(text, place):
        place = found.end()
        match found.lastgroup:
            case "number" if _DATE.fullmatch(found[0]):
                tokens.append(Token(found[0], "word", found.start(), place))
            case "number":
                place = _before_unit(text, found, units)
                tokens.append(Token(text[found.start() : place], "number", found.start(), place))
            case "address":
                tokens.append(Token(found[0], "address", found.start(), place))
            case "and":
                tokens.append(Token("and", "word", found.start(), place))
            case "mark" if found[0] == "." and tokens and _shortened(tokens[-1], found.start(), text):
                pass
            case "mark":
                _marked(tokens, Token(_mark(found[0]), "mark", found.start(), place))
            case _:
                tokens += _words(found, known, units, same or {})
    while tokens and tokens[0].kind == "mark":
        tokens.pop(0)
    asked = bool(tokens) and tokens[-1].text == ASKED
    while tokens and tokens[-1].kind == "mark":
        tokens.pop()
    return Sentence(text, tuple(tokens), asked)


def folded(word: str) -> str:
    """A word without case, accents and apostrophes."""
    apart = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", word).casefold())
    return "".join(one for one in apart if not unicodedata.combining(one))


def _words(
    found: re.Match[str], known: Collection[str], units: Collection[str], same: Mapping[str, tuple[str, ...]]
) -> list[Token]:
    """A written word: an id, or the words between its hyphens."""
    written, start = found[0], found.start()
    if written in known or (_HANDLE.fullmatch(written) and not _COUNT.fullmatch(written)):
        return [Token(written, "handle", start, found.end())]
    count = re.match(r"\d+", written)
    apart = count and folded(written[count.end() :]) in units  # 2min is 2 min
    parts = re.finditer(r"\d+|\D+" if apart else r"[^~_-]+", written)
    return [
        Token(word, "word", start + one.start(), start + one.end())
        for one in parts
        for word in same.get(folded(one[0]), (folded(one[0]),))
    ]


def _before_unit(text: str, found: re.Match[str], units: Collection[str]) -> int:
    """Where a phone number ends: before a last group of one or two digits that counts what comes next."""
    after = re.match(r"[\s-]*([^\W\d_]+)", text[found.end() :])
    last = re.search(r"\s\d{1,2}$", found[0])
    if after and last and folded(after[1]) in units:
        return found.start() + last.start()
    return found.end()


def _shortened(token: Token, place: int, text: str) -> bool:
    """Whether a full stop at a place only shortens the word before it."""
    ends = text[place + 1 :].strip() == ""
    return not ends and token.end == place and (token.text in _SHORTENED or len(token.text) == 1)


def _mark(written: str) -> str:
    if written == "?":
        return ASKED
    return STOP if written in ".!…" or "\n" in written else PAUSE


def _marked(tokens: list[Token], mark: Token) -> None:
    """Several marks in a row are one, the strongest."""
    if tokens and tokens[-1].kind == "mark":
        strength = (PAUSE, STOP, ASKED)
        if strength.index(mark.text) > strength.index(tokens[-1].text):
            tokens[-1] = mark
        return
    tokens.append(mark)
