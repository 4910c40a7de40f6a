"""How a sentence is read: what leads up to an order and what follows it is taken off, the order is looked up
in the phrase book, and its slots are read. Every way counts; where they differ, it is a doubt."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from ..action import Action, Effect
from ..action import sentence as wrong_arguments
from ..deeds import StopAll
from ..tools import TOOLS
from . import amounts, belongings, people, placing, references
from .book import Book, Order, book, filled
from .meaning import Found, Meant, Missing, Reads, Words
from .notation import Phrase, Spans
from .scene import Doubt, Look, Reading, Scene
from .sentence import ASKED, LONGEST, MOST_WORDS, Sentence, sentence
from .surroundings import Core, cores

_EVERY: tuple[type[Action[Any]], ...] = (*TOOLS, StopAll)
ACTIONS = {one.tool: one for one in _EVERY}
SLOTS: Mapping[str, Reads] = {
    "call": references.call,
    "campaign": belongings.campaign,
    "owned": belongings.owned,
    "carrier": belongings.carrier,
    "whom": people.whom,
    "number": people.number,
    "called": references.called,
    "every": belongings.every,
    "reason": references.outcome,
    "task": placing.task,
    "deed": placing.deed,
    "back": placing.back,
    "asking": placing.asking,
    "voice": placing.voice,
    "callee": references.callee,
    "limit": amounts.limit,
    "lasting": amounts.lasting,
    "caller": belongings.caller,
    "tongue": amounts.tongue,
    "motive": amounts.motive,
    "n": amounts.count,
    "hour": amounts.hour,
    "gateway": amounts.gateway,
}
"""Who reads which slot; `name`, `reason` and others are taken as they are written."""


_ARGUMENTS = {"sip": "carrier_name", "lead": "lead_id"}
"""Arguments that slots are taken for as they are written, where their names differ."""
TASKS = frozenset({"task", "deed", "asking"})
"""The slots that hold a task."""


_QUOTED = re.compile(r"""\s*["“”„«»]([^"“”„«»]*)["“”„«»][\s.,!?]*\w""")
"""A sentence that begins with a quotation, and goes on after it."""


def interpret(text: str, scene: Scene) -> Reading | Doubt | Look:
    """Read a sentence against what is known; a Look says what must be known first."""
    words = _words(text, scene)
    if not words.said.tokens:
        return _doubt(words, "empty", "place_call")
    if len(text) > LONGEST or len(words.said.tokens) > MOST_WORDS:
        return _doubt(words, "too_long_a_text", "place_call")
    if _QUOTED.match(text):
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
    said = sentence(text[: LONGEST + 1], known, phrases.words("unit"))
    return Words(said, scene, phrases)


def _combined(words: Words) -> Reading | Doubt:
    """What all ways of reading a sentence come to."""
    every = [*_outcomes(words)]
    found = [one for one, weak in every if not weak] or [one for one, _ in every]
    readings = _distinct(one for one in found if isinstance(one, Reading))
    doubts = [one for one in found if isinstance(one, Doubt)]
    open_doubts = [one for one in doubts if one.readings]
    if len(readings) == 1 and (not open_doubts or readings[0].action.effect is Effect.READ):
        return readings[0]
    if readings:
        several = _distinct((*readings, *(one for each in open_doubts for one in each.readings)))
        return _doubt(words, "several", readings[0].tool, readings=tuple(several))
    if doubts:
        return max(doubts, key=lambda one: len(one.readings))
    return _by_sentences(words) or _hint(words)


def _by_sentences(words: Words) -> Reading | Doubt | None:
    """Several sentences that are read one by one: they must all ask for the same."""
    ends = [at for at, token in enumerate(words.said.tokens) if token.kind == "mark" and token.text != ","]
    if not ends:
        return None
    starts, found = [0, *(at + 1 for at in ends)], list[Reading]()
    for start, end in zip(starts, [*ends, len(words.said.tokens)], strict=True):
        asked = words.said.tokens[end].text == ASKED if end < len(words.said.tokens) else words.said.asked
        part = words.of(replace(words.said.part(start, end), asked=asked))
        read = _distinct(one for one, weak in _outcomes(part) if isinstance(one, Reading) and not weak)
        if len(read) != 1:
            return None
        found += read
    alike = _distinct(found)
    if len(alike) == 1:
        return alike[0]
    return _doubt(words, "one_at_a_time", alike[0].tool, readings=tuple(alike))


def _outcomes(words: Words) -> Iterator[tuple[Reading | Doubt, bool]]:
    """What every order that fits comes to, and whether it is a weak one."""
    for core in cores(words):
        here = words.of(core.said)
        for order, phrases in words.book.read:
            effect = ACTIONS[order.tool].effect
            if (core.besides or core.thinned) and effect is not Effect.READ:
                continue
            if (core.wished and effect is Effect.SPEND) or (core.explained and order.reasons):
                continue
            for phrase in phrases:
                for spans in phrase.whole(core.said):
                    if core.cut and TASKS & spans.keys():
                        continue
                    outcome = _read(here, order, spans)
                    if outcome is None:
                        continue
                    if not order.question and _questioned(words.said, core, spans):
                        yield _doubt(words, "a_question", order.tool, *_only(outcome)), order.weak
                    elif isinstance(outcome, Reading) and core.besides:
                        yield replace(outcome, besides=core.besides), order.weak
                    else:
                        yield outcome, order.weak


def _questioned(said: Sentence, core: Core, spans: Spans) -> bool:
    """Whether an order stands in a question: then it is none."""
    if core.requested:
        return False
    first, last = next((spans[one] for one in TASKS if one in spans), (0, 0))
    task = core.said.tokens[first:last]
    return said.asked or any(token.text == ASKED and token not in task for token in said.tokens)


def _only(outcome: Reading | Doubt) -> tuple[Reading, ...]:
    return (outcome,) if isinstance(outcome, Reading) else outcome.readings


def _read(words: Words, order: Order, spans: Spans) -> Reading | Doubt | None:
    """What an order comes to with its slots as they stand."""
    meant: dict[str, Found] = {}
    for slot, span in spans.items():
        part = replace(words.of(words.said.part(*span)), state=order.state)
        found = SLOTS[slot](part) if slot in SLOTS else _as_written(slot, part)
        if found is None:
            return None
        if found.why and not found.meant:
            return Doubt(found.why, words.book.examples[order.tool])
        meant[slot] = found
    if "call_id" in ACTIONS[order.tool].model_fields and not meant.keys() & {"call", "called"}:
        meant["call"] = references.bare_call(replace(words, state=order.state))
    if order.tool == "place_call" and not meant:
        meant["back"] = placing.bare_back(words)
    sure = [one.only for one in meant.values() if one.only]
    if any(_contradict(one, other) for one in sure for other in sure):
        return None
    if len(sure) == len(meant):
        return _reading(words, order, {slot: one.meant[0] for slot, one in meant.items()})
    unsure = {slot: one for slot, one in meant.items() if one.only is None}
    why = next(iter(unsure.values())).why or ""
    readings: list[Reading] = []
    if len(unsure) == 1:
        slot, open_one = next(iter(unsure.items()))
        for each in open_one.meant:
            rest = {name: one.meant[0] for name, one in meant.items() if name != slot}
            read = _reading(words, order, {**rest, slot: each})
            readings += [read] if isinstance(read, Reading) else []
    return Doubt(why, words.book.examples[order.tool], tuple(readings))


def _contradict(one: Meant, other: Meant) -> bool:
    """Whether two slots mean different values of one argument."""
    both = one.arguments.keys() & other.arguments.keys()
    return any(one.arguments[name] != other.arguments[name] for name in both)


def _as_written(slot: str, words: Words) -> Found | None:
    if any(token.kind == "mark" for token in words.said.tokens):
        return None
    if slot == "name" and (words.have("no_name") or words.have("later")):
        return None
    return Found((Meant({_ARGUMENTS.get(slot, slot): words.written}, words.written),))


def _reading(words: Words, order: Order, meant: Mapping[str, Meant]) -> Reading | Doubt:
    action = ACTIONS[order.tool]
    given: dict[str, Any] = {}
    for one in meant.values():
        given |= one.arguments
    if "task" in given:
        given["task"] = _told(order, given, words.book)
    arguments = {name: given[name] for name in action.model_fields.keys() & given.keys()}
    arguments |= order.arguments
    try:
        request = action.from_tool(arguments)
    except ValidationError as wrong:
        return Doubt(wrong_arguments(wrong, action), words.book.examples[order.tool])
    shown = {slot: one.words for slot, one in meant.items()} | {
        "back_task": " ".join(str(given.get("back", "")).split())
    }
    shown.setdefault("call", shown.get("called", ""))
    shown.setdefault("campaign", shown.get("every", ""))
    shown.setdefault("whom", shown.get("callee", ""))
    if "task" in given:
        shown["task"] = given["task"]
    means = filled(order.means, **shown)
    if "max_duration" in given and order.tool == "place_call":
        means += " " + filled(words.book.say["at_most"], minutes=f"{given['max_duration']:g}")
    return Reading(request, means)


def _told(order: Order, given: Mapping[str, Any], phrases: Book) -> str:
    """The task as a sentence of its own; whom the agent calls stands in it, where the sentence names them."""
    text = filled(order.task, task=given["task"])
    text = text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")
    name = given.get("name")
    return f"{text} {filled(phrases.say['calls_whom'], name=name)}" if name else text


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
