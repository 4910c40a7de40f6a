"""Every free read of the service, once: GETs alone, so that nothing is changed and no phone rings."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from ..action import Effect
from ..api import CATALOG
from ..api.fields import Paged
from ..endpoint import Endpoint
from ..errors import TopCallsError
from ..flow.steps import ONE_ATTEMPT, Desk, Flow, Send, Sleep
from ..wire import Reply, Request

ROWS = "50"
LONGEST = 30.0
"""Seconds that the service may ask to wait, once for each read."""
NOBODY = "00000000-0000-4000-8000-000000000000"
PROBES = {
    "an unknown id": Request("GET", f"/v1/calls/{NOBODY}"),
    "an id that is none": Request("GET", "/v1/calls/not-an-id"),
    "a limit of 0": Request("GET", "/v1/calls", {"limit": "0"}),
    "two calls": Request("GET", "/v1/calls", {"limit": "2"}),
}
"""Reads that ask for what there is not, or for little, to see how that is answered."""
NEXT = "the next two calls"


@dataclass(frozen=True, slots=True)
class Read:
    """One read. `body` has what the service sent, and leaves this program in no report."""

    status: int | None = None
    """None where it was not answered."""
    content_type: str = ""
    body: Any = field(default=None, repr=False)
    trouble: str = ""
    """Which kind of error kept it from being answered."""
    retry_after: str | None = None
    """What a 429 before this answer said."""
    limited: bool = False
    """Whether a 429 came before this answer."""

    @property
    def good(self) -> bool:
        return self.status == 200 and self.body is not None


@dataclass(frozen=True, slots=True)
class Survey:
    """What was read: by tool, and by probe. A read of one object is there where a list had one."""

    reads: dict[str, Read]
    probes: dict[str, Read]

    @property
    def answered(self) -> bool:
        """Whether anything was."""
        return any(read.status is not None for read in self.reads.values())


READS: tuple[type[Endpoint[Any]], ...] = tuple(one for one in CATALOG if one.effect is Effect.READ)


def survey(desk: Desk) -> Flow[Survey]:
    """Make every read that needs no id, then one of each kind of object found, then the probes."""
    reads: dict[str, Read] = {}
    ids: dict[str, str] = {}
    for endpoint in READS:
        if not endpoint.handles:
            query = {"limit": ROWS} if issubclass(endpoint, Paged) else {}
            reads[endpoint.tool] = found = yield from _got(Request("GET", endpoint.path, query), desk)
            if (first := _first_id(endpoint, found)) is not None:
                ids[endpoint.path] = first
    for endpoint in READS:
        if endpoint.handles and (first := ids.get(endpoint.path.rpartition("/")[0])) is not None:
            request = endpoint.model_validate({endpoint.handles[-1]: first}).request()
            reads[endpoint.tool] = yield from _got(request, desk)
    probes: dict[str, Read] = {}
    for name, request in PROBES.items():
        probes[name] = yield from _got(request, desk)
    two = probes["two calls"].body
    if isinstance(two, dict) and isinstance(cursor := two.get("next_cursor"), str):
        probes[NEXT] = yield from _got(Request("GET", "/v1/calls", {"limit": "2", "cursor": cursor}), desk)
    return Survey(reads, probes)


def _got(request: Request, desk: Desk) -> Flow[Read]:
    """One GET, and once more where the service asks to wait a little."""
    if request.method != "GET":
        raise AssertionError("Nothing but GETs is sent here.")
    asked: str | None = None
    limited = False
    while True:
        try:
            reply: Reply = yield Send(request, ONE_ATTEMPT)
        except TopCallsError as error:
            return Read(trouble=type(error).__name__)
        if reply.status != 429 or limited:
            break
        limited, asked = True, reply.headers.get("retry-after")
        seconds = float(asked) if asked and asked.isascii() and asked.isdigit() else 1.0
        if seconds > LONGEST:
            break
        yield Sleep(seconds)
    try:
        body = json.loads(reply.content)
    except (ValueError, RecursionError):
        body = None
    kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    return Read(reply.status, kind, body, "", asked, limited)


def _first_id(endpoint: type[Endpoint[Any]], read: Read) -> str | None:
    """The id of a list's first row, where it is one that we can send."""
    for row in rows(endpoint, read):
        found = row.get("id")
        if isinstance(found, str) and found.replace("-", "").replace("_", "").isalnum() and len(found) <= 128:
            return found
    return None


def rows(endpoint: type[Endpoint[Any]], read: Read) -> list[dict[str, Any]]:
    """The rows of a list; none where it is no list."""
    settled = endpoint.reply_type.settled(read.body) if read.good else None
    data = settled.get("data") if isinstance(settled, dict) else None
    return [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []
