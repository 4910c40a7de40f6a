"""Words of others, shown so that they cannot pose as ours: behind a bar, between marks, or in JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from unicodedata import category, east_asian_width

BAR = "  │ "
"""Parts our words, on its left, from those of others; every line of theirs has one."""
WIDTH = 72
"""Columns of a quoted line, the bar not counted."""
NARROW = 8
"""Columns that words get at least, however narrow a terminal is."""
_UNSEEN = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
"""What Python takes for printable and no screen shows (Unicode's Default_Ignorable_Code_Point): a text
that is hidden in such characters is read by models alone."""
_UNUSUAL = re.compile(r"[^ -~]")


def visible(character: str) -> str:
    """A character as a person can see it: control, direction and zero-width characters as escapes."""
    shows = character.isprintable() and character not in _UNSEEN
    return character if shows else f"\\u{{{ord(character):x}}}"


def quiet(words: str) -> str:
    """Words of others on one line, without what would steer a screen; a line break is an escape too."""
    return "".join(map(visible, words))


def barred(words: str, width: int = WIDTH, beside: str = "") -> Iterator[str]:
    """Words of others in lines no wider than `width` columns after the bar that stands before each.

    `beside` is ours, such as who speaks; it stands left of the first bar, or where that leaves too little
    room for their words in a line of its own above them.
    """
    if beside and width < NARROW:
        yield beside.rstrip()
        beside, width = "", width + len(beside)
    for line in words.split("\n"):
        for piece in _pieces(quiet(line), max(NARROW, width)):
            yield f"{beside}{BAR}{piece}"
            beside = " " * len(beside)


def room(columns: int | None, beside: str = "") -> int:
    """Columns that words get after `beside` and a bar on a screen of so many columns: as many as are left,
    WIDTH at most, and WIDTH where nobody knows how wide the screen is."""
    return WIDTH if columns is None else min(WIDTH, columns - len(beside) - len(BAR))


def marked(words: str) -> str:
    """Words of others as a quotation on one line, whose marks they cannot forge."""
    return '"' + "".join(f"\\{one}" if one in '"\\' else visible(one) for one in words) + '"'


def in_json(value: Any, indent: int | None = None) -> str:
    """A value as JSON text in which everything can be seen; compact, where there is no indent."""
    separators = (",", ":") if indent is None else None
    return seen(json.dumps(value, ensure_ascii=False, indent=indent, separators=separators))


def seen(text: str) -> str:
    """JSON text with escapes for what no screen shows, or what would steer one; it says the same."""
    return _UNUSUAL.sub(lambda one: one[0] if one[0] == "\n" else _escaped(one[0]), text)


def _escaped(character: str) -> str:
    return character if visible(character) == character else json.dumps(character)[1:-1]


def _pieces(line: str, width: int) -> Iterator[str]:
    """A line in pieces that no terminal wraps: what it wrapped would stand without its bar. Cut after a blank
    where there is one."""
    begins, blank, room = 0, 0, width
    for at, character in enumerate(line):
        room -= _columns(character)
        while room < 0:
            cut = blank or at
            yield line[begins:cut]
            begins, blank = cut, 0
            room = width - sum(map(_columns, line[begins : at + 1]))
        if character == " ":
            blank = at + 1
    yield line[begins:]


def _columns(character: str) -> int:
    """How many columns a character may take: terminals differ on signs and emoji."""
    return 2 if east_asian_width(character) in "WF" or category(character) == "So" else 1
