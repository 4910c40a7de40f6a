"""`topcalls dnc`: the numbers that this account does not call, written down, taken over, listed, let go."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import Declined, Misconfigured
from ..quoting import in_json
from .book import opened
from .contacts import LEFT_OUT, REGION, tell

if TYPE_CHECKING:
    from ..api.fields import E164
    from ..connect import Line

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def dnc() -> None:
    """Look after the numbers that are not called. They stand in dnc.log in TOPCALLS_HOME, for each account,
    and never expire; assistants can add one, and only you can let it be called again."""


@dnc.command()
@click.argument("number")
@click.option("--reason", help="Why, to read later.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def add(number: str, reason: str | None, as_json: bool) -> None:
    """Have a number never called again, at once. Its lead is set to Unsubscribed."""
    from pydantic import ValidationError

    from ..action import sentence
    from ..client import Client
    from ..deeds import BlockNumber

    known = _number(number)
    try:
        request = BlockNumber(phone_number=known, reason=reason)
    except ValidationError as wrong:
        raise click.UsageError(sentence(wrong, BlockNumber)) from None
    with Client() as client:
        done = client.send(request)
        told = request.shown(done, client.line.live)
    click.echo(in_json(told, indent=2) if as_json else done.note)


@dnc.command("import")
@click.argument("file", type=_FILE)
@click.option("--reason", help="Why, to read later.")
@REGION
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
@click.pass_context
def import_(ctx: click.Context, file: Path, reason: str | None, region: str | None, as_json: bool) -> None:
    """Have many numbers never called again: one a line, or in a column "number" of a CSV file. What cannot be
    read is left out and told, and the exit code is 6 then. Their leads are set to Unsubscribed."""
    from ..client import Client
    from ..flow.blocking import blocked
    from .address_files import numbers

    found, unread = numbers(file, region)
    if not found:
        tell(unread)
        raise Misconfigured(f"There is no number in {file}, so nothing was written; write one a line.")
    with Client() as client:
        done = client.run(blocked(tuple(dict.fromkeys(found)), reason, client.line.desk()))
    if as_json:
        told = {"numbers": len(set(found)), "note": done.note(), "left_out": list(map(str, unread))}
        click.echo(in_json(told, indent=2))
    else:
        click.echo(f"{done.note()}\n{len(unread)} left out.")
        tell(unread)
    if unread:
        ctx.exit(LEFT_OUT)


@dnc.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def listing(as_json: bool) -> None:
    """List the numbers that this account does not call."""
    from .show import table

    with opened() as line:
        desk = line.desk()
        found = desk.dnc().numbers(desk.account)
    if as_json:
        told = [
            {"number": number, "since": one.at.isoformat(), **({"reason": one.reason} if one.reason else {})}
            for number, one in found.items()
        ]
        click.echo(json.dumps({"account": desk.account, "data": told}, ensure_ascii=False, indent=2))
    elif found:
        table(
            [
                {"number": number, "since": f"{one.at:%Y-%m-%d}", "reason": one.reason or ""}
                for number, one in found.items()
            ]
        )
    else:
        click.echo(f"No number is blocked for the account {desk.account}.")


@dnc.command()
@click.argument("number")
def remove(number: str) -> None:
    """Let a number be called again, at a terminal alone: you are asked for its last four digits. Its lead
    stays as it is."""
    from ..approval import terminal

    known = _number(number)
    if not terminal.possible():
        raise Declined(
            "Only a person lets a number be called again, at a terminal, so nothing was written; run this in "
            "one."
        )
    with opened() as line:
        desk = line.desk()
        if known not in desk.dnc().numbers(desk.account) and not _shared(line, known):
            click.echo(f"This number is not blocked for the account {desk.account}.")
            return
        _agreed(line, known)
        now = line.clock()
        _unshare(line, known)
        desk.dnc().remove(desk.account, known, now)
    click.echo(f"The account {desk.account} may call the number again, as far as other rules allow.")


def _number(text: str) -> E164:
    from .address_files import international

    try:
        return international(text)
    except ValueError as error:
        raise click.UsageError(f"NUMBER: {error}.") from None


def _agreed(line: Line, number: E164) -> None:
    """Raise Declined where nobody types the number's last digits."""
    from ..approval import terminal
    from ..flow.question import Question

    asked = Question(
        f"Let the account {line.account} call this number again?",
        ("Somebody wanted it not to be called.",),
        (("number", number),),
        live=line.live,
    )
    if terminal.answered(asked, number) is not True:
        raise Declined("Nobody said yes, and nothing was written; the number stays blocked.")


def _digests(line: Line, number: E164) -> tuple[str, ...]:
    """What the journal may know it by: for this account, and for every one (journal forget)."""
    from ..dnc import digest
    from ..flow.facts import callee

    desk = line.desk()
    return digest(desk.account, number, desk.secret()), callee(number, desk)


def _shared(line: Line, number: E164) -> bool:
    from ..journal.blocking import blocked

    desk = line.desk()
    return any(blocked(desk.journal(), _digests(line, number)))


def _unshare(line: Line, number: E164) -> None:
    from ..journal.blocking import unblock

    desk = line.desk()
    unblock(desk.journal(), desk.account, _digests(line, number), line.clock())
