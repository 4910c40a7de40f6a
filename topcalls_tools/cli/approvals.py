"""`topcalls approvals`: the questions that wait for a person, and answers to them at the terminal."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from ..errors import Declined, Refused
from . import refresh
from .book import opened

if TYPE_CHECKING:
    from ..journal import AskRow
    from ..journal.store import Journal

NOTHING = "Nothing waits for you."


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON, each with its whole question.")
@refresh.option
@click.pass_context
def approvals(ctx: click.Context, as_json: bool, watch: bool) -> None:
    """List the questions that wait for you. Those of every account in the journal, and without an API key;
    topcalls approvals answer answers one."""
    if ctx.invoked_subcommand:
        return
    if watch:
        refresh.watched(lambda: _list(as_json))
    else:
        _list(as_json)


def _list(as_json: bool) -> None:
    from .show import table

    with opened() as line:
        now = line.clock()
        rows = line.desk().journal().open_asks(now)
    if as_json:
        click.echo(json.dumps({"data": [_told(row) for row in rows]}, ensure_ascii=False, indent=2))
    elif rows:
        table([_row(row, now) for row in rows])
    else:
        click.echo(NOTHING)


@approvals.command()
@click.argument("key", required=False)
def answer(key: str | None) -> None:
    """Show one question whole and answer it, at a terminal alone: yes is the number's last four digits, or
    the name, typed. KEY is the beginning of its key, and may be left out where one question is open.

    This dials nothing. The assistant goes on when it makes the same call again.
    """
    from ..approval import terminal

    if not terminal.possible():
        raise Declined(
            "A question is answered by a person at a terminal alone, so nothing was written; run topcalls "
            "approvals answer in one."
        )
    with opened() as line:
        journal = line.desk().journal()
        row = _chosen(journal, key, line.clock())
        if row is None:
            click.echo(NOTHING)
            return
        row, said = _put(journal, row)
        now = line.clock()
        if said is None:
            raise Declined(
                "Nobody answered, and nothing was written; topcalls approvals shows what still waits."
            )
        stands = journal.decide(
            row.key, "yes" if said else "no", "terminal", now, row.minutes if said else None
        )
        if stands.decided_at != now:
            raise Declined(_over(stands))
    if said:
        click.echo(
            "Your yes is written down, and nothing is dialled by this command: the assistant goes on when it "
            f"makes the same call again, within {_span(stands.expires_at - now)}."
        )
    else:
        click.echo("Your no is written down; it is final for this question.")


def _chosen(journal: Journal, key: str | None, now: datetime) -> AskRow | None:
    """The open question that is meant; None where nothing is open and none was named."""
    from ..journal import archive

    waiting = journal.open_asks(now)
    found = [row for row in waiting if row.key.startswith(key or "")]
    if len(found) == 1:
        return found[0]
    if found:
        raise click.UsageError(
            f"{len(found)} questions are meant; give the beginning of a key, as topcalls approvals lists them"
        )
    if key is None:
        return None
    row = journal.asked(archive.key_of(journal, key))
    raise Declined(_over(row) if row else NOTHING)


def _put(journal: Journal, row: AskRow) -> tuple[AskRow, bool | None]:
    """Ask, and ask anew where another process has changed the question meanwhile."""
    from ..approval import terminal
    from ..flow.question import Question

    while True:
        if row.question is None or not row.target:
            raise Refused(
                "approvals", "What this question was about is forgotten; let the assistant ask anew."
            )
        said = terminal.answered(Question.of(row.question), row.target)
        stands = journal.asked(row.key) or row
        if said is not True or (stands.question, stands.minutes) == (row.question, row.minutes):
            return row, said
        click.echo("The question has changed meanwhile, so it is asked once more.\n", err=True)
        row = stands


def _over(row: AskRow) -> str:
    """Why a question takes no answer any more."""
    if row.decision is None:
        return "This question has run out, and nothing was written; the assistant can ask anew."
    how = f"by {row.by}" if row.by else "before"
    return f"This question was answered already: {row.decision}, {how}; nothing was written."


def _told(row: AskRow) -> dict[str, Any]:
    named = {name: getattr(row, name) for name in ("key", "account", "tool", "target", "minutes")}
    times = {"asked_at": row.asked_at.isoformat(), "expires_at": row.expires_at.isoformat()}
    return {**named, **times, "live": _live(row), "question": row.question}


def _row(row: AskRow, now: datetime) -> dict[str, Any]:
    return {
        "key": row.key[:8],
        "age": _span(now - row.asked_at),
        "left": _span(row.expires_at - now),
        "account": row.account,
        "tool": row.tool,
        "target": row.target,
        "minutes": f"{row.minutes:g}",
        "": {True: "live", False: "practice", None: "forgotten"}[_live(row)],
    }


def _live(row: AskRow) -> bool | None:
    """Whether it is about real phones; None once the question is forgotten."""
    return None if row.question is None else bool(row.question["live"])


def _span(time: timedelta) -> str:
    seconds = max(0, int(time.total_seconds()))
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min"
