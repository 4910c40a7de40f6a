"""`topcalls policy`: what the owner allows, line by line; the rules; and a yes to what has changed."""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from ..errors import Declined, Refused
from .book import opened

if TYPE_CHECKING:
    from ..connect import Line
    from ..flow.question import Question
    from ..guard.policy import Change
    from ..journal import AskRow
    from ..journal.store import Journal
    from ..policies import Standing

WORD = "accept"
"""What is typed at a terminal."""
COUNTS = timedelta(minutes=10)
"""How long the question, and the yes to it, count."""
WAITS = 300.0
"""Seconds that the command waits for an answer on the approval page."""
LOOKS_EVERY = 0.2


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, with what each line means.")
@click.option("--rules", "of_rules", is_flag=True, help="Print the rules instead, and what each guards.")
@click.pass_context
def policy(ctx: click.Context, as_json: bool, of_rules: bool) -> None:
    """Show what you allow. Each line of the policy: the value that counts, and where it comes from. A line
    that waits allows more than what you accepted last; policy accept lets it count. One that is not pinned
    allows less, and counts as long as policy.toml says so; policy accept keeps it."""
    if ctx.invoked_subcommand:
        return
    if of_rules:
        _show_rules(as_json)
        return
    with opened() as line:
        standing = line.standing()
        if as_json:
            click.echo(json.dumps(_told(line, standing), ensure_ascii=False, indent=2))
        else:
            _show(standing)


@policy.command()
def accept() -> None:
    """Let your policy count as it stands, and keep it. Lines that allow more or less than what you accepted
    last are listed, and a person says yes: at this terminal, or on the approval page. What is accepted is
    what was shown."""
    with opened() as line:
        shown = line.standing()
        if not line.strict:
            click.echo(
                "Nothing needs accepting in practice: policy.toml counts at once. Accept it with your live "
                "key set (TOPCALLS_API_KEY), or in rehearsal."
            )
        elif not (shown.waiting or shown.unpinned):
            click.echo("Nothing waits: the policy allows what was accepted last.")
        else:
            _accept(line, shown)
            lines = ", ".join((*shown.waiting, *shown.unpinned))
            click.echo(f"Accepted; these lines count until you accept others: {lines}.")


def question(shown: Standing, live: bool) -> Question:
    """What a person is asked: each line that differs from what was accepted last, and which way."""
    from ..flow.question import Question
    from ..guard.policy import changes, described

    means = described()
    world = "It counts for the live account." if live else "Practice: no phone rings."
    more, less = ", ".join(shown.waiting), ", ".join(shown.unpinned)
    ways = (
        f"More is allowed by: {more}." if more else "",
        f"Less is allowed by: {less}. It counts already; accepted, only your yes undoes it." if less else "",
    )
    return Question(
        f"Accept a policy that allows {'more' if shown.waiting else 'less'}? {world}",
        (
            "What was accepted last, or the pack personal, stands on the left; what policy.toml says, on the "
            "right.",
            *filter(None, ways),
        ),
        tuple(
            (f"{one.name}{_way(one)}: {means[one.name]}", f"{_value(one.before)} → {_value(one.after)}")
            for one in changes(shown.wanted, shown.accepted)
        ),
        ("Until you accept it, the stricter value of each line counts. This dials nothing.",),
        live,
    )


def _accept(line: Line, shown: Standing) -> None:
    """Have a policy accepted as it was shown, by one yes that is used once."""
    from ..journal import Inquiry, Yes
    from ..policies import accept

    desk = line.desk()
    journal = desk.journal()
    row = _asked(line, journal, shown)
    if row.decision is None:
        row = _answered(line, journal, row)
    if row.decision != "yes":
        raise Declined("The answer was no, and nothing was accepted; it is final for 10 minutes.")
    now = line.standing()
    if (now.wanted, now.accepted) != (shown.wanted, shown.accepted):
        journal.close_ask(row.key, line.clock())
        raise Refused(
            "same-policy",
            "The policy has changed while it was read, so nothing was accepted; run topcalls policy accept "
            "again to read it anew.",
        )
    at = line.clock()
    yes = Yes(row, row.by or "terminal", row.decided_at or at)
    if journal.use(yes, at, lambda ledger, given: None, Inquiry(line.account, at)).used_at is not None:
        raise Declined("This yes was used already; run topcalls policy accept again.")
    accept(shown.settings, line.account, line.live, shown.wanted, desk.secret())
    journal.record(row, {"accepted": shown.wanted.version}, line.clock())


def _asked(line: Line, journal: Journal, shown: Standing) -> AskRow:
    """The question, written down; the one that is open or was answered for this very change, where there is
    one."""
    from ..journal import AskRow

    desk, now = line.desk(), line.clock()
    sealed = f"{desk.account}\n{desk.line}\n{shown.accepted.version}\n{shown.wanted.version}"
    digest = hmac.new(desk.secret(), f"accept_policy\n{sealed}".encode(), hashlib.sha256).hexdigest()[:32]
    mine = AskRow(
        uuid.uuid4().hex,
        desk.account,
        desk.line,
        "accept_policy",
        digest,
        "policy.toml",
        0,
        now,
        now + COUNTS,
        question(shown, desk.live).document(),
    )
    row = journal.open_ask(mine)
    if row.decision != "yes" or row.used_at is None:
        return row
    journal.close_ask(row.key, now, used=True)  # the same step was taken before, and taken back since
    return journal.open_ask(mine)


def _answered(line: Line, journal: Journal, row: AskRow) -> AskRow:
    """Put an open question to a person: at this terminal, else on the approval page. Gives it with its
    answer. Raises Declined where there is none."""
    from ..approval import terminal
    from ..flow.question import Question

    if terminal.possible():
        said = terminal.answered(Question.of(row.question or {}), WORD)
        if said is not None:
            return journal.decide(row.key, "yes" if said else "no", "terminal", line.clock())
        journal.close_ask(row.key, line.clock())
        raise Declined("Nobody answered, and nothing was accepted; run topcalls policy accept again.")
    if not line.screen(row.key):
        journal.close_ask(row.key, line.clock())
        raise Declined(
            "A policy is accepted by a person, so nothing was accepted; run topcalls policy accept in a "
            "terminal, or where a browser can be opened."
        )
    click.echo("A question is open on your screen.", err=True)
    until = line.timer() + WAITS
    while line.timer() < until:
        stands = journal.asked(row.key)
        if stands is None or stands.expires_at <= line.clock():
            raise Declined(
                "The question was closed, and nothing was accepted; run it again to be asked anew."
            )
        if stands.decision is not None:
            return stands
        time.sleep(LOOKS_EVERY)
    raise Declined(
        "Nobody has answered so far, and nothing was accepted; answer it, then run topcalls policy accept "
        "again."
    )


def _way(change: Change) -> str:
    match change.more, change.less:
        case True, True:
            return " allows others"
        case True, False:
            return " allows more"
        case False, True:
            return " allows less"
        case _:
            return ""


def _show(standing: Standing) -> None:
    """A table at a terminal; elsewhere lines as policy.toml would have them, with comments."""
    from ..guard.policy import written
    from .show import table

    values = written(standing.counts)
    wanted = written(standing.wanted)
    notes = [
        f"waits: {name} = {_value(wanted[name])} counts once you accept it (topcalls policy accept)"
        for name in standing.waiting
    ]
    notes += [
        f"not pinned: {name} = {_value(values[name])} can be taken back in policy.toml without a yes until "
        "you accept it (topcalls policy accept)"
        for name in standing.unpinned
    ]
    if sys.stdout.isatty():
        table(
            [
                {"line": name, "counts": _value(value), "from": standing.origin[name]}
                for name, value in values.items()
            ]
        )
        for note in notes:
            click.echo(note)
        return
    for name, value in values.items():
        click.echo(f"{'# ' if value is None else ''}{name} = {_value(value)}  # {standing.origin[name]}")
    for note in notes:
        click.echo(f"# {note}")


def _told(line: Line, standing: Standing) -> dict[str, Any]:
    from ..guard.policy import described, written

    means, wanted = described(), written(standing.wanted)
    lines = [
        {
            "name": name,
            "value": value,
            "from": standing.origin[name],
            "means": means[name],
            **({"waits": wanted[name]} if name in standing.waiting else {}),
        }
        for name, value in written(standing.counts).items()
    ]
    world = {"account": line.account, "live": line.live, "rehearsal": line.strict and not line.live}
    open_lines = {"waiting": list(standing.waiting), "not_pinned": list(standing.unpinned)}
    return {**world, "version": standing.counts.version, "lines": lines, **open_lines}


def _value(value: Any) -> str:
    """A value as policy.toml would say it."""
    from ..quoting import quiet

    if value is None:
        return "not set"
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return quiet(json.dumps(value, ensure_ascii=False))


def _show_rules(as_json: bool) -> None:
    from .show import table

    rows = list(_rules())
    if as_json:
        click.echo(json.dumps({"data": rows}, ensure_ascii=False, indent=2))
    elif sys.stdout.isatty():
        table([{name: row[name] for name in ("rule", "guards", "status")} for row in rows])
    else:
        for row in rows:
            told = f"{', '.join(row['of'])}; in practice it {row['in_practice']}"
            click.echo(
                f"{row['rule']}: {row['guards']} ({told}; {row['status']}, {row['checked']}: {row['source']})"
            )


def _rules() -> Iterator[dict[str, Any]]:
    from ..action import Action
    from ..guard.rules import RULES

    for rule in RULES.values():
        of = rule.of if isinstance(rule.of, tuple) else (rule.of,)
        yield {
            "rule": rule.name,
            "guards": rule.guards,
            "of": ["every deed" if action is Action else action.tool for action in of],
            "in_practice": "refuses too" if rule.always else "only says so",
            "source": rule.source,
            "status": rule.status,
            "checked": rule.checked.isoformat(),
        }
