"""How a sentence is read: what leads up to an order and what follows it is taken off, the order is looked up
in the phrase book, and its slots are read. Every way counts; where they differ, it is a doubt."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ..action import Effect
from .book import Order, book
from .gist import Gist
from .meaning import Missing, Words
from .notation import Phrase, Spans
from .ordering import ACTIONS, TASKS, ordered
from .scene import Doubt, Look, Reading, Scene
from .sentence import ASKED, LONGEST, MOST_WORDS, Sentence, sentence
from .slips import mended
from .spelled import with_numbers
from .surroundings import Core, cores

_QUOTED_SINGLY = re.compile(r"\s*['‘]\w.*\w[.!?]?['’](?=[\s,.:;?!])[\s.,:;!?–—-]*\w", re.DOTALL)


class Outcome(NamedTuple):
    """What an order comes to."""

    what: Reading | Doubt
    tool: str
    weak: bool
    """Whether it counts only where no other fits."""


_QUOTED = re.compile(r"""\s*["“”„«»]([^"“”„«»]*)["“”„«»][\s.,!?]*\w""")
"""A sentence that begins with a quotation, and goes on after it."""


def interpret(text: str, scene: Scene) -> Reading | Doubt | Look:
    """Read a sentence against what is known; a Look says what must be known first."""
    words = _words(text, scene)
    if not words.said.tokens:
        return _doubt(words, "empty", "place_call")
    if len(text) > LONGEST or len(words.said.tokens) > MOST_WORDS:
        return _doubt(words, "too_long_a_text", "place_call")
    if _QUOTED.match(text) or _QUOTED_SINGLY.match(text):
        return _doubt(words, "quoted", "place_call")
    if words.have("retraction"):
        return _doubt(words, "retracted", "place_call")
    try:
        return _combined(words)
    except Missing as missing:
        return missing.look


def _words(text: str, scene: Scene) -> Words:
    phrases = book(scene.language)
    known = {
        one.id
        for every in (scene.calls, scene.campaigns, scene.numbers, scene.carriers)
        for one in every or ()
        if any(map(str.isdigit, one.id)) or not one.id.isalpha()
    }
    said = sentence(text[: LONGEST + 1], known, phrases.words("unit"), phrases.alike)
    return Words(replace(said, tokens=tuple(with_numbers(said.tokens, phrases.digits))), scene, phrases)


def _combined(words: Words) -> Reading | Doubt:
    """What all ways of reading a sentence come to: by phrases, then by the gist, then with slips mended."""
    found = _read_by(words)
    if found is not None and not (isinstance(found, Doubt) and not found.readings):
        return found
    if (slips := mended(words)) and (found is None or _of_read(words)):
        again, told = slips
        better = _read_by(again)
        if isinstance(better, Reading):
            return replace(better, besides=(*better.besides, *told))
        if better is not None and better.readings:
            return better
    return found or _hint(words)


def _read_by(words: Words) -> Reading | Doubt | None:
    """What its phrases, or else its gist, or else weaker phrases come to."""
    every = [*_outcomes(words)]
    phrased = [one for one in every if not one.weak]
    found = _agreed(words, phrased)
    if found is None or (isinstance(found, Doubt) and not found.readings):
        acts = any(ACTIONS[one.tool].effect is not Effect.READ for one in phrased)
        gists = [
            one
            for one in _outcomes(words, by_gist=True)
            if not acts or ACTIONS[one.tool].effect is Effect.READ
        ]
        better = _agreed(words, gists)
        if better is not None and (found is None or isinstance(better, Reading) or better.readings):
            return better
    return found or _agreed(words, every) or _by_sentences(words)


def _of_read(words: Words) -> bool:
    """Whether what fits only reads: then a doubt of it says nothing of an order."""
    return all(ACTIONS[one.tool].effect is Effect.READ for one in _outcomes(words))


def _agreed(words: Words, found: Sequence[Outcome]) -> Reading | Doubt | None:
    """The one thing that every way comes to, or a doubt."""
    readings = _distinct(one.what for one in found if isinstance(one.what, Reading))
    doubts = [one.what for one in found if isinstance(one.what, Doubt)]
    open_doubts = [one for one in doubts if one.readings]
    if len(readings) == 1 and (not open_doubts or readings[0].action.effect is Effect.READ):
        return readings[0]
    if readings:
        several = _distinct((*readings, *(one for each in open_doubts for one in each.readings)))
        return _doubt(words, "several", readings[0].tool, readings=tuple(several))
    return max(doubts, key=lambda one: len(one.readings), default=None)


def _by_sentences(words: Words) -> Reading | Doubt | None:
    """Several sentences that are read one by one: they must all ask for the same."""
    ends = [at for at, token in enumerate(words.said.tokens) if token.kind == "mark" and token.text != ","]
    if not ends:
        return None
    starts, found = [0, *(at + 1 for at in ends)], list[Reading]()
    for start, end in zip(starts, [*ends, len(words.said.tokens)], strict=True):
        asked = words.said.tokens[end].text == ASKED if end < len(words.said.tokens) else words.said.asked
        part = words.of(replace(words.said.part(start, end), asked=asked))
        read = _distinct(
            one.what for one in _outcomes(part) if isinstance(one.what, Reading) and not one.weak
        )
        if len(read) != 1:
            return None
        found += read
    alike = _distinct(found)
    if len(alike) == 1:
        return alike[0]
    return _doubt(words, "one_at_a_time", alike[0].tool, readings=tuple(alike))


def _outcomes(words: Words, by_gist: bool = False) -> Iterator[Outcome]:
    """What every order that fits comes to."""
    orders: Sequence[tuple[Order, Sequence[Phrase | Gist]]]
    orders = words.book.read_gists if by_gist else words.book.read
    for core in cores(words):
        here = words.of(core.said)
        for order, phrases in orders:
            effect = ACTIONS[order.tool].effect
            if (core.besides or core.thinned) and effect is not Effect.READ:
                continue
            if (core.wished and effect is Effect.SPEND) or (core.explained and order.reasons):
                continue
            for phrase in phrases:
                for spans in phrase.whole(core.said):
                    if core.cut and TASKS & spans.keys():
                        continue
                    outcome = ordered(here, order, spans)
                    if outcome is None:
                        continue
                    if order.unsure:
                        outcome = _doubt(words, order.unsure, order.tool, *_only(outcome))
                    elif order.firm and (why := _too_much(words)):
                        outcome = _doubt(words, why, order.tool, *_only(outcome))
                    elif not order.question and _questioned(words, core, spans):
                        outcome = _doubt(words, "a_question", order.tool, *_only(outcome))
                    elif isinstance(outcome, Reading) and core.besides:
                        outcome = replace(outcome, besides=core.besides)
                    yield Outcome(outcome, order.tool, order.weak)


def _too_much(words: Words) -> str | None:
    """Why an order that does much may not be meant: a question without a "please", or "for now"."""
    if words.have("passing"):
        return "for_a_moment"
    asked = words.said.asked or words.have("asking")
    return "may_be_a_question" if asked and not words.have("begging") else None


def _questioned(words: Words, core: Core, spans: Spans) -> bool:
    """Whether an order stands in a question: then it is none."""
    if core.requested:
        return False
    said = words.said
    first, last = next((spans[one] for one in TASKS if one in spans), (0, 0))
    task = core.said.tokens[first:last]
    if said.asked and not _asks_itself(words, core.said.part(first, last)):
        return True
    return any(token.text == ASKED and token not in task for token in said.tokens)


def _asks_itself(words: Words, task: Sentence) -> bool:
    """Whether the question mark is the task's: its last clause is a question that the agent shall ask."""
    if not task.tokens:
        return False
    rest = max((at + 1 for at, token in enumerate(task.tokens) if token.kind == "mark"), default=0)
    last = task.part(rest, len(task.tokens))
    before = words.said.written[: last.tokens[0].start].rstrip()
    told = task.tokens[rest - 2].text in words.book.words("talk_verb") if rest else before.endswith(":")
    clause = words.of(last)
    own = clause.begin("own_question")
    return clause.begin("asks_so") and (told or (not own and not before[-1:].isalnum()))


def _only(outcome: Reading | Doubt) -> tuple[Reading, ...]:
    return (outcome,) if isinstance(outcome, Reading) else outcome.readings


def _distinct(readings: Iterator[Reading] | Sequence[Reading]) -> list[Reading]:
    found: dict[str, Reading] = {}
    for one in readings:
        key = json.dumps([one.tool, one.arguments], sort_keys=True, default=str)
        found.setdefault(key, one)
    return [*found.values()]


def _doubt(words: Words, what: str, tool: str, *readings: Reading, **more: Any) -> Doubt:
    return Doubt(words.book.say[what], words.book.examples[tool], more.get("readings", readings))


def _hint(words: Words) -> Doubt:
    """A doubt for what no phrase fits, with what works in its matter."""
    for topic, phrases in words.book.hints:
        if any(_stands(phrase, words.said) for phrase in phrases):
            return Doubt(topic.why, topic.example)
    return Doubt(words.book.say["unknown"], words.book.examples["place_call"])


def _stands(phrase: Phrase, said: Sentence) -> bool:
    return phrase.within(said)
