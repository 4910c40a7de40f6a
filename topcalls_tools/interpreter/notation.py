"""How a phrase is written, and where it stands in a sentence.

A phrase is a whole sentence, or the part of one that a slot holds:

- `word`: this word, and `(word|two words)`: one of these; `<name>`: one of a group
- `?` after one of them: it may be absent
- `,`: a rest, or a sentence's end
- `{slot}`: words that Python reads, such as `{call}` or `{whom}`

Phrases are read as sentences are: without case, accents and apostrophes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from .sentence import PAUSE, STOP, Sentence, Token, folded

Words = tuple[str, ...]
Spans = Mapping[str, tuple[int, int]]
"""Where the slots of a phrase stand in a sentence: first token, and the one after the last."""
NOTHING: Mapping[str, Words] = {}
OVER_SENTENCES = frozenset({"task", "deed", "asking", "statement", "asked", "reason", "motive"})
"""Slots that may hold several sentences."""
ONE = {"number": "number", "lead": "handle"}
"""Slots that are one token of a kind."""


class Part:
    """A piece of a phrase: one of some words, or a slot."""

    __slots__ = ("by_first", "optional", "slot")

    def __init__(self, *words: Words, optional: bool = False, slot: str | None = None) -> None:
        self.optional, self.slot = optional, slot
        self.by_first: dict[str, list[Words]] = {}
        for one in words:
            self.by_first.setdefault(one[0], []).append(one)


class Phrase:
    """A phrase as it is looked for."""

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[Part, ...]) -> None:
        self.parts = parts

    def whole(self, said: Sentence) -> Iterator[Spans]:
        """Every way in which it is the whole sentence."""
        if said.tokens and not self._may_begin(said.tokens[0]):
            return
        for end, spans in self._from(said.tokens, 0, 0):
            if end == len(said.tokens):
                yield spans

    @property
    def slotted(self) -> bool:
        """Whether it is not of words alone."""
        return any(part.slot for part in self.parts)

    @property
    def words(self) -> set[str]:
        """The words in it."""
        return {
            word for part in self.parts for every in part.by_first.values() for one in every for word in one
        }

    def ways(self, said: Sentence, at: int) -> Iterator[tuple[int, Spans]]:
        """Every way in which it stands at a token: where it ends, and where its slots are."""
        if self._may_begin(said.tokens[at]):
            yield from self._from(said.tokens, at, 0)

    def begins(self, said: Sentence, at: int = 0) -> int | None:
        """Where it ends, where it stands at a token; the longest."""
        if at >= len(said.tokens) or not self._may_begin(said.tokens[at]):
            return None
        return max((end for end, _ in self._from(said.tokens, at, 0)), default=None)

    def _may_begin(self, token: Token) -> bool:
        """Whether it may begin with a word: what is asked most, and nearly always in vain."""
        first = self.parts[0]
        word = PAUSE if token.kind == "mark" else token.text
        return first.optional or first.slot is not None or word in first.by_first

    def ends(self, said: Sentence) -> bool:
        """Whether a sentence that says something else before ends in it."""
        return any(self.begins(said, at) == len(said.tokens) for at in range(1, len(said.tokens)))

    def within(self, said: Sentence) -> bool:
        """Whether it stands anywhere in the sentence."""
        return any(self.begins(said, at) is not None for at in range(len(said.tokens)))

    def _from(self, tokens: Sequence[Token], at: int, part: int) -> Iterator[tuple[int, Spans]]:
        if part == len(self.parts):
            yield at, {}
            return
        this = self.parts[part]
        if this.optional:
            yield from self._from(tokens, at, part + 1)
        if at == len(tokens):
            return
        if this.slot:
            for end in _ends(this.slot, tokens, at):
                for last, spans in self._from(tokens, end, part + 1):
                    yield last, {**spans, this.slot: (at, end)}
            return
        here = tokens[at]
        first = PAUSE if here.kind == "mark" else here.text
        for words in this.by_first.get(first, ()):
            end = at + len(words)
            if end <= len(tokens) and all(
                (PAUSE if token.kind == "mark" else token.text) == word
                for token, word in zip(tokens[at + 1 : end], words[1:], strict=True)
            ):
                yield from self._from(tokens, end, part + 1)


def _ends(slot: str, tokens: Sequence[Token], at: int) -> Iterator[int]:
    """Where a slot that begins at a token may end."""
    kind = ONE.get(slot)
    if kind:
        if tokens[at].kind == kind:
            yield at + 1
        return
    if tokens[at].kind == "mark":
        return
    for end in range(at + 1, len(tokens) + 1):
        last = tokens[end - 1]
        if last.kind == "mark":
            if last.text != PAUSE and slot not in OVER_SENTENCES:
                return
            continue
        yield end


_SIGNS = re.compile(r"\s*(?:(?P<sign>[()|?,])|<(?P<group>\w+)>|\{(?P<slot>\w+)\}|(?P<word>[\w'-]+))")


class _Written:
    """A phrase as it is written, sign by sign."""

    def __init__(
        self, written: str, groups: Mapping[str, tuple[Words, ...]], same: Mapping[str, Words]
    ) -> None:
        self.written, self.groups, self.same = written, groups, same
        self.signs: list[re.Match[str]] = []
        place = 0
        while found := _SIGNS.match(written, place):
            self.signs.append(found)
            place = found.end()
        if written[place:].strip():
            raise ValueError(f"{written!r} is no phrase: {written[place:].strip()!r} stands for nothing.")

    def parts(self) -> Iterator[Part]:
        """Its parts, slots among them."""
        while self.signs:
            if slot := self.signs[0]["slot"]:
                self.signs.pop(0)
                yield Part(optional=self._absent(), slot=slot)
            else:
                words = self._piece()
                yield Part(*words, optional=self._absent())

    def _piece(self) -> tuple[Words, ...]:
        """One word, group or parenthesis: every way in which it may be said."""
        sign = self.signs.pop(0)
        if sign["group"]:
            return self.groups[sign["group"]]
        if sign["word"]:
            folds = map(folded, filter(None, sign["word"].split("-")))
            return (tuple(word for one in folds for word in self.same.get(one, (one,))),)
        if sign["sign"] == PAUSE:
            return ((PAUSE,),)
        if sign["sign"] != "(":
            raise ValueError(f"{self.written!r} is no phrase: {sign[0]!r} stands alone.")
        ways: list[Words] = []
        while True:
            ways += self.sequence()
            if not self.signs:
                raise ValueError(f"{self.written!r} is no phrase: a parenthesis is open.")
            if self.signs.pop(0)["sign"] == ")":
                return tuple(dict.fromkeys(ways))

    def sequence(self) -> Iterator[Words]:
        """Every way to say what stands up to a "|", a ")" or the end."""
        pieces: list[tuple[Words, ...]] = []
        while self.signs and self.signs[0]["sign"] not in ("|", ")"):
            if self.signs[0]["slot"]:
                raise ValueError(f"{self.written!r} is no phrase: a slot stands by itself.")
            piece = self._piece()
            pieces.append((*piece, ()) if self._absent() else piece)
        for chosen in product(*pieces):
            if words := tuple(word for one in chosen for word in one):
                yield words

    def _absent(self) -> bool:
        if self.signs and self.signs[0]["sign"] == "?":
            self.signs.pop(0)
            return True
        return False


def parts(
    written: str, groups: Mapping[str, tuple[Words, ...]], same: Mapping[str, Words] = NOTHING
) -> Iterator[Part]:
    """The pieces of a phrase; `same` are words that are read as others, here as in what is said."""
    return _Written(written, groups, same).parts()


def expanded(
    written: str, groups: Mapping[str, tuple[Words, ...]], same: Mapping[str, Words] = NOTHING
) -> Iterator[Words]:
    """Every way in which words without slots may be said."""
    return _Written(written, groups, same).sequence()


def marks(said: Sentence) -> Iterator[int]:
    """Where a sentence rests or ends, from its end."""
    return (at for at in range(len(said.tokens) - 1, -1, -1) if said.tokens[at].text in (PAUSE, STOP))
