"""Which campaign, number of the account or carrier a sentence speaks of."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ..api.campaigns import CampaignFacts
from ..api.phone_numbers import CarrierFacts, NumberFacts
from ..deeds.find_contact import spelt
from .meaning import Found, Meant, Missing, Words, begins_so, fits, plain
from .people import MOST, dialled
from .scene import Look, Scene


def campaign(words: Words) -> Found | None:
    """The campaign that is meant: by its id, by its name, or spoken of."""
    tokens = words.said.tokens
    handles = [token for token in tokens if token.kind == "handle"]
    named = words.have("campaign_word")
    if len(handles) == 1 and tokens[-1] is handles[0]:
        return _campaign_by_id(handles[0].text, words, named)
    every = campaigns(words.scene)
    fitting = [one for one in every if fits(words, one.status or "")]
    if words.are("this_campaign"):
        if words.scene.last_campaign:
            return _campaign_by_id(words.scene.last_campaign, words, named=True)
        if words.are("this_call") and words.scene.last_call:  # "Pause it", where a call was spoken of
            return words.unsure("call_or_campaign", *map(_campaign, fitting[:MOST]))
        return _campaigns(fitting, words, "no_campaign_fits")
    if words.are("every_campaign"):
        return _campaigns(fitting, words, "no_campaign_fits")
    meant = [one for one in every if _called(words, one.name)]
    if meant or named:
        return _campaigns(meant, words, "no_campaign")
    return None


def every(words: Words) -> Found | None:
    """The campaign that "everything" means: the only one of which that can be done."""
    if not words.are("everything"):
        return None
    fitting = [one for one in campaigns(words.scene) if fits(words, one.status or "")]
    return _campaigns(fitting, words, "no_campaign_fits")


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


def _campaign_by_id(written: str, words: Words, named: bool) -> Found | None:
    if not named and any(begins_so(one.id, written) for one in words.scene.calls or ()):
        return None
    known = [one for one in campaigns(words.scene) if begins_so(one.id, written)]
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
    there += [frozenset(a + b for a in one for b in other) for one, other in pairwise(there)]  # "checkups"
    return bool(told) and all(any(word & one for one in there) for word in told)
