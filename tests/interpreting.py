"""What the phrase book makes of labelled requests: `python -m tests.interpreting` rewrites docs/requests.md."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

from topcalls_tools.action import Effect
from topcalls_tools.api.calls import Call
from topcalls_tools.api.campaigns import CampaignFacts
from topcalls_tools.api.phone_numbers import Carrier, NumberFacts
from topcalls_tools.contacts import Contact
from topcalls_tools.interpreter import Doubt, Look, Reading, Scene, interpret

LABELLED = Path(__file__).parent / "labelled"
Outcome = Literal["right", "refused", "wrong"]
OF_OURS = {"reason", "task"}
"""Arguments whose wording is the interpreter's; what a task must say stands in `task_has`."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A request, what it was read as, and whether that is right."""

    said: str
    kind: str
    scene: str
    refusal: bool
    """Whether a doubt is what is wanted."""
    read: Reading | Doubt
    outcome: Outcome
    where: Scene
    """The same as a scene."""
    flaw: str = ""
    """What is wrong, in a word."""


@cache
def judged(name: str = "requests") -> tuple[Judged, ...]:
    """Every request of a set, read and judged; the scenes are those of `requests`, and what the set adds."""
    scenery, own = (
        tomllib.loads((LABELLED / f"{one}.toml").read_text("utf-8")) for one in ("requests", name)
    )
    labelled = scenery | own
    scenes = {key: _scene(one, labelled) for key, one in labelled["scene"].items()}
    return tuple(_judge(one, scenes[one["scene"]]) for one in labelled["request"])


def _scene(written: Mapping[str, Any], labelled: Mapping[str, Any]) -> Scene:
    book = [Contact.model_validate(one) for one in labelled["contacts"][written["contacts"]]]
    return Scene(
        now=datetime.fromisoformat(labelled["now"]),
        region=written.get("region") or None,
        last_call=written.get("spoken_of"),
        contacts={one.number: one for one in book},
        calls=tuple(map(_call, written.get("calls", ()))),
        campaigns=tuple(CampaignFacts.model_validate(one) for one in written.get("campaigns", ())),
        numbers=tuple(NumberFacts.model_validate(one) for one in written.get("numbers", ())),
        carriers=tuple(Carrier.model_validate(one) for one in written.get("carriers", ())),
    )


def _call(written: Mapping[str, Any]) -> Call:
    facts = {name: value for name, value in written.items() if name != "task"}
    return Call.model_validate({**facts, "metadata": {"task": written["task"]}})


def _judge(request: Mapping[str, Any], scene: Scene) -> Judged:
    read = reading(request["say"], scene)
    outcome, flaw = _outcome(read, request)
    return Judged(
        request["say"],
        request["kind"],
        request["scene"],
        bool(request.get("refuse")),
        read,
        outcome,
        scene,
        flaw,
    )


def reading(said: str, scene: Scene) -> Reading | Doubt:
    """What a sentence is read as where everything is known: a scene holds every call that there is, and no
    journal."""
    while isinstance(read := interpret(said, scene), Look):
        sought = str(read.call_id)
        if read.at == "placed":
            scene = replace(scene, placed={**scene.placed, sought: None})
        else:
            scene = replace(scene, gone=scene.gone | {sought})
    return read


def _outcome(read: Reading | Doubt, request: Mapping[str, Any]) -> tuple[Outcome, str]:
    tools = request.get("any") or [request["tool"]] if "tool" in request or "any" in request else []
    if isinstance(read, Doubt):
        return ("right" if request.get("refuse") else "refused"), ""
    if read.tool not in tools:
        return "wrong", "tool"
    if "each" in request:
        return "wrong", "one of several"
    wanted = request.get("arguments", {})
    given = {name: value for name, value in read.arguments.items() if name not in OF_OURS}
    given = {name: value for name, value in given.items() if name in wanted or not _usual(read, name, value)}
    if differing := [name for name in wanted if not _alike(name, wanted[name], given.get(name))]:
        return "wrong", f"argument {differing[0]}"
    if read.action.effect is not Effect.READ and (more := sorted(given.keys() - wanted.keys())):
        return "wrong", f"needless {more[0]}"
    task = str(read.arguments.get("task", "")).casefold()
    if any(one.casefold() not in task for one in request.get("task_has", ())):
        return "wrong", "task"
    return "right", ""


def _usual(read: Reading, name: str, value: Any) -> bool:
    """Whether an argument is what it would be without the sentence."""
    default = read.action.tool_defaults.get(name, type(read.action).model_fields[name].default)
    return bool(value == default)


def _alike(name: str, wanted: Any, given: Any) -> bool:
    if isinstance(wanted, dict) and isinstance(given, dict):
        return all(_alike(one, value, given.get(one)) for one, value in wanted.items())
    if name == "name":
        return str(wanted).casefold() in str(given).casefold()
    return bool(wanted == given)


def totals(every: Sequence[Judged]) -> Iterator[tuple[str, int, int, int, int]]:
    """For each kind of request: how many, how many are right, refused and wrong."""
    for kind in dict.fromkeys(one.kind for one in every):
        of = [one.outcome for one in every if one.kind == kind]
        yield kind, len(of), of.count("right"), of.count("refused"), of.count("wrong")


PAGE = Path(__file__).parent.parent / "docs" / "requests.md"
_INTRODUCTION = """\
# What the phrase book makes of requests

Generated by `python -m tests.interpreting`. Without a language model, sentences are read by a phrase book
([`phrases/en.toml`](../topcalls_tools/interpreter/phrases/en.toml)): a sentence becomes one action of the tools, or a doubt with
a sentence that works. A phrase is a whole sentence, so nothing of one is overlooked; what two orders fit is a doubt. Where no
phrase fits, the words alone are looked at, in whatever order: each must be known to the order or say little. A mistyped word
of an order is read as the one that it can be, and the reading says so before anything is done.

**What it is not.** It knows wordings, not meanings, and English alone. Conditions ("if nobody answers, try again") are never
understood: nothing can be scheduled. Conditions inside a task are the agent's to keep. One call is ended at a time: "both" is
a doubt that lists each.

**What is put as a doubt on purpose.** Two lengths of time, where one is the limit at the end of a sentence: it says which two.
"Stop talking" alone may be to hang up or to be quiet. "Can you stop everything?" may be a question; with a "please" it is an
order, as "can you" is where less is stopped. "It" is no campaign where a call was spoken of last. "Redial" repeats what was
asked of the call, as the journal has it, and nothing that TopCalls or the policy added; without a journal it repeats task and
limit alone, and says so.

## Figures

`right` is the right tool with the right arguments; `refused` a doubt where an action was wanted; `wrong` something that was not
wanted. All sets were written by language models, from imagination, and nobody else checked the labels.

| set | for an action | right when first measured | right today |
| --- | --- | --- | --- |
{sets}

- **[First](../tests/labelled/requests.toml)**, 540 requests: when first measured 14 came to a wrong action: seven took the
  beginning of an id for a whole one, three got the limit wrong, two dialled or stopped where nothing should have been done, one
  checked where a call was ordered, one got a label wrong. Seven reads that asked for less than was labelled counted as wrong
  then. Learned since.
- **[Second](../tests/labelled/requests_held_out.toml)**, 260 harder ones: 2 came to a wrong action when first measured. Learned
  since, later than the first.
- **[Third](../tests/labelled/requests_third.toml)**, 256 everyday ones, committed before the phrases of today were made, measured
  once after them and not learned from: no action was wrong, and 2 of the 60 that want nothing came to something that
  only reads. It is easier than the second: the phrases as they were before read 174 of its 196 (89%), so the work since is
  worth 6 points here. 38 of the 196 stand word for word in the other two sets; of the other 158 the earlier
  phrases read 140 (89%) and those of today 151 (96%). Nobody has measured harder wordings that it has not met since the
  second set's 46%.
- **[Learned](../tests/labelled/requests_learned.toml)**, {learned} that the author of the phrases wrote while they were made. They
  tell that nothing is forgotten, and nothing of wordings that it has not met. Of the 758 that were written, 676 (89%) came to
  the right tool at first; 33 for which no phrase was made were left out. One, "stop talking", was relabelled since: from an
  order to hang up to a doubt.

A wrong action in any set fails the tests; so does a third set of which less than 75% is right.

The first set today:

| requests about | how many | right | refused | wrong |
| --- | --- | --- | --- | --- |
"""
FIRST = {"requests": 253, "requests_held_out": 85, "requests_third": 186}
"""How many requests for an action were read rightly when they were first measured, by set."""


def _sets() -> Iterator[str]:
    """A row for each set that was held out."""
    for title, name in zip(("first", "second", "third"), FIRST, strict=True):
        wanted = [one.outcome for one in judged(name) if not one.refusal]
        first, right, of = FIRST[name], wanted.count("right"), len(wanted)
        yield f"| {title} | {of} | {first} ({100 * first / of:.0f}%) | {right} ({100 * right / of:.0f}%) |"


def page() -> str:
    """docs/requests.md as it should be."""
    every = judged()
    wanted = [one for one in every if not one.refusal]
    rows = [
        f"| {kind} | {n} | {right} | {refused} | {wrong} |"
        for kind, n, right, refused, wrong in totals(every)
    ]
    right = sum(one.outcome == "right" for one in wanted)
    refused = [one for one in every if one.outcome == "refused"]
    return (
        _INTRODUCTION.format(sets="\n".join(_sets()), learned=len(judged("requests_learned")))
        + "\n".join(rows)
        + f"\n\nOf {len(wanted)} requests for an action {right} are right ({100 * right / len(wanted):.0f}%), and all "
        + f"{len(every) - len(wanted)} that order nothing are refused, or answered by what only reads.\n\n"
        + "## Refused of the first set\n\n| requests about | sentence | what is said |\n| --- | --- | --- |\n"
        + "".join(f"| {one.kind} | {_cell(one.said)} | {_cell(_why(one.read))} |\n" for one in refused)
    )


def _why(read: Reading | Doubt) -> str:
    return read.why if isinstance(read, Doubt) else read.means


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page())
