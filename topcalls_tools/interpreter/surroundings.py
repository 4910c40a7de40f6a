"""What stands around an order and changes nothing of it: politeness, haste, reasons, what cannot be done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from .meaning import Words
from .sentence import ASKED, Sentence, Token


@dataclass(frozen=True, slots=True)
class Core:
    """A sentence without what surrounds its order."""

    said: Sentence
    requested: bool
    """Whether "could you" stood before it: then its question mark asks for nothing."""
    wished: bool
    """Whether "I want to" did."""
    besides: tuple[str, ...] = ()
    """What else was asked, and cannot be done."""
    explained: bool = False
    """Whether a reason was taken off."""
    thinned: bool = False
    """Whether words that say little were left out: of what only reads."""
    cut: bool = False
    """Whether something was taken off its end: of a task nothing is."""


def cores(words: Words) -> Iterator[Core]:
    """A sentence, whole and without what may stand around its order."""
    for start, requested, wished in _starts(words):
        for end in _ends(words, start):
            said = words.said.part(start, end)
            tail = words.of(words.said.part(end, len(words.said.tokens)))
            asked = requested or tail.begin("request_tags", 0) or tail.begin("request_tags", 1)
            yield Core(said, asked, wished, cut=end < len(words.said.tokens))
            if thin := _thinned(words.of(said)):
                yield Core(thin, requested, wished, cut=True, thinned=True)
            for at, besides in _unmet(words.of(said)):
                yield Core(_closed(said.part(0, at)), requested, wished, besides, cut=True)
            for at in _reasons(words.of(said)):
                for last in _ends(words.of(_closed(said.part(0, at))), 0):
                    yield Core(said.part(0, last), requested, wished, cut=True, explained=True)


def _starts(words: Words) -> Iterator[tuple[int, bool, bool]]:
    reached: dict[int, tuple[bool, bool]] = {0: (False, False)}
    waiting = [0]
    while waiting:
        at = waiting.pop()
        requested, wished = reached[at]
        yield at, requested, wished
        if at == 0:
            for begins in _after_reason(words):
                if begins not in reached:
                    reached[begins] = (False, True)
                    waiting.append(begins)
        for group in ("openers", "requests", "wishes"):
            for phrase in words.book.group(group):
                end = phrase.begins(words.said, at)
                while (
                    end is not None and end < len(words.said.tokens) and words.said.tokens[end].kind == "mark"
                ):
                    end += 1
                if end is not None and end < len(words.said.tokens) and end not in reached:
                    reached[end] = (requested or group == "requests", wished or group == "wishes")
                    waiting.append(end)


def _ends(words: Words, start: int) -> Iterator[int]:
    reached = {len(words.said.tokens)}
    waiting = [*reached]
    while waiting:
        end = waiting.pop()
        yield end
        part = words.said.part(0, end)
        for phrase in words.book.group("closers"):
            for at in range(max(start + 1, end - 6), end):
                if phrase.begins(part, at) != end:
                    continue
                while at > start and words.said.tokens[at - 1].kind == "mark":
                    at -= 1
                if at > start and at not in reached:
                    reached.add(at)
                    waiting.append(at)


def _unmet(words: Words) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Where something begins that cannot be done at all, such as sending a text."""
    joins = words.book.words("and_then")
    for at in range(1, len(words.said.tokens)):
        before = words.said.tokens[at - 1]
        if (before.kind == "mark" or before.text in joins) and words.begin("unmet", at):
            yield at - 1, (words.book.say["no_texts"],)


def _reasons(words: Words) -> Iterator[int]:
    """Where a reason begins that changes nothing of the order: "Hang up, she is angry"."""
    for at in range(1, len(words.said.tokens)):
        before = words.said.tokens[at - 1]
        rest = words.of(words.said.part(at, len(words.said.tokens)))
        after_mark = before.kind == "mark" and words.begin("stating", at)
        opens = after_mark or words.begin("because", at) or words.begin("stating_alone", at)
        asked = any(token.text == ASKED for token in (before, *rest.said.tokens))
        if opens and not asked and not rest.have("no_reason"):
            yield at - 1 if before.kind == "mark" else at


def _after_reason(words: Words) -> Iterator[int]:
    """Where an order may begin after a reason that speaks of nobody by name: "She is angry, hang up." """
    if not words.begin("stating", 0):
        return
    for at in range(1, len(words.said.tokens) - 1):
        mark = words.said.tokens[at]
        if mark.kind != "mark" or mark.text == ASKED or words.said.written[mark.start] in ":([":
            continue
        if words.of(words.said.part(0, at)).have("no_lead"):
            return
        yield at + 1


def _closed(said: Sentence) -> Sentence:
    while said.tokens and said.tokens[-1].kind == "mark":
        said = said.part(0, len(said.tokens) - 1)
    return said


def _thinned(words: Words) -> Sentence | None:
    """A sentence without words that say little; None where it has none."""
    kept, at, tokens = list[Token](), 0, words.said.tokens
    while at < len(tokens):
        ends = (one.begins(words.said, at) for one in words.book.group("dropped"))
        end = max((one for one in ends if one is not None), default=None)
        kept += [] if end else [tokens[at]]
        at = end or at + 1
    return replace(words.said, tokens=tuple(kept)) if kept and len(kept) < len(tokens) else None
