"""A call as it will be sent: what is said first, what is done where a voicemail answers, and who is told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from ..api.calls import PlaceCall
from ..errors import Refused
from .disclosure import Wording, wordings

if TYPE_CHECKING:
    from ..contacts import Contact
    from .policy import Policy

VOICEMAIL = {
    "hang_up": "If a voicemail or answering machine picks up, hang up without leaving a message.",
    "leave_message": "If a voicemail or answering machine picks up, leave one short message and hang up.",
}
"""What the agent is told; TopCalls has no parameter for it."""


TOLD = ("call.queued", "call.started", "call.completed", "call.failed")
"""The events that the owner's receiver is told."""


def compose(request: PlaceCall, contact: Contact | None, policy: Policy) -> PlaceCall:
    """Complete a call as it will be sent: the opening comes first, the word about voicemail last.

    Its events go to the owner's receiver where the caller names no address.

    The opening is in the contact's language, else the policy's, else English. What is there already in that
    language is not said again. Raises Refused where the words would be longer than TopCalls
    takes them.
    """
    opening = _opening(request.first_sentence or "", _language(contact, policy), policy)
    brief: Literal["task", "instructions"] = "instructions" if request.task is None else "task"
    told = _with_voicemail(getattr(request, brief), VOICEMAIL[policy.voicemail])
    _fits(request, "first_sentence", opening, "opening")
    _fits(request, brief, told, "voicemail")
    whole: dict[str, Any] = {"first_sentence": opening, brief: told}
    if policy.webhook_url and request.webhook_url is None:
        events = dict.fromkeys((*TOLD, *(request.webhook_events or ())))
        whole |= {"webhook_url": policy.webhook_url, "webhook_events": tuple(events)}
    return request.model_copy(update=whole)


def own_opening(sent: str, contact: Contact | None, policy: Policy) -> str | None:
    """What a caller wanted said first, of a first sentence as it was sent: what comes after the opening. None
    where it does not begin with the opening of now, so that nobody can tell."""
    opening = _opening("", _language(contact, policy), policy)
    return sent[len(opening) :].strip() if _begins(sent, opening) else None


def own_brief(sent: str) -> str:
    """A task or instructions as they were sent, without the word about voicemail."""
    rest, _, last = sent.rstrip().rpartition("\n")
    return rest.rstrip() if rest and last.strip() in VOICEMAIL.values() else sent


def _language(contact: Contact | None, policy: Policy) -> Wording:
    language = (contact and contact.language) or policy.language
    return wordings().get(re.split("[-_]", language.lower())[0]) or wordings()["en"]


def _opening(own: str, wording: Wording, policy: Policy) -> str:
    """What is said first: that an AI speaks and for whom, that the call is recorded, and the caller's own."""
    disclosure, own = _disclosure(wording, policy), own.strip()
    rest = own[len(disclosure) :].strip() if _begins(own, disclosure) else own
    notice = policy.announce_recording and not _begins(rest, wording.recorded)
    return " ".join(part for part in (disclosure, wording.recorded if notice else "", rest) if part)


def _begins(words: str, sentence: str) -> bool:
    return words == sentence or bool(words.startswith(sentence) and words[len(sentence)].isspace())


def _disclosure(wording: Wording, policy: Policy) -> str:
    """That an AI speaks, and for whom."""
    caller = " ".join((policy.caller or "").split())
    if not caller:
        return wording.opening_without_caller
    # Two braces are where a fact of request_data would be spoken; the caller's name is nobody else's to fill.
    caller = re.sub(r"(?<=[{}])(?=[{}])", " ", caller)
    doubled = caller.endswith((".", "!", "?"))
    template = wording.opening.replace("{caller}.", "{caller}") if doubled else wording.opening
    return template.replace("{caller}", caller)


def _with_voicemail(told: str, sentence: str) -> str:
    """A brief whose last line is the sentence: what stands before it does not overrule it."""
    told = told.rstrip()
    return told if told.rpartition("\n")[2].strip() == sentence else f"{told}\n{sentence}"


_ADDED = {
    "opening": "The opening and first_sentence",
    "voicemail": "The sentence about voicemail and the {name}",
}


def _fits(request: PlaceCall, name: str, words: str, rule: Literal["opening", "voicemail"]) -> None:
    most = PlaceCall.input_schema()["properties"][name]["maxLength"]
    if (over := len(words) - most) > 0:
        own = len((getattr(request, name) or "").strip()) - over
        raise Refused(
            rule,
            f"{_ADDED[rule].format(name=name)} have {len(words):,} characters together and {most:,} are "
            f"allowed; shorten {name} to {own:,} characters or less.",
        )
