"""What the reads say of our assumptions (docs/assumptions.md): confirmed, refuted, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, get_args

from ..api.calls import CallStatus, ListCalls
from ..api.campaigns import ListCampaigns
from ..api.fields import Page
from ..api.leads import ListLeads
from ..api.phone_numbers import ListCarriers, ListPhoneNumbers
from ..wire import moment
from .reads import NEXT, READS, Read, Survey, rows
from .shapes import Comparison, flat, form_of

Verdict = bool | None
"""Whether it holds; None where the data say nothing of it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """All that an assumption may be judged by."""

    survey: Survey
    comparisons: dict[str, Comparison]

    def read(self, tool: str) -> Read:
        return self.survey.reads.get(tool, Read())

    def probe(self, name: str) -> Read:
        return self.survey.probes.get(name, Read())


@dataclass(frozen=True, slots=True)
class Assumption:
    """One or several numbers of docs/assumptions.md, and how they are judged."""

    numbers: tuple[str, ...]
    claim: str
    judge: Callable[[Seen], Verdict]


def _as_documented(tool: str) -> Callable[[Seen], Verdict]:
    def judge(seen: Seen) -> Verdict:
        found, read = seen.comparisons.get(tool), seen.read(tool)
        endpoint = next(one for one in READS if one.tool == tool)
        if found is None or (issubclass(endpoint.reply_type, Page) and not rows(endpoint, read)):
            return None  # an empty list shows nothing of what stands in one
        return found.same

    return judge


def _listed(seen: Seen) -> Verdict:
    status = seen.read("list_webhooks").status
    return True if status == 200 else False if status == 404 else None


def _status(probe: str, status: int) -> Callable[[Seen], Verdict]:
    def judge(seen: Seen) -> Verdict:
        found = seen.probe(probe).status
        return None if found in (None, 401, 403, 429) else found == status

    return judge


def _problems(seen: Seen) -> Iterator[Read]:
    for read in (*seen.survey.reads.values(), *seen.survey.probes.values()):
        if read.status is not None and read.status >= 400:
            yield read


def _content_type(seen: Seen) -> Verdict:
    kinds = {read.content_type for read in _problems(seen)}
    return None if not kinds else kinds == {"application/problem+json"}


def _title_and_status(seen: Seen) -> Verdict:
    bodies = [read.body for read in _problems(seen)]
    told = [isinstance(body, dict) and {"title", "status"} <= body.keys() for body in bodies]
    return all(told) if told else None


def _slug(seen: Seen) -> Verdict:
    read = seen.probe("an unknown id")
    if read.status != 404 or not isinstance(read.body, dict):
        return None
    return str(read.body.get("type")).rpartition("/")[2] == "not_found"


def _milliseconds(seen: Seen) -> Verdict:
    forms = {
        form_of(value)
        for read in seen.survey.reads.values()
        for path, value in flat(read.body)
        if path.endswith("_at") and isinstance(value, str)
    }
    return forms == {"time with milliseconds"} if forms else None


def _any_key(seen: Seen) -> Verdict:
    """Models and voices need no scope: it shows where the key lacks another one."""
    free = [seen.read(tool).status for tool in ("list_models", "list_voices", "list_builtin_voices")]
    if 403 in free:
        return False
    lacking = any(read.status == 403 for read in seen.survey.reads.values())
    return True if lacking and set(free) == {200} else None


def _paged(seen: Seen) -> Verdict:
    found = [seen.read(tool) for tool in ("list_campaigns", "list_phone_numbers")]
    told = [isinstance(read.body, dict) and "next_cursor" in read.body for read in found if read.good]
    return all(told) if told else None


def _whole(seen: Seen) -> Verdict:
    tools = ("list_carriers", "list_models", "list_voices", "list_builtin_voices")
    told = [
        not (isinstance(read.body, dict) and "next_cursor" in read.body)
        for read in map(seen.read, tools)
        if read.good
    ]
    return all(told) if told else None


def _times(read: Read) -> list[datetime]:
    found = [row.get("created_at") for row in rows(ListCalls, read)]
    return [time for at in found if isinstance(at, str) and (time := moment(at))]


def _newest_first(seen: Seen) -> Verdict:
    times = _times(seen.read("list_calls"))
    if len(times) < 2:
        return None
    two, after = seen.probe("two calls"), seen.probe(NEXT)
    held = all(earlier >= later for earlier, later in pairwise(times))
    told = two.body.get("next_cursor") if isinstance(two.body, dict) else None
    if isinstance(told, str):
        cursor = moment(told)
        held = held and cursor is not None and [cursor] == _times(two)[-1:]
        held = held and all(at < cursor for at in _times(after) if cursor)
    return held


def _unique(seen: Seen) -> Verdict:
    times = _times(seen.read("list_calls"))
    return len(set(times)) == len(times) if len(times) > 1 else None


def _found(seen: Seen) -> Verdict:
    told = []
    for endpoint in READS:
        read = seen.read(endpoint.tool)
        if read.good and endpoint.tool.startswith("list_"):
            settled = endpoint.reply_type.settled(read.body)
            told.append(isinstance(settled, dict) and isinstance(settled.get("data"), list))
    return all(told) if told else None


def _retry_after(seen: Seen) -> Verdict:
    limited = [read for read in (*seen.survey.reads.values(), *seen.survey.probes.values()) if read.limited]
    told = [bool(read.retry_after and read.retry_after.isdigit()) for read in limited]
    return all(told) if told else None


def _brief(seen: Seen) -> Verdict:
    call = seen.read("get_call").body
    metadata = call.get("metadata") if isinstance(call, dict) else None
    return bool({"task", "instructions"} & metadata.keys()) if isinstance(metadata, dict) else None


def _no_password(seen: Seen) -> Verdict:
    read = seen.read("list_carriers")
    if not rows(ListCarriers, read):
        return None
    return not any("password" in path for path, _ in flat(read.body))


def _deleted(seen: Seen) -> Verdict:
    found = rows(ListPhoneNumbers, seen.read("list_phone_numbers"))
    return all(row.get("status") != "deleted" for row in found) if found else None


def _words(seen: Seen) -> Verdict:
    found = [row.get("status") for row in rows(ListCalls, seen.read("list_calls"))]
    return set(found) <= set(get_args(CallStatus)) if found else None


def _recorded(seen: Seen) -> Verdict:
    call = seen.read("get_call").body
    if not isinstance(call, dict) or call.get("completed") is not True or call.get("status") != "completed":
        return None
    return call.get("recording_url") is not None


def _two_decimals(seen: Seen) -> Verdict:
    found = [row.get("actual_duration_billed") for row in rows(ListCalls, seen.read("list_calls"))]
    billed = [one for one in found if isinstance(one, int | float) and not isinstance(one, bool)]
    return all(round(one, 2) == one for one in billed) if billed else None


def _remaining(seen: Seen) -> Verdict:
    balance = seen.read("get_balance").body
    names = ("remaining", "allocated", "used", "welcome_bonus_remaining")
    if not isinstance(balance, dict) or not all(isinstance(balance.get(name), int | float) for name in names):
        return None
    remaining, allocated, used, bonus = (float(balance[name]) for name in names)
    return abs(remaining - (allocated - used + bonus)) < 0.005


def _stopped(seen: Seen) -> Verdict:
    found = [row.get("status") for row in rows(ListCampaigns, seen.read("list_campaigns"))]
    return "stopped" not in found if found else None


def _leads_scope(seen: Seen) -> Verdict:
    refused = seen.read(ListLeads.tool).status == 403
    return True if refused and seen.read("get_balance").good else None


ASSUMPTIONS = (
    Assumption(("A2",), "Problem documents come as application/problem+json.", _content_type),
    Assumption(("A3",), "Times have milliseconds.", _milliseconds),
    Assumption(("A4",), "A path id that is no UUID is 400.", _status("an id that is none", 400)),
    Assumption(("A7",), "An object that is not the account's is 404.", _status("an unknown id", 404)),
    Assumption(("A8",), "Reading leads needs a scope of its own.", _leads_scope),
    Assumption(("A10",), "Models and voices need no scope.", _any_key),
    Assumption(("A19",), "Campaigns and numbers are paged like calls.", _paged),
    Assumption(("A20",), "Carriers, models and voices come whole.", _whole),
    Assumption(("A21",), "Newest first; a page is strictly older than its cursor.", _newest_first),
    Assumption(("A22",), "Two calls never share a created_at.", _unique),
    Assumption(("A23",), "A bad limit is 400.", _status("a limit of 0", 400)),
    Assumption(("A24",), "A list stands in data, in items, or is the whole reply.", _found),
    Assumption(("A26",), "429 carries Retry-After in whole seconds.", _retry_after),
    Assumption(("A31",), "Problem documents have a title and a status.", _title_and_status),
    Assumption(("A33",), "The type of a 404 ends in not_found.", _slug),
    Assumption(("A45",), "Subscriptions can be listed.", _listed),
    Assumption(("A62",), "A call's metadata has what was sent.", _brief),
    Assumption(("A71",), "The list of campaigns.", _as_documented("list_campaigns")),
    Assumption(("A72",), "Fields and figures of a campaign.", _as_documented("get_campaign")),
    Assumption(("A78",), "What the list of carriers shows.", _as_documented("list_carriers")),
    Assumption(("A79",), "Passwords of carriers never come back.", _no_password),
    Assumption(("A87",), "The list of numbers leaves out deleted ones.", _deleted),
    Assumption(("A94",), "The shape of models.", _as_documented("list_models")),
    Assumption(("A95",), "The shape of builtin voices.", _as_documented("list_builtin_voices")),
    Assumption(("A96",), "The shape of voices.", _as_documented("list_voices")),
    Assumption(("A97",), "Names in the balance.", _as_documented("get_balance")),
    Assumption(("A101",), "Every status of a call is a documented word.", _words),
    Assumption(("A104",), "Completed comes with the recording.", _recorded),
    Assumption(("A107",), "No campaign's status is stopped.", _stopped),
    Assumption(("A125",), "Bills have two decimals.", _two_decimals),
    Assumption(("A127",), "remaining = allocated - used + welcome_bonus_remaining.", _remaining),
)


def judged(seen: Seen) -> list[tuple[Assumption, Verdict]]:
    """What the reads say of each."""
    return [(one, one.judge(seen)) for one in ASSUMPTIONS]


def words(verdict: Any) -> str:
    """A verdict as it is told."""
    return {True: "confirmed", False: "refuted", None: "not told"}[verdict]
