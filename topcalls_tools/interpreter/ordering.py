"""What an order comes to with its slots as they stand: one action, or a doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from ..action import Action
from ..action import sentence as wrong_arguments
from ..deeds import StopAll
from ..tools import TOOLS
from . import again, amounts, belongings, people, placing, references
from .book import Book, Order, filled
from .meaning import Found, Meant, Reads, Words
from .notation import Spans
from .scene import Doubt, Reading

_EVERY: tuple[type[Action[Any]], ...] = (*TOOLS, StopAll)
ACTIONS = {one.tool: one for one in _EVERY}
SLOTS: Mapping[str, Reads] = {
    "call": references.call,
    "campaign": belongings.campaign,
    "owned": belongings.owned,
    "carrier": belongings.carrier,
    "whom": people.whom,
    "somebody": people.somebody,
    "number": people.number,
    "called": references.called,
    "every": belongings.every,
    "reason": references.outcome,
    "task": placing.task,
    "deed": placing.deed,
    "back": again.back,
    "asking": placing.asking,
    "statement": placing.statement,
    "asked": placing.asked,
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
TASKS = frozenset({"task", "deed", "asking", "statement", "asked"})
"""The slots that hold a task."""


def ordered(words: Words, order: Order, spans: Spans) -> Reading | Doubt | None:
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
        meant["back"] = again.bare_back(words)
    sure = [one.only for one in meant.values() if one.only]
    if any(_contradict(one, other) for one in sure for other in sure):
        most = sorted(one.arguments["max_duration"] for one in sure if "max_duration" in one.arguments)
        if len(most) < 2:
            return None
        why = filled(words.book.say["several_limits"], first=f"{most[0]:g}", last=f"{most[-1]:g}")
        return Doubt(why, words.book.examples[order.tool])
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
    if slot == "label" and (
        words.have("no_label") or any(token.kind == "number" for token in words.said.tokens)
    ):
        return None
    if slot == "name" and (
        words.said.tokens[-1].text in words.book.words("name_ends")
        or words.said.tokens[0].text in words.book.words("name_starts")
    ):
        return None
    if slot == "sip" and words.have("no_sip"):
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
        "back_task": " ".join(str(given.get("back", "")).split()),
        "back_note": given.get("back_note", ""),
    }
    shown.setdefault("call", shown.get("called", ""))
    shown.setdefault("campaign", shown.get("every", ""))
    shown.setdefault("whom", shown.get("callee", shown.get("somebody", "")))
    if "task" in given:
        shown["task"] = given["task"]
    means = filled(order.means, **shown).rstrip()
    if "max_duration" in given and order.tool == "place_call":
        means += " " + filled(words.book.say["at_most"], minutes=f"{given['max_duration']:g}")
    return Reading(request, means)


def _told(order: Order, given: Mapping[str, Any], phrases: Book) -> str:
    """The task as a sentence of its own; whom the agent calls stands in it, where the sentence names them."""
    text = filled(order.task, task=given["task"])
    text = text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")
    name, inner = given.get("name"), given.get("extension")
    if inner:
        text = f"{text} {filled(phrases.say['reached_by'], extension=inner)}"
    return f"{text} {filled(phrases.say['calls_whom'], name=name)}" if name else text
