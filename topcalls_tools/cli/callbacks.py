"""`topcalls callbacks`: who asked to be called back, and from when on that is permitted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import Refused, TopCallsError
from ..quoting import in_json, quiet

if TYPE_CHECKING:
    from ..client import Client
    from .proposals import Proposal

PATIENCE = 120.0
"""Seconds that looking at what has ended may take."""


@click.command()
@click.argument("call_id", required=False)
@click.option(
    "--ics",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Calendar file to make, with an event for each whose time is known.",
)
@click.option("--force", is_flag=True, help="Replace that file.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def callbacks(call_id: str | None, ics: Path | None, force: bool, as_json: bool) -> None:
    """List who asked to be called back, and from when on the hours permit it. Looks first at what calls of
    yours have ended since. Nobody is called: place-call does that, and asks you.

    With CALL_ID that call alone. Who is not to be called, or was called again since, is left out.
    """
    from ..client import Client
    from .filing import whole

    with Client() as client:
        now = client.line.clock()
        found = _found(client, call_id)
        live = client.line.live
    if call_id is not None:
        _of_one_call(found)
    open_ones = [one for one in found if one.against is None]
    if ics is not None:
        from .calendar import calendar

        timed = [one for one in open_ones if one.named and one.at]
        _left_out(len(open_ones) - len(timed))
        if not timed:
            raise Refused("callbacks", "No call back has a time that is known; no file was made.")
        with whole(ics, force=force) as file:
            file.write(calendar(timed, now))
        click.echo(f"{_many(len(timed), 'call')} back written to {ics}, readable by you alone.", err=as_json)
    if as_json:
        click.echo(in_json({"live": live, "data": [_document(one) for one in open_ones]}, indent=2))
    elif ics is None:
        click.echo("\n".join(_lines(open_ones)) or "Nobody asked to be called back.")


def _found(client: Client, call_id: str | None) -> list[Proposal]:
    from ..flow.reconcile import close_books
    from .proposals import proposals

    desk = client.line.desk()
    if not desk.noted():
        return []
    desk.deadline = desk.timer() + PATIENCE
    try:
        client.run(close_books(desk))
    except TopCallsError as error:
        click.echo(f"What was asked since the last call could not all be heard: {error}", err=True)
    return proposals(client, call_id)


def _of_one_call(found: Sequence[Proposal]) -> None:
    """Raise Refused where nobody is to be called back after the one call that was named."""
    if not found:
        raise Refused(
            "callbacks",
            "In no call with this id was a call back heard; topcalls callbacks lists all, and get-call shows "
            "what was said.",
        )
    if against := found[0].against:
        raise Refused("callbacks", f"{against} topcalls callbacks lists who is still to be called back.")


def _left_out(count: int) -> None:
    if count:
        many = "1 has" if count == 1 else f"{count} have"
        click.echo(
            f"{many} no time that could be read, and no event: topcalls callbacks says which.", err=True
        )


def _lines(found: Sequence[Proposal]) -> Iterator[str]:
    for one in found:
        when = f"from {one.when}" if one.when else "when is not known: see check-call"
        yield f"{one.whom}: {when}"
        named = "They named a time." if one.named else "They named no time that could be read."
        heard = f"heard {one.heard_at:%Y-%m-%d %H:%M} UTC"
        yield f"  Asked for in turn {one.turn} of {quiet(one.call_id)}, {heard}. {named}"


def _document(one: Proposal) -> dict[str, Any]:
    """A proposal as JSON, nothing that is absent."""
    told = {
        "call_id": one.call_id,
        "turn": one.turn,
        "heard_at": one.heard_at.isoformat(),
        "phone_number": one.number,
        "name": one.name,
        "time_named": one.named is not None,
        "earliest": one.at.isoformat() if one.at else None,
        "earliest_there": one.when,
    }
    return {name: value for name, value in told.items() if value is not None}


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
