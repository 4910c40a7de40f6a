"""The calls of a span of time, page by page, newest first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import click

from .span import Span, span

if TYPE_CHECKING:
    from ..api.calls import CallInList
    from ..client import Client

ROWS = 200
"""How many calls a page has: as many as TopCalls gives."""


def calls(client: Client, when: Span, campaign_id: str | None = None) -> Iterator[CallInList]:
    """Every call that was placed in a span. One whose time cannot be read is among its neighbours. Where
    TopCalls may have more calls of one moment than it gives on a page, standard error says so.

    Raises click's UsageError where the campaign has no id that can be sent.
    """
    from pydantic import ValidationError

    from ..action import sentence
    from ..api.calls import ListCalls
    from ..wire import iso, moment

    newest = iso(when.until) if when.until else None
    try:
        request = ListCalls(limit=ROWS, cursor=newest, campaign_id=campaign_id)
    except ValidationError as wrong:
        raise click.UsageError(sentence(wrong, ListCalls)) from None
    for page in client.pages(request):
        times = [moment(call.created_at) for call in page.data]
        for call, at in zip(page.data, times, strict=True):
            if at is None or when.holds(at):
                yield call
        if page.cut and (last := moment(page.next_cursor)) and when.holds(last):
            click.echo(
                f"TopCalls may have more calls of {iso(last)} than the {ROWS} that it lists of one moment; "
                "those are missing here, and its dashboard has them.",
                err=True,
            )
        if when.since and any(at < when.since for at in times if at):
            return


def named(since: str | None, until: str | None, now: datetime) -> Span:
    """The span that two options name, by the clock of this machine. Raises click's UsageError."""
    try:
        return span(since, until, now)
    except ValueError as wrong:
        raise click.UsageError(f"{wrong}.") from None
