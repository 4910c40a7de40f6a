"""Phone numbers that are said digit by digit: "four one five, double five five ..."."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .sentence import PAUSE, Token

FEWEST, FEWEST_WORDS, WHOLE = 7, 3, 10
"""Digits of a phone number, words among them, and digits with which a written number is whole."""
_TIMES = {"double": 2, "triple": 3, "treble": 3}


def with_numbers(tokens: Sequence[Token], digits: Mapping[str, str]) -> list[Token]:
    """The same words with each run of digits as one number; a shorter run stays as it is."""
    found: list[Token] = []
    at = 0
    while at < len(tokens):
        end, number = _run(tokens, at, digits)
        if number:
            found.append(Token(number, "number", tokens[at].start, tokens[end - 1].end))
        else:
            end = at + 1
            found.append(tokens[at])
        at = end
    return found


def _run(tokens: Sequence[Token], at: int, digits: Mapping[str, str]) -> tuple[int, str | None]:
    """Where the digits that begin here end, and their number."""
    if tokens[at].text not in digits and tokens[at].kind != "number" and not tokens[at].text.isdigit():
        return at, None
    said, spelt, times, end = "", 0, 1, at
    for place in range(at, len(tokens)):
        token = tokens[place]
        written = re.sub(r"[^\d+]", "", token.text)
        if token.text in digits and token.kind == "word":
            spelt += 1
            named = digits[token.text]
            times, said = (_TIMES[named], said) if named in _TIMES else (1, said + named * times)
        elif token.kind == "number" and len(written) < WHOLE and spelt + 1 > (place > at):
            said += written
        elif token.kind == "word" and token.text.isdigit() and len(token.text) <= 4:
            said += token.text
        elif token.kind == "mark" and token.text == PAUSE:
            continue
        else:
            break
        end = place + 1
    count = sum(map(str.isdigit, said))
    fits = count >= FEWEST and spelt >= FEWEST_WORDS and "+" not in said[1:]
    return end, said if fits else None
