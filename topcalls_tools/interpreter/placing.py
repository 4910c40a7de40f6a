"""What a call is to achieve, as the sentence says it: the task, its limits, what speaks against it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from .amounts import clause as limits
from .amounts import hour, length, lengths, limit
from .belongings import owned
from .meaning import Found, Meant, Words
from .notation import marks
from .sentence import ASKED, Sentence

AGAINST = {
    "later": "scheduled",
    "one_more": "one_at_a_time",
    "unmet": "no_texts",
    "condition": "no_conditions",
    "manner": "how_in_task",
}
"""Groups of the book whose words stand in a task of which nobody can tell what is meant, and what is then
said."""


NEAR = 6
"""Words within which "the boiler" must be said to be, or to do, something."""
TAIL = 8
"""Words at the end of a task among which a time, a limit or thanks is looked for."""


def task(words: Words) -> Found:
    """The task, and what the sentence says of the call beside it, such as how long it may last."""
    said, options, bare = _thanked(words), dict[str, Any](), False
    while (cut := _option(words.of(said))) is not None:
        found, said = cut
        if found.only is None:
            return found
        if "max_duration" in options.keys() & found.only.arguments.keys():
            first, last = found.only.arguments["max_duration"], options["max_duration"]
            return words.unsure("several_limits", first=f"{first:g}", last=f"{last:g}")
        if options.keys() & found.only.arguments.keys():
            return words.unsure("several_options")
        options |= found.only.arguments
        bare = bare or bool(found.only.arguments.get("bare"))
    words = words.of(said)
    most = f"{options.get('max_duration', 0):g}"
    if "max_duration" in options and (others := lengths(words)):
        return words.unsure("several_lengths", first=" and ".join(others), last=most)
    if against := _against(words):
        return words.unsure(against)
    if bare and words.have("lasts"):
        return words.unsure("whose_minutes", minutes=most)
    if "max_duration" not in options and (_ends_in_limit(words) or _ends_in_length(words)):
        return words.unsure("limit_in_task")
    text = " ".join(words.written.split())
    return Found((Meant({"task": text, **options}, text),))


def deed(words: Words) -> Found | None:
    """A task that begins with what is to be done: "ask", "book"."""
    start = words.said.tokens[0].start
    told = words.said.written[:start].rstrip().endswith(":")
    return task(words) if told or words.begin("verb", 0) else None


def asked(words: Words) -> Found | None:
    """A task that says what is asked for: "whether they are open"."""
    return task(words) if words.begin("ask_word", 0) else None


def statement(words: Words) -> Found | None:
    """A task that says how things stand, or asks: "call Ann, the key is lost, where is hers"."""
    known = [token.text for token in _clause(words, 0).said.tokens[:NEAR]]
    if not words.begin("states", 0) and not (
        words.begin("things", 0) and words.book.words("being") & {*known}
    ):
        return None
    against = ("own_question", "no_statement", "one_more", "later", "condition", "unmet")
    if any(words.begin(group, 0) for group in against) or words.written.count(")") > words.written.count("("):
        return None
    return task(words)


def asking(words: Words) -> Found | None:
    """A task that follows without a joint: "call Ann ask her for the key"."""
    return task(words) if words.begin("talk_verb", 0) else None


def voice(words: Words) -> Found | None:
    """A voice, by its id."""
    token = words.said.tokens[0]
    if len(words.said.tokens) != 1 or token.kind == "mark" or token.text in words.book.words("any_voice"):
        return None
    return Found((Meant({"voice": words.written}, words.written),))


def _option(words: Words) -> tuple[Found, Sentence] | None:
    """What the last clause says of the call, and the rest without it."""
    said = words.said
    for at in islice(marks(said), 2):
        clause = words.of(_trimmed(words, said.part(at + 1, len(said.tokens))))
        found = limits(clause) or _voice(clause) or _caller_id(clause)
        if found is not None and at:
            rest = said.part(0, at)
            while rest.tokens and rest.tokens[-1].kind == "mark":
                rest = rest.part(0, len(rest.tokens) - 1)
            return found, rest
    return None


def _trimmed(words: Words, clause: Sentence) -> Sentence:
    """A clause without an "and" before it and a "please" after it."""
    for phrase in words.book.group("clause_openers"):
        if end := phrase.begins(clause):
            clause = clause.part(end, len(clause.tokens))
            break
    for phrase in words.book.group("closers"):
        for at in range(max(1, len(clause.tokens) - TAIL), len(clause.tokens)):
            if phrase.begins(clause, at) == len(clause.tokens):
                return clause.part(0, at)
    return clause


def _voice(clause: Words) -> Found | None:
    for span in _spans(clause, "voice"):
        if found := voice(clause.of(clause.said.part(*span))):
            return found
    return None


def _caller_id(clause: Words) -> Found | None:
    for span in _spans(clause, "owned"):
        found = owned(clause.of(clause.said.part(*span)))
        if found is not None and found.only is not None:
            number = found.only.arguments["number"]
            return Found((Meant({"from_number": number}, found.only.words),))
        if found is not None:
            return Found((), found.why)
    return None


def _spans(clause: Words, slot: str) -> Iterator[tuple[int, int]]:
    for phrase in clause.book.read_options:
        for spans in phrase.whole(clause.said):
            if slot in spans:
                yield spans[slot]


def _against(words: Words) -> str | None:
    """Why these words are no task that can be handed over as they stand."""
    said = words.said
    if said.tokens and any(token.kind == "handle" for token in said.tokens[:1]):
        return "which_task"
    if any(
        token.kind == "number" and said.tokens[at - 1].text in words.book.words("ring")
        for at, token in enumerate(said.tokens)
    ):
        return AGAINST["one_more"]
    for at in range(len(said.tokens)):
        after_rest = at > 0 and said.tokens[at - 1].kind == "mark"
        joined = at > 0 and said.tokens[at - 1].text in words.book.words("and_then")
        for group in ("one_more", "unmet", "condition"):
            if (after_rest or joined) and words.begin(group, at):
                return AGAINST[group]
        if after_rest and _is(words.of(said.part(at, len(said.tokens))), "later"):
            return AGAINST["later"]
        if (
            (after_rest or joined)
            and words.begin("own_verb", at)
            and _clause(words, at).have("campaign_word")
        ):
            return AGAINST["one_more"]
        if joined and _somebody_else(words, at):
            return AGAINST["one_more"]
        bound = at > 0 and said.tokens[at - 1].text in words.book.words("asks")
        if (
            at
            and len(said.tokens) - at <= TAIL
            and not bound
            and words.of(said.part(at, len(said.tokens))).are("dangling")
        ):
            return AGAINST["later"]
    rest = max((at + 1 for at, token in enumerate(said.tokens) if token.kind == "mark"), default=0)
    last = words.of(said.part(rest, len(said.tokens)))
    if rest and (last.are("taken_back") or last.begin("corrects")):
        return "retracted"
    if not words.have("dated") and _ends_in_time(words):
        return AGAINST["later"]
    return AGAINST["manner"] if words.have("manner") else None


def _somebody_else(words: Words, at: int) -> bool:
    """Whether a second person is to be called: "... and the garage to say that I am late"."""
    tokens = words.said.tokens
    if words.begin("verb", at):
        return False
    return any(
        tokens[to].text == "to" and words.begin("verb", to + 1)
        for to in range(at + 1, min(at + 5, len(tokens)))
    )


def _clause(words: Words, at: int) -> Words:
    """The words from a place up to the next rest."""
    ends = (end for end in range(at, len(words.said.tokens)) if words.said.tokens[end].kind == "mark")
    return words.of(words.said.part(at, next(ends, len(words.said.tokens))))


def _ends_in_time(words: Words) -> bool:
    """Whether a task ends in a time that nothing in it is bound to: "ask about the bill tomorrow"."""
    for at in range(max(1, len(words.said.tokens) - TAIL), len(words.said.tokens)):
        rest = words.of(words.said.part(at, len(words.said.tokens)))
        after_in = words.of(words.said.part(at + 1, len(words.said.tokens)))
        soon = rest.said.tokens[0].text == "in" and after_in.said.tokens and length(after_in)
        timed = rest.are("later") or soon or hour(rest)
        if timed and words.said.tokens[at - 1].text not in words.book.words("binds"):
            return True
    return False


def _thanked(words: Words) -> Sentence:
    """A task without the thanks after it."""
    said = words.said
    for at in range(max(1, len(said.tokens) - TAIL), len(said.tokens)):
        rest = words.of(said.part(at, len(said.tokens)))
        if rest.are("thanks") and (
            said.tokens[at - 1].kind == "mark" or rest.said.tokens[0].text == "please"
        ):
            while at and said.tokens[at - 1].kind == "mark":
                at -= 1
            return said.part(0, at)
    return said


def _is(words: Words, group: str) -> bool:
    """Whether a clause says nothing else."""
    return any(
        (end := phrase.begins(words.said)) is not None
        and (end == len(words.said.tokens) or len(words.said.tokens) - end <= 3)
        for phrase in words.book.group(group)
    )


def _ends_in_length(words: Words) -> bool:
    """Whether the last clause is of a length of time, and of nothing that lasts: ", at least an hour"."""
    said = words.said
    rest = max((at + 1 for at, token in enumerate(said.tokens) if token.kind == "mark"), default=0)
    last = words.of(said.part(rest, len(said.tokens)))
    if not rest or len(last.said.tokens) > TAIL or last.have("lasts"):
        return False
    return last.said.tokens[-1].text in words.book.words("time_unit")


def _ends_in_limit(words: Words) -> bool:
    said = words.said
    for at in range(max(1, len(said.tokens) - TAIL), len(said.tokens)):
        rest = words.of(said.part(at, len(said.tokens)))
        if rest.said.tokens and rest.said.tokens[0].text != ASKED and limit(rest) is not None:
            return True
    return False
