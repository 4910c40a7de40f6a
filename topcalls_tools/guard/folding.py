"""Text as plain words: no case, no accents, no look-alike letters, nothing that the eye cannot see."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence

END = "."
"""Stands among the words where a sentence ends."""
PAUSE = ","
"""Stands among them at a comma, a colon, a dash or a parenthesis."""

_LOOK_ALIKE = str.maketrans(
    "авекмнтопрсухуіјѕԁһӏԛԝαβεηικνορτυχωγıłøđʜᴜᴍᴀɴʙᴄᴅᴇꜰɢɪᴊᴋʟᴏᴘʀꜱᴛᴠᴡʏᴢ",
    "abekmhtonpcyxyijsdhlqwabeniknoptuxwyilodhumanbcdefgijkloprstvwyz",
)
"""Cyrillic, Greek and small capital letters, and the Latin letters that they pass for."""
_DIGITS = str.maketrans("013457", "oieast")
_LONGEST, _LONGEST_HEAD = 20, 40
"""Letters that a word of the vocabulary may have, and characters of what stands over a list."""
_UNSEEN = frozenset("\u115f\u1160\u2800")
_MARK = "\x00"
"""Stands for a sentence's end while there are still other full stops."""
_APOSTROPHES = re.compile("['’‘`´ʼ＇]")
_ITEM = re.compile(r"\s*(?:[-*•]|\d+[.)])(?=\s)")
_SENTENCE_ENDS = re.compile(r"(?:(?<![.!?…。])[.!?…。]+(?=\s|$)|;|\n\s*\n|\n\s*(?:[-*•#]|\d+[.)]))")
_PAUSES = re.compile(r"[,:()\[\]—–]|\s-\s")
_TOKENS = re.compile(r"[^\W_]+|[.,]")
_TITLES = re.compile(r"\b(dr|dra|mr|mrs|ms|prof|sr|sra|srta|sgt|lt|[a-z])\.(?=\s)")
_INITIALS = re.compile(r"\b([a-z])\.(?=[a-z]\b)")


def folded(text: str, vocabulary: Collection[str] = ()) -> list[str]:
    """The words of a text, with `END` and `PAUSE` where it rests.

    Letters that stand one by one are one word, or several of the `vocabulary`.
    """
    plain = _APOSTROPHES.sub("", _headed(_bare(text)))
    plain = _INITIALS.sub(r"\1", _TITLES.sub(r"\1 ", plain))
    plain = _PAUSES.sub(f" {PAUSE} ", _SENTENCE_ENDS.sub(f" {_MARK} ", plain))
    plain = plain.replace("%", " percent ").replace(".", " ").replace(_MARK, END)
    return _joined([_lettered(token) for token in _TOKENS.findall(plain)], vocabulary)


Words = tuple[str, ...]


def by_first(phrases: Iterable[Words]) -> Mapping[str, tuple[Words, ...]]:
    """Phrases by their first word, the longest first."""
    firsts: dict[str, tuple[Words, ...]] = {}
    for phrase in sorted(phrases, key=len, reverse=True):
        firsts[phrase[0]] = (*firsts.get(phrase[0], ()), phrase)
    return firsts


def without(words: Sequence[str], dropped: Mapping[str, Sequence[Words]]) -> list[str]:
    """Words without phrases that mean nothing here, which stand by their first word; nor with the two pauses
    around such."""
    kept: list[str] = []
    place = 0
    while place < len(words):
        word = words[place]
        length = next(
            (len(one) for one in dropped.get(word, ()) if tuple(words[place : place + len(one)]) == one), 0
        )
        place += length or 1
        if not length:
            kept.append(word)
        elif kept and kept[-1] == PAUSE and words[place : place + 1] == [PAUSE]:
            kept.pop()
            place += 1
    return kept


def _bare(text: str) -> str:
    """Lower case, without marks and unseen characters, in Latin letters as far as they look it."""
    text = text.replace(_MARK, "")
    if text.isascii():
        return text.casefold()
    shown = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    seen = (
        one for one in shown if unicodedata.category(one) not in ("Cf", "Mn", "Me") and one not in _UNSEEN
    )
    return "".join(seen).translate(_LOOK_ALIKE)


def _headed(text: str) -> str:
    """A text in which a list's items each begin with the few words over the list: "Never: - reveal ..."."""
    if "\n" not in text:
        return text
    head = ""
    lines = []
    for line in text.split("\n"):
        if item := _ITEM.match(line):
            line = f"{item[0]} {head} {line[item.end() :]}"
        elif line.strip():
            title = line.strip(" \t\r*_#")
            head = title[:-1] if title.endswith(":") and len(title) <= _LONGEST_HEAD else ""
        lines.append(line)
    return "\n".join(lines)


def _lettered(word: str) -> str:
    """A word in which digits stand for letters, such as hum4n."""
    return word if word.isalpha() or word[0].isdigit() else word.translate(_DIGITS)


def _joined(words: Sequence[str], vocabulary: Collection[str]) -> list[str]:
    """Runs of three and more single letters are words."""
    joined: list[str] = []
    run = ""
    for word in (*words, END):
        if len(word) == 1 and word.isalpha():
            run += word
            continue
        joined += run if len(run) < 3 else _spelt(run, vocabulary)
        run = ""
        joined.append(word)
    return joined[:-1]


def _spelt(run: str, vocabulary: Collection[str]) -> list[str]:
    """Letters as words of the vocabulary, each as long as can be; else as the one word that they are."""
    spelt: list[str] = []
    place = 0
    while place < len(run):
        ends = range(min(place + _LONGEST, len(run)), place, -1)
        end = next((end for end in ends if run[place:end] in vocabulary), None)
        if end is None:
            return [run]
        spelt.append(run[place:end])
        place = end
    return spelt
