"""On whose behalf a call is made, with whose consent, and where its words go."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ...api.calls import PlaceCall
from .. import Allow, AskPerson, Facts, Refuse, Verdict, called
from ..policy import host
from . import in_policy, rule, some

if TYPE_CHECKING:
    from ..policy import Policy

_GROWS_OLD = timedelta(days=365)


@rule(of=PlaceCall, source="47 CFR 64.1200(b)", checked="2026-11-23")
def caller(action: PlaceCall, facts: Facts, policy: Policy) -> Verdict:
    """A call says at its beginning on whose behalf it is made."""
    if policy.caller is None:
        return Refuse(
            "Nobody is named on whose behalf this calls",
            'let the owner write caller = "Ann Meyer", a person or a company, into policy.toml',
        )
    return Allow()


@rule(of=PlaceCall, source="FCC 24-17; 47 U.S.C. 227(b); 47 CFR 64.1200(a)", checked="2026-11-23")
def consent(action: PlaceCall, facts: Facts, policy: Policy) -> Verdict:
    """Where the policy asks for it, a number is called only with a consent on record; one that is older than
    a year is asked about, since numbers change hands."""
    if not policy.consent:
        return Allow()
    for number in called(action):
        contact = facts.contacts.get(number)
        if contact is None or contact.consent is None:
            return Refuse(
                f"No consent of {number} is on record",
                "let the owner record one, with topcalls contacts add and --consent-basis",
            )
        given = contact.consent.date
        if given > facts.now.date():
            return Refuse(f"The consent of {number} is dated {given}, which is not yet", "correct its date")
        if facts.now.date() - given > _GROWS_OLD:
            return AskPerson(f"The consent of {number} is from {given}; numbers change hands.")
    return Allow()


@rule(of=PlaceCall, source="house", checked="2026-11-25")
def webhook_hosts(action: PlaceCall, facts: Facts, policy: Policy) -> Verdict:
    """Events of a call are sent to hosts alone that the owner named."""
    if action.webhook_url in (None, policy.webhook_url):
        return Allow()
    if host(action.webhook_url) in policy.webhook_hosts:
        return Allow()
    return Refuse(
        f"The host of webhook_url is not among those that the owner named: {some(policy.webhook_hosts)}",
        f"leave webhook_url out, or {in_policy('add its host to webhook_hosts')}",
    )
