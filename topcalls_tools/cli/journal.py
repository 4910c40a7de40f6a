"""`topcalls journal`: what was asked, answered and sent, and what became of it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import Misconfigured
from .book import opened
from .flags import flags, of_campaign, said

if TYPE_CHECKING:
    from ..connect import Line
    from ..journal import AskRow, DialRow

ALTERED = 7
"""The exit code of evidence that is not what was written."""
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def journal() -> None:
    """Look after the record of questions and calls. What was asked, answered and sent, and what became of
    it: list, show, check, settle, take out, forget."""


@journal.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def listing(limit: int, as_json: bool) -> None:
    """List the newest questions, of all accounts, and what became of each."""
    from ..journal import archive
    from ..journal.heard import of_dials
    from .show import table

    with opened(there=True) as line:
        now = line.clock()
        rows = archive.listed(line.desk().journal(), limit)
        heard = of_dials(line.desk().journal(), [ask.key for ask, _ in rows])
    if as_json:
        click.echo(_document({"data": [_told(*row, flags(heard[row[0].key])) for row in rows]}))
    else:
        table([_row(*row, now, flags(heard[row[0].key])) for row in rows])


@journal.command()
@click.argument("name", metavar="KEY|CALL_ID")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, as export does.")
def show(name: str, as_json: bool) -> None:
    """Show one question and its call. What was asked, said and sent, and what became of it."""
    from . import tables

    found = _exported(name)
    click.echo(_document(found) if as_json else "\n".join(_lines(found, tables.columns())))


@journal.command()
@click.argument("name", metavar="KEY|CALL_ID")
@click.option("-o", "--output", type=_FILE, help="File to make, readable by you alone. Default: print it.")
def export(name: str, output: Path | None) -> None:
    """Take out one question and its call. Everything about them as JSON, with their links of evidence."""
    document = _document(_exported(name))
    if output is None:
        click.echo(document)
        return
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{document}\n")
    except OSError as error:
        raise Misconfigured(
            f"{output} cannot be made ({error.strerror}); name a file that is not there yet, in a directory "
            "that can be written."
        ) from None
    click.echo(f"Written to {output}, readable by you alone.")


@journal.command()
@click.option(
    "--head", "given", multiple=True, help='Number and hash that you kept, "12 9f2c..."; repeatable.'
)
@click.option(
    "--head-file", type=_FILE, help="File of such lines. Default: the one that evidence_head names."
)
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@click.pass_context
def verify(ctx: click.Context, given: tuple[str, ...], head_file: Path | None, as_json: bool) -> None:
    """Check that the evidence is what was written. Prints its last number and hash, or what is wrong.

    Without a hash that was kept elsewhere this shows little: whoever can write the journal can write all of
    it anew.
    """
    from ..journal import archive

    with opened(there=True) as line:
        heads = frozenset(map(_head, given)) | _kept(line, head_file)
        store = line.desk().journal()
        troubles: list[str] = []
        try:
            for trouble in archive.troubles(store, heads):
                troubles.append(trouble)
                click.echo(trouble, err=as_json)
        except ValueError:  # no JSON or no time where we write them
            troubles.append("An entry cannot even be read.")
            click.echo(troubles[-1], err=as_json)
        last = archive.head(store)
    if as_json:
        found = {"holds": not troubles, "troubles": troubles, "checked_against": sorted(heads)}
        click.echo(_document({**found, "head": None if troubles else last}))
    if troubles:
        ctx.exit(ALTERED)
    if not as_json:
        click.echo(f"The evidence holds.\n{last}")
    if not heads:
        click.echo("It was checked against nothing that was kept elsewhere: see --head.", err=True)


def _exported(name: str) -> dict[str, Any]:
    from ..journal import archive
    from ..journal.heard import of_dials

    with opened(there=True) as line:
        store = line.desk().journal()
        key = archive.key_of(store, name)
        heard = [one for one in of_dials(store, [key])[key] if one.call_id]
        calls = [{"call_id": one.call_id, "at": one.at.isoformat(), **one.facts} for one in heard]
        return archive.exported(store, key) | ({"calls_heard": calls} if calls else {})


def _document(found: dict[str, Any]) -> str:
    return json.dumps(found, ensure_ascii=False, indent=2)


def _told(ask: AskRow, dial: DialRow | None, heard: str) -> dict[str, Any]:
    """A question and its call in a list, as JSON; nothing that is absent."""
    asked = {"key": ask.key, "asked_at": ask.asked_at.isoformat(), "expires_at": ask.expires_at.isoformat()}
    named = {name: getattr(ask, name) for name in ("account", "tool", "target", "minutes", "decision", "by")}
    rang = {name: getattr(dial, name, None) for name in ("state", "call_id", "used_minutes")}
    told = {**asked, **named, **rang, "heard": heard or None}
    return {name: value for name, value in told.items() if value is not None}


def _row(ask: AskRow, dial: DialRow | None, now: datetime, heard: str) -> dict[str, str]:
    """The same for people."""
    minutes = ""
    if dial:
        used = dial.used_minutes
        minutes = f"{dial.minutes:g} held" if used is None else f"{used:g} used"
    return {
        "key": ask.key[:8],
        "asked": f"{ask.asked_at:%Y-%m-%d %H:%M}",
        "tool": ask.tool,
        "target": ask.target,
        "answer": ask.decision or ("open" if ask.expires_at > now else "none"),
        "outcome": dial.state if dial else "sent" if ask.used_at and ask.decision == "yes" else "",
        "minutes": minutes,
        "heard": heard,
    }


def _lines(found: dict[str, Any], columns: int | None) -> Iterator[str]:
    """One question and its call, for people: our words, and those of others behind a bar."""
    from ..approval.terminal import WHOLE
    from ..flow.question import Question

    ask, dial = found["question"], found["dial"]
    yield f"{ask['key']}: {ask['tool']}, account {ask['account']}, asked {_time(ask['asked_at'])}\n"
    words = ask.get("question")
    yield Question.of(words).text(most=WHOLE, columns=columns) if words else "What it asked is forgotten."
    yield ""
    if "decision" in ask:
        yield f"Answer: {ask['decision']}, by {ask['by']}, {_time(ask['decided_at'])}."
    else:
        yield f"Answer: none; it counts until {_time(ask['expires_at'])}."
    if dial:
        yield f"Sent: {_time(dial['sent_at'])}, and it is {dial['state']}."
        used = f"{dial['used_minutes']:g} used" if "used_minutes" in dial else "not settled yet"
        yield f"Minutes: {dial['minutes']:g} reserved, {used}."
    elif "used_at" in ask:
        yield f"Sent: {_time(ask['used_at'])}."
    if reply := (dial or ask).get("reply"):
        told = {name: value if isinstance(value, str) else json.dumps(value) for name, value in reply.items()}
        yield Question("Reply:", (), tuple(told.items())).text(columns=columns)
    for link in found["evidence"]:
        yield from said(link["facts"]) if link["kind"] == "closed" else ()
    yield from of_campaign(found.get("calls_heard", ()))
    yield "Evidence:"
    for link in found["evidence"]:
        forgotten = ", its words forgotten" if "digest" in link and "personal" not in link else ""
        yield f"  {link['seq']} {link['kind']}, {_time(link['at'])}{forgotten}, {link['hash'][:16]}"


def _time(iso: str) -> str:
    return f"{datetime.fromisoformat(iso).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _head(line: str) -> str:
    found = re.search(r"(\d+) ([0-9a-f]{64})\s*$", line)
    if found is None:
        raise click.UsageError(
            'A head is a number and 64 hexadecimal digits, such as "12 9f2c..."; verify prints it.'
        )
    return f"{found[1]} {found[2]}"


def _kept(line: Line, given: Path | None) -> frozenset[str]:
    """What was kept elsewhere: in the file that is named, or in the one where the owner has it written."""
    from ..journal.heads import heads

    owner = line.settings
    path = given
    if path is None and owner.evidence_head not in (None, "syslog"):
        path = owner.home / Path(str(owner.evidence_head)).expanduser()
    if path is None or (given is None and not path.exists()):
        return frozenset()
    try:
        return frozenset(map(_head, heads(path)))
    except OSError as error:
        raise Misconfigured(
            f"{path} cannot be read ({error.strerror}); name the file with the hashes."
        ) from None
    except ValueError:
        raise Misconfigured(f"{path} is no text; name the file with the hashes.") from None
