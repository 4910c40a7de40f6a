"""What an agent is to bring up: a task in plain words, taken apart into points."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal[
    "whether", "when", "hours", "price", "count", "length", "place", "person", "what",
    "book", "confirm", "cancel", "move", "tell", "favour", "wish", "matter",
]  # fmt: skip
MOST_POINTS = 40
LONGEST = 300
"""Characters of a task that one turn repeats at most."""


@dataclass(frozen=True, slots=True)
class Point:
    """One thing to bring up: what it is about, as said to the person called, and the agent's words for it."""

    kind: Kind
    about: str
    words: str


_VERBS = (
    "ask|inquire|enquire|find out|check|learn|clarify|verify|confirm|reconfirm|book|reserve|schedule|arrange"
    "|order|request|cancel|reschedule|move|postpone|tell|inform|let (?:them|him|her|the)|remind|notify|say"
    "|mention|explain|thank|invite|offer|get|give|make (?:a|an|the)|set up|leave|see (?:if|whether)|discuss"
    "|collect|wish"
)
_QUESTION = r"(?:whether|if|how|what|when|where|who|which|why|until when|from when|at what time)"
_WHO = r"(?:\s+(?:them|him|her|the (?:person|restaurant|shop|owner|staff|team|office|clinic|customer)))?"
_ASK = r"(?:ask|inquire|enquire|find out|check|learn|clarify|verify|confirm|see|get|tell me|let me know)"
_LEAD = re.compile(
    r"^(?:(?:and|then|also|first|next|finally|lastly|please|kindly|after that|if so)\b[,:\s]*)+",
    re.IGNORECASE,
)
_DUTY = re.compile(
    r"(?:your (?:task|goal|job|aim|purpose) is|the (?:task|goal|aim|purpose) (?:of (?:the|this) call )?is"
    r"|you (?:should|must|need to)"
    r"|(?:i|we)(?:'d| would)? (?:want|need|like)(?: you)?|(?:task|goal|aim|purpose):)\s*(?:to\s+)?",
    re.IGNORECASE,
)
_CALLING = re.compile(
    rf"(?:call|phone|ring|dial|contact|speak|talk)\b[^.?!]{{0,120}}?\b(?:and|to)\s+(?=(?:{_VERBS})\b)",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"(?:call|phone|ring|dial|contact|speak|talk)\b[^.?!]{0,120}?\b(?:about|regarding)\s+", re.IGNORECASE
)
_SENTENCES = re.compile(
    r"(?<!\bMr)(?<!\bMs)(?<!\bMrs)(?<!\bDr)(?<!\bSt)(?<!\bNo)(?<![ap]\.m)\.\s+|(?<=[?!])\s+|[;\n]+\s*"
)
_CLAUSES = re.compile(
    rf"(?:,\s*(?:and\s+)?(?:then\s+)?|\s+and\s+(?:then\s+|also\s+)?|\s+then\s+|\.\s+)(?=(?:please\s+|also\s+)?(?:{_VERBS})\b)",
    re.IGNORECASE,
)
_ALSO_ASKED = re.compile(rf"(?:,\s*(?:and\s+)?|\s+and\s+)(?={_QUESTION}\b)", re.IGNORECASE)
_UNLESS = re.compile(r"(?:if|unless|in case|when)\b([^,]{0,120}),\s*(?:then\s+)?(?=.)", re.IGNORECASE)
_NOT_SO = re.compile(
    r"\b(?:no|not|n't|\w+n't|full|fully|unavailable|busy|closed|voicemail|machine|refuses?|declines?|impossible|nobody|otherwise)\b",
    re.IGNORECASE,
)


def filled(text: str, facts: Mapping[str, Any] | None) -> str:
    """Put the caller's own facts where `{{name}}` stands (contract A51)."""

    def fact(hole: re.Match[str]) -> str:
        value = (facts or {}).get(hole[1], hole[0])
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    return re.sub(r"\{\{\s*([\w.-]+)\s*\}\}", fact, text)


def points(task: str) -> tuple[Point, ...]:
    """The points of a task, in its order; a task in which none is found is one matter."""
    found = [point for clause in _clauses(task) if (point := _point(clause))]
    return tuple(found[:MOST_POINTS]) or (_matter(task),)


def _clauses(task: str) -> list[str]:
    clauses: list[str] = []
    # Runs of blanks are one blank: the patterns below would take the square of their length.
    for sentence in _SENTENCES.split(re.sub(r"[^\S\n]+", " ", task[:20_000])):
        text = _LEAD.sub("", re.sub(r"^[\s\-*•\d.)]+(?=\D)", "", sentence)).strip()
        if condition := _UNLESS.match(text):
            if _NOT_SO.search(condition[1]):
                continue  # a helpful person gives no cause for a second choice
            text = text[condition.end() :]
        for lead in (_DUTY, _CALLING, _ABOUT):
            if start := lead.match(text):
                text = ("discuss " if lead is _ABOUT else "") + text[start.end() :]
        text = re.sub(r",?\s*\b(?:and,?\s+)?if so,?\s+", " and ", text, flags=re.IGNORECASE)
        for clause in _CLAUSES.split(text):
            asked = re.match(rf"{_ASK}\b", clause, re.IGNORECASE)
            clauses += _each_asked(clause) if asked else [clause]
    return [_LEAD.sub("", clause.strip())[:LONGEST] for clause in clauses if clause.strip()]


def _each_asked(clause: str) -> list[str]:
    first, *more = _ALSO_ASKED.split(clause)
    return [first, *(f"ask {rest}" for rest in more)]


def _point(clause: str) -> Point | None:
    """The point of one clause; None for a fact or for advice on manners."""
    text = _to_you(clause.rstrip(" .!,:"))
    if clause.rstrip().endswith("?"):
        return _question(text)

    def begins(pattern: str) -> str | None:
        found = re.match(pattern, text, re.IGNORECASE)
        return text[found.end() :].strip() if found else None

    if re.match(
        r"(?:do not|don't|never|be|you are|stay|keep|avoid|use|always|speak|thank|wish)\b",
        text,
        re.IGNORECASE,
    ):
        return None
    who = _WHO.replace("them", "you|them")
    if rest := begins(rf"{_ASK}{who}\s+(?:about\s+)?(?={_QUESTION}\b)"):
        rest = re.sub(r"^if\b", "whether", rest, flags=re.IGNORECASE)
        return Point(_asked(rest), rest, f"Could you tell me {rest}?")
    if rest := begins(rf"(?:ask|get|invite|request){who}\s+to\s+"):
        return Point("favour", rest, f"Could you {rest}, please?")
    if rest := begins(rf"(?:ask|get|request){who}\s+for\s+"):
        return Point(_topic(rest, "wish"), rest, f"Could I have {rest}, please?")
    if rest := begins(r"(?:confirm|reconfirm|verify)\s+(?:with (?:you|him|her)\s+)?(?:that\s+)?"):
        rest = f"that {rest}" if re.match(r"(?:you|he|she|it|we|i)\b", rest, re.IGNORECASE) else rest
        return Point("confirm", rest, f"I'd like to confirm {rest}. Is that right?")
    if rest := begins(
        rf"(?:ask|inquire|enquire|find out|check|learn|clarify|collect){who}\s+(?:about\s+|on\s+)?"
    ):
        return Point(_topic(rest, "what"), rest, f"Could you tell me about {rest}?")
    if (rest := begins(r"(?:book|reserve|schedule|arrange|order|set up|make)\s+")) is not None:
        return Point("book", rest, f"I'd like to {_lower(text)}, please.")
    if rest := begins(r"cancel\s+"):
        return Point("cancel", rest, f"I'd like to {_lower(text)}, please.")
    if rest := begins(r"(?:reschedule|move|postpone)\s+"):
        return Point("move", rest, f"I'd like to {_lower(text)}, please.")
    if rest := begins(
        r"(?:tell|inform|let|remind|notify)\s+(?:you|him|her|the \w+|\w+)\s+"
        r"(?:know\s+)?(?:that\s+|of\s+|about\s+)?"
    ):
        return Point("tell", rest, f"I wanted to let you know: {rest}.")
    if rest := begins(r"(?:say|mention|explain)\s+(?:that\s+)?"):
        return Point("tell", rest, f"I wanted to say: {rest}.")
    if begins(rf"(?:{_VERBS})\b") is not None:
        return Point("matter", _lower(text), f"I'd like to {_lower(text)}.")
    return None


_TURNED = re.compile(
    r"(?P<aux>do|does|did|is|are|can|could|will|would|have|has)\s+"
    r"(?P<who>we|you|it|i|the \w+|there|he|she|this|that)\b\s*(?P<rest>.*)",
    re.IGNORECASE,
)


def _question(text: str) -> Point:
    """A question that stands in the task as it is to be asked: "Do you deliver?" is whether you deliver."""
    about = _lower(text.rstrip("? "))
    if turned := _TURNED.match(about):
        verb = "" if turned["aux"] in ("do", "does", "did") else f"{turned['aux']} "
        about = f"whether {turned['who']} {verb}{turned['rest']}"
    return Point(_asked(about), about, text[:1].upper() + text[1:])


def _matter(task: str) -> Point:
    text = _to_you(" ".join(task.split())[:LONGEST]).rstrip(" .!")
    return Point("matter", text, f"I'm calling about this: {text}.")


def _asked(text: str) -> Kind:
    """What kind of answer a question wants."""
    low = text.lower()
    for kind, pattern in _KINDS:
        if re.search(pattern, low):
            return kind
    return "what" if re.match(r"(?:what|which|why|how)\b", low) else "whether"


_KINDS: tuple[tuple[Kind, str], ...] = (
    ("whether", r"^(?:whether|if)\b"),
    ("hours", r"^what\b.*\bhours\b"),
    ("price", r"^how much\b|^what\b.*\b(?:costs?|prices?|fees?|charges?|rates?)\b"),
    ("count", r"^how many\b"),
    ("length", r"^how long\b"),
    (
        "when",
        r"^(?:until |from )?when\b|^(?:at |until |from )?what (?:time|day|date)\b|^how (?:late|early|soon)\b",
    ),
    ("place", r"^where\b|^what\b.*\baddress\b"),
    ("person", r"^who\b"),
)


def _topic(text: str, otherwise: Kind) -> Kind:
    """The kind of answer that a topic wants: a price, a time, or something else."""
    low = text.lower()
    if re.search(r"\b(?:prices?|costs?|quote|fees?|rates?)\b", low):
        return "price"
    return "hours" if re.search(r"\b(?:hours|opening times?)\b", low) else otherwise


_YOU = {
    "they": "you", "them": "you", "their": "your", "theirs": "yours", "themselves": "yourself",
    "they're": "you're", "they've": "you've", "they'll": "you'll", "they'd": "you'd",
}  # fmt: skip


def _to_you(text: str) -> str:
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


OBJECTS = "for|to|with|at|of|from|by|about|give|send|see|reach|help|thank"
"""Words after which "you" is an object: us or them, not we or they."""


def to_us(text: str) -> str:
    """You and your, as the person called says it of themselves."""
    words = "|".join(sorted(map(re.escape, _US), key=len, reverse=True))
    after = r"(?! (?:are|have|can|will|do)\b)"
    parts = re.split(rf"(\b(?:{OBJECTS}) you\b{after})", text, flags=re.IGNORECASE)
    return "".join(
        f"{part[:-3]}us"
        if index % 2
        else re.sub(rf"\b(?:{words})\b(?!')", _swapped(_US), part, flags=re.IGNORECASE)
        for index, part in enumerate(parts)
    )


def _swapped(words: Mapping[str, str]) -> Any:
    def swap(found: re.Match[str]) -> str:
        new = words[found[0].lower()]
        return (
            new.capitalize()
            if found[0][0].isupper() and found[0].lower() not in ("i", "i am", "i'm", "i've")
            else new
        )

    return swap


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
