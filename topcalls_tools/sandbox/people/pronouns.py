"""Turns words about people into words to them, and into words of their own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

_ADDRESSEE = re.compile(
    r"((?i:ask|remind|tell|inform|notify|invite|let|wish|congratulate))\s+"
    r"(?!(?i:whether|if|how|what|when|where|who|which|why|about|for|to|that)\b)"
    r"(?:him|her|(?:(?:Mr|Ms|Mrs|Dr)\.? )?[A-Z][\w'-]+(?: [A-Z][\w'-]+)?|\{\{[^{}]{1,40}\}\})\s+(?=\S)(.*)",
    re.DOTALL,
)
_THEIRS = {
    "she": "you", "he": "you", "her": "your", "his": "your", "him": "you", "hers": "yours",
    "herself": "yourself", "himself": "yourself", "she's": "you're", "he's": "you're",
    "she'll": "you'll", "he'll": "you'll",
}  # fmt: skip
_VERBS = {
    "is": "are",
    "has": "have",
    "was": "were",
    "does": "do",
    "wants": "want",
    "needs": "need",
    "likes": "like",
}


def addressed(text: str) -> str:
    """ "Remind Anna of her visit", as it is for whoever speaks to Anna: "remind you of your visit"."""
    if not (found := _ADDRESSEE.match(text)):
        return text
    rest = re.sub(rf"\b(?:{'|'.join(_THEIRS)})\b(?!')", _swapped(_THEIRS), found[2], flags=re.IGNORECASE)
    said = re.sub(rf"\byou ({'|'.join(_VERBS)})\b", lambda verb: f"you {_VERBS[verb[1]]}", rest)
    return f"{found[1]} you {said}"


_YOU = {
    "they": "you", "them": "you", "their": "your", "theirs": "yours", "themselves": "yourself",
    "they're": "you're", "they've": "you've", "they'll": "you'll", "they'd": "you'd",
}  # fmt: skip


def to_you(text: str) -> str:
    """They and their, as said to the person's face."""
    return re.sub(
        r"\b(?:they(?:'(?:re|ve|ll|d))?|them(?:selves)?|theirs?)\b", _swapped(_YOU), text, flags=re.IGNORECASE
    )


_US = {
    "you": "we", "your": "our", "yours": "ours", "yourself": "ourselves", "you're": "we're",
    "you've": "we've", "you'll": "we'll", "you'd": "we'd",
    "i": "you", "my": "your", "me": "you", "mine": "yours", "i'm": "you're", "i've": "you've",
    "we": "you", "our": "your", "us": "you", "i am": "you are",
}  # fmt: skip


OBJECTS = "for|to|with|at|of|from|by|about|give|send|see|reach|help|thank|invite|wish|remind|congratulate"
"""Words after which "you" is an object: us or them, not we or they."""


@lru_cache(4096)
def to_us(text: str) -> str:
    """You and your, as the person called says it of themselves."""
    parts = _US_AS_OBJECT.split(text)
    return "".join(
        f"{part[:-3]}us" if index % 2 else _OURS.sub(_swapped(_US), part) for index, part in enumerate(parts)
    )


_US_AS_OBJECT = re.compile(rf"(\b(?:{OBJECTS}) you\b(?! (?:are|have|can|will|do)\b))", re.IGNORECASE)
_OURS = re.compile(rf"\b(?:{'|'.join(sorted(_US, key=len, reverse=True))})\b(?!')", re.IGNORECASE)


def _swapped(words: Mapping[str, str]) -> Callable[[re.Match[str]], str]:
    def swap(found: re.Match[str]) -> str:
        new = words[found[0].lower()]
        return (
            new.capitalize()
            if found[0][0].isupper() and found[0].lower() not in ("i", "i am", "i'm", "i've")
            else new
        )

    return swap
