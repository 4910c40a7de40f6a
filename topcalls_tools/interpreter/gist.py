"""An order by its words alone, in whatever sequence: each word is one of them, or says little."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from .notation import Phrase, Spans
from .sentence import ASKED, Sentence

MOST_WAYS = 64
"""Ways of reading one sentence by one gist that are looked at."""


class Gist:
    """What must be said, what may be said besides, and what says little; a word that is none of it is none of
    the order's, so that nothing is overlooked."""

    __slots__ = ("little", "may", "needs")

    def __init__(self, needs: Sequence[Phrase], may: Sequence[Phrase], little: Sequence[Phrase]) -> None:
        self.needs, self.may, self.little = tuple(needs), tuple(may), tuple(little)

    def whole(self, said: Sentence) -> Iterator[Spans]:
        """Ways in which it is the whole sentence, each with where its slots stand."""
        if any(token.text == ASKED for token in said.tokens):
            return
        if all(one.slotted or one.within(said) for one in self.needs):
            yield from islice(self._from(said, 0, self.needs), MOST_WAYS)

    def _from(self, said: Sentence, at: int, needs: tuple[Phrase, ...]) -> Iterator[Spans]:
        while at < len(said.tokens) and said.tokens[at].kind == "mark":
            at += 1
        if at == len(said.tokens):
            if not needs:
                yield {}
            return
        for place, need in enumerate(needs):
            rest = (*needs[:place], *needs[place + 1 :])
            for end, spans in need.ways(said, at):
                for more in self._from(said, end, rest):
                    yield {**more, **spans}
        for phrase in (*self.may, *self.little):
            if (after := phrase.begins(said, at)) is not None:
                yield from self._from(said, after, needs)
