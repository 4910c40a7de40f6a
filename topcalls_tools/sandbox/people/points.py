"""What an agent is to bring up: a task in English, taken apart into points."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from .pronouns import addressed, to_you

Kind = Literal[
    "whether", "when", "hours", "price", "count", "length", "place", "person", "what",
    "rating", "book", "order", "confirm", "cancel", "move", "tell", "favour", "wish", "plan", "matter",
]  # fmt: skip
Tongue = Literal["en", "es"]
MOST_POINTS = 40
LONGEST = 300
"""Characters of a task that one turn repeats at most."""


@dataclass(frozen=True, slots=True)
class Point:
    """One thing to bring up: what it is about, as said to the person called, and the agent's words for it."""

    kind: Kind
    about: str
    words: tuple[str, ...]
    """Ways to say it."""
    tongue: Tongue = "en"


_VERBS = (
    "ask|inquire|enquire|find out|check|learn|clarify|verify|confirm|reconfirm|book|reserve|schedule|arrange"
    "|order|request|cancel|reschedule|move|postpone|tell|inform|let (?:them|him|her|the)|remind|notify|say"
    "|mention|explain|thank|invite|offer|get|give|make (?:a|an|the)|set up|leave|see (?:if|whether)|discuss"
    "|collect|wish|conduct|carry out|introduce|present|pitch|follow up|apologi[sz]e"
)
_QUESTION = r"(?:whether|if|how|what|when|where|who|which|why|until when|from when|at what time)"
_WHO = r"(?:\s+(?:them|him|her|the (?:person|restaurant|shop|owner|staff|team|office|clinic|customer)))?"
_ASK = r"(?:ask|inquire|enquire|find out|check|learn|clarify|verify|confirm|see|get|tell me|let me know)"
_LEAD = re.compile(
    r"^(?:(?:and|then|also|first|next|finally|lastly|please|kindly|after that|if so)\b[,:\s]*"
    r"|(?:please\s+)?ask(?:\s+(?:them|him|her))?:\s*|[^:.?!]{1,40}:\s+(?=ask\b))+",
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
    r"\b(?:no|not|cannot|unable|n't|\w+n't|full|fully|unavailable|busy|closed|voicemail|machine|refuses?|declines?|impossible|nobody|otherwise|wrong)\b",
    re.IGNORECASE,
)


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
    text = to_you(addressed(clause.rstrip(" .!,:")))
    if clause.rstrip().endswith("?"):
        text = text.rstrip("? ")
        if not re.match(rf"{_ASK}\b", text, re.IGNORECASE):
            return _question(text) if text else None

    def begins(pattern: str) -> str | None:
        found = re.match(pattern, text, re.IGNORECASE)
        return text[found.end() :].strip() if found else None

    if re.match(
        r"(?:do not|don't|never|be|you are|stay|keep|avoid|use|always|speak|thank)\b"
        r"|wish\b.*\b(?:day|evening)\b",
        text,
        re.IGNORECASE,
    ):
        return None
    who = _WHO.replace("them", "you|them")
    anybody = rf"(?:{who}|\s+the\s+(?!{_QUESTION}\b)\w+(?:\s+(?!{_QUESTION}\b)\w+)?)"
    if rest := begins(rf"{_ASK}{anybody}\s+(?:about\s+)?(?={_QUESTION}\b)"):
        rest = re.sub(r"^if\b", "whether", rest, flags=re.IGNORECASE)
        return Point(_asked(rest), rest, _asking(rest))
    if rest := begins(rf"(?:ask|get|request){who}\s+to\s+"):
        kind: Kind = "rating" if re.match(r"(?:rate|score)\b", rest, re.IGNORECASE) else "favour"
        return Point(kind, rest, (f"Could you {rest}, please?", f"Would you {rest}, please?"))
    if rest := begins(rf"(?:ask|get|request){who}\s+for\s+|get\s+(?=an?\s)"):
        return Point(
            _topic(rest, "wish"), rest, (f"Could I have {rest}, please?", f"I'd like {rest}, please.")
        )
    if rest := begins(r"(?:confirm|reconfirm|verify)\s+(?:with (?:you|him|her)\s+)?(?:that\s+)?"):
        rest = f"that {rest}" if re.match(r"(?:you|he|she|it|we|i)\b", rest, re.IGNORECASE) else rest
        ways = (
            f"I'd like to confirm {rest}. Is that right?",
            f"I'm calling to confirm {rest}. Is that correct?",
        )
        return Point("confirm", rest, ways)
    if rest := begins(rf"(?:ask|inquire|enquire|find out|check|learn|clarify){who}\s+(?:about\s+|on\s+)?"):
        ways = (f"Could you tell me about {rest}?", f"I'd like to ask about {rest}.")
        return Point(_topic(rest, "what"), rest, ways)
    if rest := begins(r"order\s+"):
        return Point("order", rest, _wanting(text))
    if rest := begins(r"(?:book|reserve|schedule|arrange|set up|make)\s+"):
        return Point("book", rest, _wanting(text))
    if rest := begins(r"cancel\s+"):
        return Point("cancel", rest, _wanting(text))
    if rest := begins(r"(?:reschedule|move|postpone)\s+"):
        return Point("move", rest, _wanting(text))
    if rest := begins(r"remind\s+(?:you|him|her|the \w+|\w+)\s+(?=(?:to|that|of|about)\b)"):
        return Point("tell", rest, (f"I'm calling to remind you {rest}.", f"I'd like to remind you {rest}."))
    if rest := begins(rf"{_TELL}(?=(?:that|of|about|how|when|where|why|what)\b)"):
        return Point(
            "tell", rest, (f"I wanted to let you know {rest}.", f"I'm calling to let you know {rest}.")
        )
    if rest := begins(rf"(?:{_TELL}|(?:say|mention|explain)\s+(?:that\s+)?)"):
        ways = (f"I wanted to let you know: {rest}.", f"Just so that you know: {rest}.")
        return Point("tell", rest, ways)
    if begins(rf"(?:{_VERBS})\b") is not None:
        plan = _lower(text)
        return Point("plan", plan, (f"I'd like to {plan}.", f"I'm calling to {plan}."))
    return None


_TELL = r"(?:tell|inform|let|remind|notify)\s+(?:you|him|her|the \w+|\w+)\s+(?:know\s+)?"


def _asking(about: str) -> tuple[str, ...]:
    return f"Could you tell me {about}?", f"I'd like to know {about}, please.", f"May I ask {about}?"


def _wanting(text: str) -> tuple[str, ...]:
    wanted = _lower(text)
    return (
        f"I'd like to {wanted}, please.",
        f"I'm calling to {wanted}.",
        f"I would like to {wanted}.",
    )


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
    return Point(_asked(about), about, (f"{text[:1].upper()}{text[1:]}?",))


def _matter(task: str) -> Point:
    text = to_you(" ".join(task.split())[:LONGEST]).rstrip(" .!")
    return Point("matter", text, (f"I'm calling about this: {text}.",))


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
    ("rating", r"^how (?:satisfied|happy|likely|pleased|would you rate|well|good)\b"),
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


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
