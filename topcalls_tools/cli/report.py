"""`topcalls report`: what became of the calls of a span of time, their minutes and costs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from ..quoting import in_json, marked, quiet
from . import span, tables

if TYPE_CHECKING:
    from ..connect import Line
    from .span import Span
    from .tally import Failure, Sum, Tally

BAR = "█"
PARTS = " ▏▎▍▌▋▊▉"
"""Eighths of a bar's column."""
LONGEST = 60
"""Columns that the longest bar has at most."""
MOST_FAILURES = 10
"""How many calls are listed that failed for one reason."""


@click.command()
@span.options
@click.option("--campaign-id", help="Only calls of this campaign; id from list-campaigns.")
@click.option("--csv", "as_csv", is_flag=True, help="Print a row for each day and outcome as CSV.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def report(
    since: str | None, until: str | None, campaign_id: str | None, as_csv: bool, as_json: bool
) -> None:
    """Sum up calls. What became of them, why they failed, minutes, costs where the policy has a price, and
    what was asked in those that were heard; today's without --since."""
    from ..client import Client
    from .cells import written
    from .history import calls, named
    from .tally import Tally, tallied

    if as_csv and as_json:
        raise click.UsageError("--csv and --json are two forms; give one of them.")
    with Client() as client:
        when = named(since or "today", until, client.line.clock())
        price, currency = _price(client.line)
        empty = Tally(when, price, currency, noted=_noted(client.line, when))
        tally = tallied(calls(client, when, campaign_id), empty)
        live = client.line.live
    if as_json:
        click.echo(in_json({"live": live, **_document(tally)}, indent=2))
        return
    if not live:
        click.echo("Practice: no phone rang.", err=as_csv)
    if as_csv:
        for line in written(_cells(tally)):
            click.echo(line, nl=False)
    else:
        _printed(tally)


def _price(line: Line) -> tuple[float | None, str]:
    """What a minute costs by the owner's policy; one that cannot be read has no price, and says so."""
    from ..errors import Misconfigured

    try:
        policy = line.standing().counts
    except Misconfigured as error:
        click.echo(f"Costs are left out: {error}", err=True)
        return None, ""
    return policy.price_per_minute, policy.currency


def _noted(line: Line, when: Span) -> Mapping[str, Collection[str]]:
    """What the journal heard in calls since then; none where there is no journal, or it cannot be read."""
    from datetime import UTC, datetime

    from ..errors import TopCallsError
    from ..journal.heard import heard_since

    desk = line.desk()
    try:
        if not desk.noted():
            return {}
        found = heard_since(desk.journal(), desk.account, when.since or datetime.min.replace(tzinfo=UTC))
    except TopCallsError as error:
        click.echo(f"What was asked in calls is left out: {error}", err=True)
        return {}
    return {one.call_id: tuple(one.facts["heard"]) for one in found}


def _printed(tally: Tally) -> None:
    from .flags import counted
    from .tally import bars

    total = tally.total
    tables.say(f"{_span(tally)}: {_many(total.calls, 'call')}.")
    if not total.calls:
        return
    names = ["what became of them", "calls", "minutes"]
    names += [] if tally.price is None else [f"cost, {tally.currency}"]
    rows = [[said, *_figures(one, tally)] for _, said, one in _outcomes(tally)]
    click.echo()
    tables.show(names, [*rows, ["All of them.", *_figures(total, tally)]])
    if tally.untold:
        tables.say(f"\nOf {_many(tally.untold, 'call')} the minutes are not told.")
    if tally.failures:
        _failures(tally)
    if asked := [*counted(tally.heard)]:
        tables.say("\n" + "\n".join(asked))
    click.echo()
    _chart(bars(tally))


def _failures(tally: Tally) -> None:
    """Which calls failed, and why: in our words, and in those of TopCalls between marks."""
    from ..deeds.outcomes import CASES

    failed = tally.failures
    tables.say(f"\n{_many(len(failed), 'call')} failed, {100 * len(failed) / tally.total.calls:.0f} %.")
    for (case, reason), calls in tally.reasons():
        says = f" TopCalls says {marked(reason)}." if reason else ""
        tables.say(f"\n{CASES[case].why}{says} {_many(len(calls), 'call')}:")
        tables.show(["id", "placed", "called"], [_failure(one, tally) for one in calls[:MOST_FAILURES]])
        if (more := len(calls) - MOST_FAILURES) > 0:
            tables.say(f"And {more:,} more, in --json and in topcalls export.")


def _failure(one: Failure, tally: Tally) -> list[str]:
    placed = f"{tally.when.local(one.at):%Y-%m-%d %H:%M}" if one.at else ""
    return [quiet(cell) for cell in (one.call_id, placed, one.number)]


def _chart(counts: Mapping[str, int]) -> None:
    """How many calls there were in each stretch of time; where nobody looks, without bars."""
    most = max(counts.values(), default=0)
    if not tables.on_screen():
        tables.show(["placed", "calls"], [[name, str(many)] for name, many in counts.items()])
        return
    from rich.text import Text

    screen = tables.screen()
    label, figure = max(map(len, counts), default=0), len(str(most))
    room = max(1, min(LONGEST, screen.width - label - figure - 3))
    for name, many in counts.items():
        eighths = round(8 * room * many / most) if most else 0
        bar = BAR * (eighths // 8) + PARTS[eighths % 8].strip()
        if many and not bar:
            bar = PARTS[1]
        screen.print(Text.assemble(f"{name:>{label}} {many:>{figure}} ", (bar, "cyan")))


def _document(tally: Tally) -> dict[str, Any]:
    from ..deeds.outcomes import CASES
    from ..wire import iso
    from .tally import ALL, FAILED

    when, priced = tally.when, {} if tally.price is None else {"currency": tally.currency}
    since, until = (at and when.local(at).isoformat() for at in (when.since, when.until))
    outcomes = [
        {"outcome": case, "why": said, "failed": case in FAILED, **_sums(one, tally)}
        for case, said, one in _outcomes(tally)
    ]
    days = [{"day": str(day), **_sums(sums[ALL], tally)} for day, sums in sorted(tally.days.items())]
    failures = [
        {
            "id": one.call_id,
            "created_at": one.at and iso(one.at),
            "phone_number": one.number,
            "outcome": one.case,
            "why": CASES[one.case].why,
            "error_message": one.reason,
        }
        for one in tally.failures
    ]
    return {
        "since": since,
        "until": until,
        **_sums(tally.total, tally),
        **priced,
        "minutes_not_told": tally.untold,
        "heard": dict(tally.heard),
        "outcomes": outcomes,
        "failures": failures,
        "days": days,
    }


def _sums(one: Sum, tally: Tally) -> dict[str, Any]:
    cost = tally.cost(one.minutes)
    return {"calls": one.calls, "minutes": one.minutes, **({} if cost is None else {"cost": cost})}


def _cells(tally: Tally) -> Iterator[list[str | int | float | None]]:
    """A row for each day and outcome, after a row of names."""
    from ..deeds.outcomes import CASES
    from .tally import ALL

    yield ["day", "outcome", "why", "calls", "minutes", "cost", "currency"]
    for day, sums in sorted(tally.days.items()):
        for case, one in sorted(sums.items()):
            if case != ALL:
                money = tally.cost(one.minutes)
                currency = None if money is None else tally.currency
                yield [str(day), case, CASES[case].why, one.calls, one.minutes, money, currency]


def _outcomes(tally: Tally) -> Iterator[tuple[str, str, Sum]]:
    """Each outcome: its name, what it is in words, and its calls; the commonest first."""
    from ..deeds.outcomes import CASES

    for case, one in sorted(tally.outcomes.items(), key=lambda item: (-item[1].calls, item[0])):
        yield case, CASES[case].why, one


def _figures(one: Sum, tally: Tally) -> list[str]:
    cost = tally.cost(one.minutes)
    return [f"{one.calls:,}", f"{one.minutes:,.2f}", *([] if cost is None else [f"{cost:,.2f}"])]


def _span(tally: Tally) -> str:
    when = tally.when
    since, until = (at and f"{when.local(at):%a %Y-%m-%d %H:%M}" for at in (when.since, when.until))
    ends = f"until {until}" if until else "on"
    return f"From {since} {ends}, by the clock here"


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
