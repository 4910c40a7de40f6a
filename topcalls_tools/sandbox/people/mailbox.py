"""What a task wants done where a machine answers, told apart from what it wants brought up."""

from __future__ import annotations

import re

_MACHINE = (
    r"(?:voice[\s-]?mails?|mail ?box(?:es)?|answer(?:ing)?[\s-]?(?:machine|phone)s?"
    r"|buz[oó]n(?:es)?|contestador(?:es)?)\b"
)
_START = (
    r"(?:^[\s\-*•\d.)]*|,\s*|\b(?:and|but|y|pero)\s+)(?:(?:and|but|also|please|then|y|pero|por favor),?\s+)*"
)
_WHERE = r"(?:if|when|whenever|where|once|should|in case|in the event|on|at|si|cuando|en caso)\b"
_LEAVE = (
    r"(?:leav(?:e|ing)\s+(?:\w+\s+){0,4}?(?:messages?|voice[\s-]?mails?|notes?|word|one|names?|numbers?)"
    r"|d[eé]j(?:[ae]\w*|ar\w*)\s+(?:\w+\s+){0,4}?(?:mensajes?|recados?|nombre|n[uú]mero))\b"
)
_HANG = r"(?:hang(?:ing)? up|end the call|cuelg[ae]|colgar)\b"
_DO = rf"(?={_LEAVE}|{_HANG}|(?:do not|don['’]t|never) leave\b|no (?:messages?|voicemails?|dejes?)\b)"
_WISH = re.compile(rf"{_START}(?:{_WHERE}|{_DO}).{{0,160}}?\b{_MACHINE}.*", re.IGNORECASE)
_NO_MESSAGE = re.compile(
    r"\b(?:without|not|never|no|sin)\s+(?:\w+\s+)?(?:leav\w+|dej\w+|messages?|mensajes?|voice[\s-]?mails?)\b"
    r"|n['’]t\s+(?:\w+\s+)?leav\w+",
    re.IGNORECASE,
)
_MESSAGE = re.compile(rf"\b{_LEAVE}", re.IGNORECASE)
_HANG_UP = re.compile(rf"\b{_HANG}", re.IGNORECASE)
_SENTENCES = re.compile(r"((?<=[.!?])\s+|[;\n]+\s*)")


def set_aside(task: str) -> tuple[str, bool | None]:
    """A task without its words about machines, and whether those want a message left.

    None where it says nothing of machines; the last word counts.
    """
    if not re.search(_MACHINE, task, re.IGNORECASE):
        return task, None
    parts, message = _SENTENCES.split(task), None
    for number in range(0, len(parts), 2):
        wish = _WISH.search(parts[number])
        if wish is None or (wanted := _leaves(wish[0])) is None:
            continue
        message = wanted
        before = parts[number][: wish.start()].rstrip()
        parts[number] = f"{before}." if before else ""
    return "".join(parts).strip(), message


def _leaves(wish: str) -> bool | None:
    """Whether a message is to be left; None where the words are about something else."""
    if _NO_MESSAGE.search(wish):
        return False
    if _MESSAGE.search(wish):
        return True
    return False if _HANG_UP.search(wish) else None
