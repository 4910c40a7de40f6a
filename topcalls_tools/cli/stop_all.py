"""`topcalls stop-all`: everything of the account is stopped, at once and unasked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..deeds.stop_all import AllStopped

NOT_ALL = 5
"""The exit code where something is left, or could not be seen."""


@click.command("stop-all")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
@click.pass_context
def stop_all(ctx: click.Context, as_json: bool) -> None:
    """Stop everything, at once and unasked. Pauses running campaigns, drops and hangs up every call, and lets
    no yes that was given before dial. Looks until nothing is left, which takes some seconds."""
    from ..client import Client
    from ..deeds import StopAll

    with Client() as client:
        request = StopAll()
        done = client.send(request)
        live = client.line.live
    if as_json:
        click.echo(json.dumps(request.shown(done, live), ensure_ascii=False, indent=2))
    else:
        for line in lines(done, live):
            click.echo(line)
    if not done.ok:
        ctx.exit(NOT_ALL)


def lines(done: AllStopped, live: bool) -> Iterator[str]:
    """What was stopped and what is left, in words."""
    from ..quoting import quiet

    if not live:
        yield "Practice: no phone rang."
    yield "Everything is stopped." if done.ok else "Not everything is surely stopped."
    for title, names in (
        ("Campaigns paused", done.campaigns_paused),
        ("Calls ended", done.calls_ended),
        ("Still going on, stop them again or in the dashboard", done.left),
        ("Will start by themselves, called off in the dashboard", done.scheduled),
        ("What did not work", done.problems),
    ):
        if names:
            yield f"{title}:"
            yield from (f"  {quiet(name)}" for name in names)
