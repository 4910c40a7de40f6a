"""The rows of TopCalls' contract that a server answers for, each under a short name that tests give.

A row is documented (or stands in TopCalls' overview); an assumption is a number of docs/assumptions.md.
`tests/test_contract.py` sees to it that every one of them has a test.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Test = TypeVar("Test", bound=Callable[..., Any])


def covers(*names: str) -> Callable[[Test], Test]:
    """Say which rows and assumptions a test checks. It is read from the source and does nothing."""
    return lambda test: test


ROWS = {
    # 1 Basics
    "1.1 version": "Every path begins with /v1.",
    "1.1 JSON": "Requests with a body and all replies are JSON.",
    "1.1 problem": "What is refused is answered with a problem document.",
    "1.1 times": "Times are ISO 8601 in UTC and end with Z.",
    "1.1 ids": "The ids of accounts, calls, campaigns, leads, numbers and carriers are UUIDs.",
    "1.1 minutes": "Lengths are minutes with a fraction.",
    "1.2 bearer": "Every request carries its key as Authorization: Bearer.",
    "1.2 refused": "No key, another scheme, an unknown key and a revoked key are 401.",
    "1.3 scopes": "Each endpoint asks for the documented scope and for no other.",
    "1.4 key form": "An Idempotency-Key has 8 to 255 letters, digits, hyphens and underscores.",
    "1.4 kept": "The same key gets the same reply for 24 hours.",
    "1.4 per account": "Keys of two accounts do not meet.",
    "1.4 where": "Eight documented writes read the header.",
    "1.4 where not": "Reads, deletions and leads do not read it.",
    "1.5 calls": "Calls are paged with limit (1 to 200, else 50) and an ISO cursor, as data and next_cursor.",
    "1.5 leads": "Leads are paged with limit and cursor, as items, has_more and next_cursor.",
    "1.6 429": "Too many requests are 429.",
    "1.6 calls a minute": "An account has a limit on new calls a minute.",
    "1.6 parallel calls": "A campaign has a limit on calls at once.",
    "1.6 fair": "Campaigns of one account share dispatch: none waits until another is done.",
    "1.7 fields": "A problem has status, title, detail, type, instance and errors.",
    "1.7 errors": "Each wrong field has an entry with path and message.",
    "1.7 number": "A wrong phone number is told in the documented words.",
    "1.7 200": "Reads and actions are 200.",
    "1.7 201": "What makes an object is 201.",
    "1.7 400": "Wrong input, and an action that the state forbids, is 400.",
    "1.7 401": "A missing or wrong key is 401.",
    "1.7 402": "Too few minutes are 402.",
    "1.7 403": "A key that may not do it is 403.",
    "1.7 404": "What does not exist is 404.",
    "1.7 500": "A fault of the server is 500.",
    # 2 Endpoints
    "2.1 endpoints": "The twenty endpoints of the overview answer at their method and path.",
    "2.1 router": "carriers is matched before an id, and builtin is none.",
    "2.2 webhooks": "A subscription is made with POST /v1/webhooks.",
    "2.2 leads": "Leads have six endpoints of their own.",
    "2.2 earlier": "What only an earlier edition had is not there: making campaigns, resuming, deleting calls.",
    # 3.1 Calls
    "3.1.1 at once": "A call is queued and dialled at once.",
    "3.1.1 phone_number": "The number called is E.164 and can be dialled.",
    "3.1.1 brief": "Of task and instructions exactly one is given, with at least 10 characters.",
    "3.1.1 from_number": "The caller id is E.164; without one the account's own is used.",
    "3.1.1 first_sentence": "The opening line is said as it was given, and is not empty.",
    "3.1.1 mode": "The mode is realtime, or legacy where asked.",
    "3.1.1 voice": "The voice is one of the mode's, or an ElevenLabs id; alloy by default.",
    "3.1.1 model": "The model is one of the list; the mode's own by default.",
    "3.1.1 temperature": "A temperature may be given.",
    "3.1.1 max_duration": "Minutes at most may be given.",
    "3.1.1 background": "Ambience and its loudness may be given; the loudness is medium by default.",
    "3.1.1 knowledge_base_ids": "Knowledge bases may be named.",
    "3.1.1 request_data": "The caller's own facts are at the agent's disposal.",
    "3.1.1 webhook": "An address and the events that go there may be given.",
    "3.1.1 tools": "Functions with name, description and parameters may be given.",
    "3.1.1 reply": "The reply has call_id, provider_call_id and the status queued.",
    "3.1.2 status": "The filter status compares with call_status.",
    "3.1.2 campaign": "The filter campaign_id finds the calls of one campaign.",
    "3.1.2 essential": "The list leaves out account, provider's id, completed and metadata, and adds label and bill.",
    "3.1.3 fields": "The single read has the documented fields.",
    "3.1.3 words": "in_progress is a status, in-progress a call_status.",
    "3.1.3 transcript": "Turns have id, user, text and created_at, in order of id.",
    "3.1.3 afterwards": "Recording and summary are there about 15 seconds after the end.",
    "3.1.3 metadata": "Metadata holds the configuration and the caller's own data.",
    "3.1.4 stop": "A queued call and one in progress can be stopped; the reply names the status cancelled.",
    "3.1.5 cancel": "Only a call that has not started can be cancelled.",
    # 3.2 Campaigns
    "3.2.1 list": "Campaigns are listed.",
    "3.2.2 statistics": "One campaign is read with its settings and figures.",
    "3.2.2 webhook": "A campaign has a name, an address and the events that go there.",
    "3.2.2 conversions": "conversion_outcomes are the dispositions that count as success.",
    "3.2.2 schedule": "A campaign may start at a time.",
    "3.2.2 hours": "A campaign dials in local business hours alone.",
    "3.2.2 retries": "Busy, unanswered and failed calls are tried again.",
    "3.2.2 variables": "A contact's facts stand in the task as {{name}}.",
    "3.2.3 start": "Starting answers ok, and the contacts are dialled.",
    "3.2.3 compliance": "Who wants no calls is not dialled.",
    "3.2.4 pause": "Pausing answers ok; nothing new is queued, and calls in flight go on.",
    # 3.3 Numbers and carriers
    "3.3.1 two ids": "A carrier has an id to delete it by and a voip_carrier_sid to add numbers with.",
    "3.3.2 fields": "A carrier has a name of 1 to 100 characters and a SIP gateway.",
    "3.3.2 host name": "A host name is taken only where no calls come in.",
    "3.3.2 trunk types": "static_ip is the default; auth needs inbound_auth, reg needs registration.",
    "3.3.2 reply": "The reply has the documented fields.",
    "3.3.3 delete": "A carrier is deleted by its record's id.",
    "3.3.5 fields": "A number has the documented fields.",
    "3.3.5 source": "A number says where it comes from.",
    "3.3.5 status": "A number is active, inactive, pending, failed or deleted.",
    "3.3.6 fields": "A number is added by E.164, carrier and a label of at most 100 characters.",
    "3.3.6 carrier": "Without a carrier the default one is taken.",
    "3.3.6 reply": "The reply has the documented fields, and active or pending as status.",
    "3.3.7 soft": "A deleted number stays with the status deleted.",
    # 3.4, 3.5
    "3.4 lists": "There are models, builtin voices with filters, and all voices.",
    "3.4.1 models": "The list of models tells mode and whether a temperature is taken.",
    "3.5 balance": "The balance tells the eight documented things.",
    "3.5 minutes": "The balance counts minutes, and no currency.",
    # 3.6 Extras
    "3.6 subscription": "A subscription has an event of the documented form, an address and filters.",
    "3.6 fires": "Only call.completed and call.completed.<disposition> are sent.",
    "3.6 filters": "A filter is a value, an array of values, or a LIKE pattern of a payload's field.",
    "3.6 is_conversion": "The key is_conversion is about the campaign's conversion_outcomes.",
    "3.6 subscription reply": "The reply has the documented fields.",
    "3.6 lead": "A lead has the documented fields; New is the default status.",
    "3.6 lead number": "A lead's number has 9 to 15 digits.",
    "3.6 create lead": "A new lead is 201, and a known number 200 and on the list besides.",
    "3.6 lead filters": "Leads are filtered by phone, list, status and tag.",
    "3.6 update lead": "A change has at least one field; notes and notes_append exclude each other.",
    "3.6 delete lead": "A lead is removed, or taken off one list; with its last list it goes.",
    "3.6 import": "Up to 2000 leads come in at once and are merged or skipped; the reply counts them.",
    # 4 States
    "4.1 queued": "A call that was placed is queued, and call.queued is sent.",
    "4.1 answered": "An answered call is in progress, and call.started is sent.",
    "4.1 completed": "A call that is hung up, or at its limit, is completed; call.completed follows 15 seconds later.",
    "4.1 technical failure": "A call whose line breaks down while people talk is failed.",
    "4.1 failed": "A call that nobody answers is failed, and call.failed is sent at once.",
    "4.1 dispatch_timeout": "A call that is never dispatched is failed with dispatch_timeout.",
    "4.1 dropped": "A queued call that is cancelled or stopped is cancelled, without an event.",
    "4.1 stopped": "A call in progress that is stopped is cancelled, without an event.",
    "4.2 draft": "A draft can be started.",
    "4.2 scheduled": "A scheduled campaign can be started, and starts when its time comes.",
    "4.2 running": "A running campaign can be paused, is completed when all are processed, or stopped.",
    "4.2 paused": "A paused campaign can be started again, or stopped.",
    "4.2 ended": "Nothing leaves completed and cancelled.",
    "4.3 carrier": "A carrier exists from POST to DELETE, without a status.",
    "4.3 number": "A number is active, or pending and then active.",
    # 5 Webhooks
    "5.1 call.queued": "call.queued carries the basics of a call.",
    "5.1 call.started": "call.started carries when the call was answered.",
    "5.1 call.completed": "call.completed carries recording, transcript and summary.",
    "5.1 call.failed": "call.failed carries why.",
    "5.1 call.transferred": "call.transferred carries the destination.",
    "5.1 campaign": "Five campaign events carry contact count, reason and statistics.",
    "5.1 sources": "Events go to a call's, a campaign's and a subscription's address.",
    "5.2 call.completed": "The payload of call.completed is the documented one.",
    "5.3 attempts": "At once, then after 1, 5, 15 and 60 minutes; then failed, and the data stays readable.",
    "5.3 repeated": "An event may arrive more than once.",
    "5.3 signature": "Deliveries may be signed.",
    # 6 Billing
    "6.1 unit": "Minutes of a plan and a welcome bonus of at most 500 are counted.",
    "6.1 held": "Minutes are held while a call is under way.",
    "6.1 billed": "What is billed is the length, with its fraction and not rounded up.",
    "6.2 total": "The total is the plan's minutes and what is left of the bonus.",
    "6.3 402": "402 has the documented title, type and a detail that names needed and remaining minutes.",
}
"""What a server owes, one sentence each, by the section that states it."""

ELSEWHERE = {
    "1.1 SDK": "That there is none says nothing of a server.",
    "1.2 shape of keys": "Live keys are refused here (A6).",
    "1.2 making keys": "Keys are made in TopCalls' settings; here by the sandbox's owner.",
    "1.6 policy": "Not sidestepping limits is the caller's duty.",
    "1.7 details": "Documented, and left out by the sandbox (A30).",
    "2.2 knowledge": "Knowledge bases are not built, and with them their two scopes.",
    "3.2 dashboard": "Campaigns are made in TopCalls' dashboard; here from files and through the controls.",
    "3.2.3 account rate": "Campaigns of the sandbox keep to their own limits; an account's rate counts POST /v1/calls.",
    "3.3.5 failed": "No number of the sandbox fails: there is no telephone system behind it.",
    "5.1 tool calls": "Not sent by the sandbox (A111).",
    "5.3 quick answers": "To answer within a second is the receiver's part.",
    "6.1 prices": "The API speaks of no money.",
}
"""Documented rows that no test of a server names, and why."""

CLIENTS = {
    "A1": "where a client's requests go",
    "A18": "which key a client sends",
    "A24": "how a client reads a list",
    "A27": "how long a client waits, and how often it tries",
    "A31": "what a client reads from a problem that lacks fields",
    "A32": "what a client makes of a reply that is no JSON",
    "A36": "how a client reads statuses that TopCalls does not document",
    "A66": "who fetches a recording from the address in recording_url",
    "A67": "how often a client polls",
    "A98": "a client passes the balance on as it came",
    "A99": "knowledge bases are not built",
    "A121": "how a receiver finds repeats",
    "A122": "how a receiver tells events apart",
    "A124": "what a receiver does before money depends on it",
}
"""Assumptions that the sandbox does not answer, and what each is about."""

ANSWERED = tuple(f"A{number}" for number in range(1, 135) if f"A{number}" not in CLIENTS)
"""Assumptions that the sandbox answers."""
