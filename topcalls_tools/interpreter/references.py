"""Which call a sentence speaks of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from ..api.calls import ENDED, CallFacts
from ..api.fields import E164
from .meaning import WAITING, Found, Meant, Missing, Words, begins_so, fits, plain
from .people import MOST, calls, last_call, shown, whom
from .scene import Look, Scene


def call(words: Words) -> Found | None:
    """The call that is meant: by its id, spoken of, the last one, or by whom it is to."""
    tokens = words.said.tokens
    handles = [token for token in tokens if token.kind == "handle"]
    if len(handles) == 1 and tokens[-1] is handles[0]:
        before = words.of(words.said.part(0, len(tokens) - 1))
        if before.said.tokens and not before.are("call_before_id"):
            return None
        return _by_id(handles[0].text, words)
    if words.are("this_call"):
        return _this(words, told=True)
    if words.are("last_call"):
        return _last(words)
    if words.are("several"):
        return _each(words)
    if words.are("waiting_call"):
        return _one_of(_standing(words, lambda status: status in WAITING), words)
    if words.are("running_call"):
        return _one_of(_standing(words, lambda status: status == "in_progress"), words)
    for phrase in words.book.call_to:
        for spans in phrase.whole(words.said):
            found = whom(words.of(words.said.part(*spans["whom"])))
            if found:
                return _to(found, words)
    return None


def bare_call(words: Words) -> Found:
    """The call that is meant where none is named: "Hang up." """
    if words.state == "answered_first":
        talking = any(one.status == "in_progress" for one in _own(words.scene))
        words = replace(words, state="talking" if talking else "live")
    return _this(words, told=False)


def called(words: Words) -> Found | None:
    """The call to somebody: to the person spoken of, or to a contact or a number."""
    if words.state is not None and words.are("nobody"):
        return None
    if words.are("person") or words.are("subject"):
        return _this(words, told=True)
    found = whom(words)
    return found and _to(found, words)


def callee(words: Words) -> Found | None:
    """The number that a call went to."""
    found = call(words)
    if found is None or found.only is None:
        return found
    number = E164.read(found.only.arguments.get("phone_number"))
    if number is None:
        return words.unsure("no_call")
    return Found((Meant({"phone_number": number}, shown(number, words.scene)),))


def outcome(words: Words) -> Found | None:
    """What became of a call, in words that tell nothing more; None where they still say which call it is."""
    first = words.said.tokens[0]
    named = any(token.kind in ("handle", "number") for token in words.said.tokens)
    if named or first.text in words.book.words("no_rest"):
        return None
    return Found((Meant({}, words.written),))


def _standing(words: Words, so: Callable[[str], bool]) -> list[CallFacts]:
    """The calls that stand so, and of which that can be done."""
    return [one for one in _own(words.scene) if so(one.status or "") and fits(words, one.status or "")]


def _own(scene: Scene) -> list[CallFacts]:
    """The calls that no campaign made: of "the call" nobody speaks who means one of a campaign's."""
    return [one for one in calls(scene) if one.campaign_id is None]


def _this(words: Words, told: bool) -> Found:
    """The call spoken of; where none was, the only one that it can be."""
    own = [one for one in _own(words.scene) if fits(words, one.status or "")]
    spoken = last_call(words.scene)
    if spoken is not None:
        if not fits(words, spoken.status or ""):
            return words.unsure("spoken_of_does_not_fit", *_shown(own, words), status=_state(spoken))
        if told or not [one for one in own if one.id != spoken.id] or words.state is None:
            return Found((_meant(spoken, words),))
        return words.unsure("several_calls", *_shown(own, words))
    if words.state is None:
        going = [one for one in own if (one.status or "") not in ENDED]
        return _one_of(going if len(going) == 1 else own, words)
    if words.scene.last_campaign and told:
        return words.unsure("call_or_campaign", *_shown(own, words))
    return _one_of(own, words)


def _last(words: Words) -> Found:
    """The newest call; where another one was spoken of last, nobody can tell which is meant."""
    own, spoken = _own(words.scene), last_call(words.scene)
    newest = own[:1]
    if newest and spoken is not None and spoken.id != newest[0].id:
        return words.unsure("several_calls", *_shown([spoken, *newest], words))
    if newest and not fits(words, newest[0].status or ""):
        return words.unsure("last_does_not_fit", status=_state(newest[0]))
    return _one_of(newest, words)


def _to(found: Found, words: Words) -> Found:
    """The call to somebody."""
    if found.only is None:
        return Found((), found.why)
    number = found.only.arguments["phone_number"]
    to = [one for one in calls(words.scene) if E164.read(one.phone_number) == number]
    fitting = [one for one in to if fits(words, one.status or "")]
    if not fitting:
        return words.unsure("no_call_to", whom=found.only.words)
    return _one_of(fitting, words)


def _one_of(several: Sequence[CallFacts], words: Words) -> Found:
    if not several:
        return words.unsure("no_call" if words.state is None else f"no_{words.state}_call")
    meant = _shown(several, words)
    return Found(meant) if len(several) == 1 else words.unsure("several_calls", *meant)


def _by_id(written: str, words: Words) -> Found | None:
    """The call with an id, or with one that begins so."""
    known = [one for one in calls(words.scene) if begins_so(one.id, written)]
    if not known and any(begins_so(one.id, written) for one in words.scene.campaigns or ()):
        return None
    if not known and written not in words.scene.gone:
        raise Missing(Look("call", written))
    if len(known) != 1:
        return words.unsure("several_calls" if known else "no_call_id", *_shown(known, words), id=written)
    if not fits(words, known[0].status or ""):
        return words.unsure("spoken_of_does_not_fit", status=_state(known[0]))
    return Found((_meant(known[0], words),))


def _each(words: Words) -> Found:
    """Several calls at once: nobody is taken to mean them all, each is offered by itself."""
    fitting = _standing(words, lambda _: True)
    if len(fitting) < 2:
        return _one_of(fitting, words)
    return words.unsure("each_by_itself", *_shown(fitting, words))


def _shown(several: Iterable[CallFacts], words: Words) -> tuple[Meant, ...]:
    return tuple(_meant(one, words) for one in list(several)[:MOST])


def _meant(call: CallFacts, words: Words) -> Meant:
    to = shown(call.phone_number or "?", words.scene)
    said = words.book.say["call_to"].replace("{whom}", to).replace("{status}", _state(call))
    return Meant({"call_id": call.id, "phone_number": call.phone_number}, f"{said} [{call.id}]")


def _state(call: CallFacts) -> str:
    outcome = call.call_status if call.status in ENDED and call.call_status else call.status
    return plain(str(outcome or "?")).replace("_", " ")
