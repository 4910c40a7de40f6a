"""Words of orders that were mistyped: read as the one word that they can be, or not at all."""

from __future__ import annotations

from dataclasses import replace

from .meaning import Words
from .sentence import Token

SHORTEST, MOST = 4, 2
"""Letters of a word below which only a missing one is mended; slips in one sentence above which nothing is
read."""


def mended(words: Words) -> tuple[Words, tuple[str, ...]] | None:
    """The sentence with its slips mended, and what was read as what; None where there is none to mend."""
    known, orders = words.book.vocabulary, words.book.words("mistyped")
    tokens, told = list[Token](), list[str]()
    for token in words.said.tokens:
        if (
            token.kind != "word"
            or token.text in known
            or len(token.text) < SHORTEST - 1
            or not token.text.isalpha()
        ):
            tokens.append(token)
            continue
        meant = [one for one in orders if _slip(token.text, one)]
        if len(meant) != 1 or token.text in words.book.words("no_slip"):
            tokens.append(token)
            continue
        tokens.append(replace(token, text=meant[0]))
        told.append(f'"{token.text}" is read as "{meant[0]}".')
    if not told or len(told) > MOST:
        return None
    return replace(words, said=replace(words.said, tokens=tuple(tokens))), tuple(told)


def _slip(said: str, word: str) -> bool:
    """Whether a word is another with two letters exchanged, or one too many, missing or wrong, not the first;
    a wrong letter only in a long word, since a short one is soon another."""
    if said == word or abs(len(said) - len(word)) > 1 or (len(said) < SHORTEST and len(word) <= len(said)):
        return False
    at = next((place for place, pair in enumerate(zip(said, word, strict=False)) if pair[0] != pair[1]), None)
    if at is None:
        return True  # the last letter is missing, or one stands after it
    if len(said) == len(word):
        exchanged = said[at : at + 2] == word[at : at + 2][::-1] and said[at + 2 :] == word[at + 2 :]
        return exchanged or (at > 0 and len(word) > SHORTEST + 1 and said[at + 1 :] == word[at + 1 :])
    shorter, longer = sorted((said, word), key=len)
    return at > 0 and shorter[at:] == longer[at + 1 :]
