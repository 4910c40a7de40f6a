"""What `topcalls journal` changes: what a crash left open is settled, and what is personal forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from ..errors import Declined, Misconfigured
from ..quoting import in_json
from .book import opened

if TYPE_CHECKING:
    from ..journal import DialRow

PATIENCE = 600.0
"""Seconds that settling may take: nobody waits for it but the owner."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def settle(as_json: bool) -> None:
    """Find out what a crash left open. Looks for calls in doubt, and adds up what ended calls used.

    What cannot be found stays in doubt. A call is sent again, under its own key, only in the ten minutes
    after its question, and never after a stop-all: nothing rings late.
    """
    from ..client import Client
    from ..flow.reconcile import close_books, reconcile
    from ..journal.heard import heard_since

    with Client() as client:
        desk = client.line.desk()
        store, began = desk.journal(), desk.clock()
        before = store.open_dials(desk.account)
        desk.deadline = desk.timer() + PATIENCE
        client.run(reconcile(desk, thorough=True))
        client.run(close_books(desk))
        ours = [(row, store.dial(row.key)) for row in before if row.line == desk.line]
        heard = Counter(
            kind for one in heard_since(store, desk.account, began) for kind in one.facts["heard"]
        )
    told = _settled(ours, len(before) - len(ours), heard)
    click.echo(in_json(told, indent=2) if as_json else "\n".join(_sentences(told)))


@click.command()
@click.argument("number")
@click.option(
    "--do-not-call", is_flag=True, help="Keep a digest of the number, so that it is not called again."
)
def forget(number: str, do_not_call: bool) -> None:
    """Forget a phone number. Deletes everything personal about its questions and calls; the evidence still
    verifies. You are asked at the terminal, and nothing brings it back."""
    from ..api.fields import E164
    from ..flow.facts import callee
    from ..journal import archive

    try:
        known = E164.parse(number)
    except ValueError as error:
        raise click.UsageError(f"NUMBER {error}.") from None
    _agreed(f"Forget everything about {known}? Nothing brings it back.")
    with opened(there=not do_not_call) as line:
        desk = line.desk()
        digest = callee(known, desk) if do_not_call else None
        count = archive.forget(desk.journal(), known, line.clock(), digest)
    kept = " It is not called again: a digest of it is kept." if do_not_call else ""
    click.echo(f"{_many(count, 'question')} about it forgotten.{kept}")


@click.command()
@click.option("--days", type=click.IntRange(1), help="Age. Default: keep_days of policy.toml, 90 without it.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def purge(days: int | None, as_json: bool) -> None:
    """Forget everything personal that is old. Fewer days than your policy keeps are asked about at the
    terminal. Calls that may still be under way keep it."""
    from ..journal import archive, deliveries

    with opened(there=True) as line:
        if line.trouble:
            raise Misconfigured(line.trouble)
        keeps = line.settings.keep_days
        if days is not None and days < keeps:
            _agreed(f"Forget what is older than {_many(days, 'day')}? Nothing brings it back.")
        store, now, count = line.desk().journal(), line.clock(), 0
        before = now - timedelta(days=keeps if days is None else days)
        while forgotten := archive.purge(store, before, now):
            count += forgotten
        while deliveries.purge(store, before):
            pass
        store.storage.scrub()
    told = {"questions_forgotten": count}
    click.echo(in_json(told, indent=2) if as_json else f"{_many(count, 'question')} forgotten.")


def _agreed(question: str) -> None:
    """Raise Declined where nobody says yes to it at a terminal: forgetting is the owner's own act."""
    from ..approval import terminal

    if not terminal.possible():
        raise Declined(
            "What is forgotten cannot be brought back, so a person is asked and nothing was done; run this "
            "in a terminal, or set keep_days in policy.toml."
        )
    if terminal.sure(question) is not True:
        raise Declined("Nobody said yes, and nothing was forgotten.")


def _settled(rows: list[tuple[DialRow, DialRow]], others: int, heard: Mapping[str, int]) -> dict[str, Any]:
    """What settling found; `rows` are calls as they were and as they are, `others` those of other keys,
    `heard` in how many what was asked."""
    from ..flow.reconcile import IN_DOUBT

    return {
        "open": len(rows),
        "found_out_about": sum(was.state in IN_DOUBT and now.state not in IN_DOUBT for was, now in rows),
        "closed": sum(now.closed_at is not None for _, now in rows),
        "in_doubt": [
            {"key": now.key, "sent_at": now.sent_at.isoformat()} for _, now in rows if now.state in IN_DOUBT
        ],
        "of_other_keys": others,
        "heard": dict(heard),
    }


def _sentences(told: dict[str, Any]) -> Iterator[str]:
    from .flags import counted

    doubtful, others = told["in_doubt"], told["of_other_keys"]
    yield (
        f"{told['open']} open: {told['found_out_about']} found out about, {told['closed']} closed, "
        f"{len(doubtful)} in doubt."
    )
    yield from counted(told["heard"])
    for one in doubtful:
        at = f"{datetime.fromisoformat(one['sent_at']):%Y-%m-%d %H:%M} UTC"
        yield f"In doubt: {one['key'][:8]}, sent {at}; list-calls shows whether it rang."
    if others:
        yield f"Another key placed {_many(others, 'call')} more; settle with that key."


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
