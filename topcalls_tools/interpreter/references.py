"""Which call, campaign, number or carrier a sentence speaks of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from ..api.calls import ENDED, CallFacts
from ..api.campaigns import CampaignFacts
from ..api.fields import E164
from ..api.phone_numbers import CarrierFacts, NumberFacts
from ..deeds.find_contact import spelt
from .meaning import Found, Meant, Missing, Words, plain
from .people import MOST, calls, dialled, last_call, shown, whom
from .scene import Look, Scene

LEAST = 6
"""Characters of an id that are enough, where only one begins so."""
WAITING = frozenset({"pending", "queued"})
STATES: dict[str, Callable[[str], bool]] = {
    "live": lambda status: status not in ENDED,
    "talking": lambda status: status == "in_progress",
    "queued": lambda status: status in WAITING,
    "startable": lambda status: status in ("draft", "scheduled", "paused"),
    "pausable": lambda status: status == "running",
}
"""What a call or campaign may be, by its status."""


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


def every(words: Words) -> Found | None:
    """The campaign that "everything" means: the only one of which that can be done."""
    if not words.are("everything"):
        return None
    fits = [one for one in campaigns(words.scene) if _fits(words, one.status or "")]
    return _campaigns(fits, words, "no_campaign_fits")


def campaign(words: Words) -> Found | None:
    """The campaign that is meant: by its id, by its name, or spoken of."""
    tokens = words.said.tokens
    handles = [token for token in tokens if token.kind == "handle"]
    named = words.have("campaign_word")
    if len(handles) == 1 and tokens[-1] is handles[0]:
        return _campaign_by_id(handles[0].text, words, named)
    every = campaigns(words.scene)
    fits = [one for one in every if _fits(words, one.status or "")]
    if words.are("this_campaign"):
        if words.scene.last_campaign:
            return _campaign_by_id(words.scene.last_campaign, words, named=True)
        return _campaigns(fits, words, "no_campaign_fits")
    if words.are("every_campaign"):
        return _campaigns(fits, words, "no_campaign_fits")
    meant = [one for one in every if _called(words, one.name)]
    if meant or named:
        return _campaigns(meant, words, "no_campaign")
    return None


def owned(words: Words) -> Found | None:
    """A number of the account: by its id, as it is written, or by its label."""
    tokens = words.said.tokens
    if tokens[-1].kind == "handle":
        rest = words.of(words.said.part(0, len(tokens) - 1))
        if rest.said.tokens and not rest.are("before_own_number"):
            return None
        known = [one for one in numbers(words.scene) if one.id == tokens[-1].text]
        return _numbers(known, words) if known else None
    written = [token for token in tokens if token.kind == "number"]
    every = numbers(words.scene)
    if len(written) == 1:
        rest = words.of(words.said.part(0, len(tokens) - 1))
        if tokens[-1] is not written[0] or (rest.said.tokens and not rest.are("before_own_number")):
            return None
        read = dialled(written[0].text, words.scene.region)
        if read is None:
            what = "no_number" if words.scene.region else "no_country"
            return words.unsure(what, number=written[0].text, region=words.scene.region)
        return _numbers([one for one in every if one.number == read], words)
    if written or not words.have("number_word"):
        return None
    return _numbers([one for one in every if _called(words, one.label)], words)


def caller(words: Words) -> Found | None:
    """The account's number that a call comes from."""
    found = owned(words)
    if found is None or found.only is None:
        return found
    return Found((Meant({"from_number": found.only.arguments["number"]}, found.only.words),))


def carrier(words: Words) -> Found | None:
    """A carrier: by its id, or by its name."""
    every = carriers(words.scene)
    tokens = words.said.tokens
    if len(tokens) == 1 and tokens[0].kind == "handle":
        meant = [one for one in every if tokens[0].text in (one.id, one.voip_carrier_sid)]
    else:
        meant = [one for one in every if _called(words, one.carrier_name)]
    if not meant:
        return words.unsure("no_carrier", name=words.written)
    several = [
        Meant(
            {"carrier_id": one.id, "voip_carrier_sid": one.voip_carrier_sid, "ours": one.account_id is None},
            plain(one.carrier_name),
        )
        for one in meant[:MOST]
    ]
    return Found(tuple(several)) if len(meant) == 1 else words.unsure("several_carriers", *several)


def campaigns(scene: Scene) -> tuple[CampaignFacts, ...]:
    """The campaigns of the account."""
    if scene.campaigns is None:
        raise Missing(Look("campaigns"))
    return scene.campaigns


def numbers(scene: Scene) -> tuple[NumberFacts, ...]:
    """The account's phone numbers."""
    if scene.numbers is None:
        raise Missing(Look("numbers"))
    return scene.numbers


def carriers(scene: Scene) -> tuple[CarrierFacts, ...]:
    """The carriers of the account."""
    if scene.carriers is None:
        raise Missing(Look("carriers"))
    return scene.carriers


def _standing(words: Words, so: Callable[[str], bool]) -> list[CallFacts]:
    """The calls that stand so, and of which that can be done."""
    return [one for one in _own(words.scene) if so(one.status or "") and _fits(words, one.status or "")]


def _fits(words: Words, status: str) -> bool:
    """Whether a call or campaign of a status can be what the words speak of."""
    return words.state is None or STATES[words.state](status)


def _own(scene: Scene) -> list[CallFacts]:
    """The calls that no campaign made: of "the call" nobody speaks who means one of a campaign's."""
    return [one for one in calls(scene) if one.campaign_id is None]


def _this(words: Words, told: bool) -> Found:
    """The call spoken of; where none was, the only one that it can be."""
    own = [one for one in _own(words.scene) if _fits(words, one.status or "")]
    spoken = last_call(words.scene)
    if spoken is not None:
        if not _fits(words, spoken.status or ""):
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
    if newest and not _fits(words, newest[0].status or ""):
        return words.unsure("last_does_not_fit", status=_state(newest[0]))
    return _one_of(newest, words)


def _to(found: Found, words: Words) -> Found:
    """The call to somebody."""
    if found.only is None:
        return Found((), found.why)
    number = found.only.arguments["phone_number"]
    to = [one for one in calls(words.scene) if E164.read(one.phone_number) == number]
    fitting = [one for one in to if _fits(words, one.status or "")]
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
    known = [one for one in calls(words.scene) if _begins(one.id, written)]
    if not known and any(_begins(one.id, written) for one in words.scene.campaigns or ()):
        return None
    if not known and written not in words.scene.gone:
        raise Missing(Look("call", written))
    if len(known) != 1:
        return words.unsure("several_calls" if known else "no_call_id", *_shown(known, words), id=written)
    if not _fits(words, known[0].status or ""):
        return words.unsure("spoken_of_does_not_fit", status=_state(known[0]))
    return Found((_meant(known[0], words),))


def _begins(handle: str, written: str) -> bool:
    """Whether an id is what is written, or begins so; with few characters many do."""
    return handle == written or (len(written) >= LEAST and handle.startswith(written))


def _shown(several: Iterable[CallFacts], words: Words) -> tuple[Meant, ...]:
    return tuple(_meant(one, words) for one in list(several)[:MOST])


def _meant(call: CallFacts, words: Words) -> Meant:
    to = shown(call.phone_number or "?", words.scene)
    said = words.book.say["call_to"].replace("{whom}", to).replace("{status}", _state(call))
    return Meant({"call_id": call.id, "phone_number": call.phone_number}, f"{said} [{call.id}]")


def _state(call: CallFacts) -> str:
    outcome = call.call_status if call.status in ENDED and call.call_status else call.status
    return plain(str(outcome or "?")).replace("_", " ")


def _campaign_by_id(written: str, words: Words, named: bool) -> Found | None:
    if not named and any(_begins(one.id, written) for one in words.scene.calls or ()):
        return None
    known = [one for one in campaigns(words.scene) if _begins(one.id, written)]
    return _campaigns(known, words, "no_campaign") if known or named else None


def _campaigns(several: Sequence[CampaignFacts], words: Words, none: str) -> Found:
    meant = tuple(map(_campaign, several[:MOST]))
    if not several:
        return words.unsure(none, name=words.written)
    return Found(meant) if len(several) == 1 else words.unsure("several_campaigns", *meant)


def _campaign(one: CampaignFacts) -> Meant:
    return Meant({"campaign_id": one.id}, f"{plain(one.name)} ({plain(str(one.status))}) [{one.id}]")


def _numbers(several: Sequence[NumberFacts], words: Words) -> Found:
    meant = tuple(
        Meant({"phone_number_id": one.id, "number": one.number}, f"{plain(one.label)} {one.number}".strip())
        for one in several[:MOST]
    )
    if not several:
        return words.unsure("no_own_number", name=words.written)
    return Found(meant) if len(several) == 1 else words.unsure("several_own_numbers", *meant)


def _called(words: Words, name: str | None) -> bool:
    """Whether all words that tell stand in a name."""
    empty = words.book.words("nameless")
    told = [one for one in spelt(words.written) if not one & empty]
    there = spelt(name or "")
    return bool(told) and all(any(word & one for one in there) for word in told)
