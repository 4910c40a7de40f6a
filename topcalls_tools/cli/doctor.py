"""`topcalls doctor`: what of the set-up is right, what is not, and the command that mends it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import Misconfigured, Offline

if TYPE_CHECKING:
    from ..doctor import Finding

WRONG = 6
"""The exit code where something cannot be used as it is."""
_STYLES = {"ok": "green", "warn": "yellow", "wrong": "bold red"}


REPORT = Path("topcalls-report.json")


@click.command()
@click.option("--live", "reads", is_flag=True, help="Make every free read, and compare shapes.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"The report of --live. Default: {REPORT}.",
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON; of --live no file is made then.")
@click.pass_context
def doctor(ctx: click.Context, reads: bool, output: Path | None, as_json: bool) -> None:
    """Look over your set-up: key, address, clock, journal, policy, who is asked, versions. Says what is wrong
    and the command that mends it. Sends one free read where a key is set, and changes nothing.

    With --live every free read is made instead, and a report is written that holds shapes and names of
    fields, and no value: send it to whoever looks after this package. No phone rings.
    """
    if output is not None and not reads:
        raise click.UsageError("--output belongs to --live.")
    good = _read(output, as_json) if reads else _looked(as_json)
    if not good:
        ctx.exit(WRONG)


def _looked(as_json: bool) -> bool:
    """Look over the set-up; whether nothing is wrong."""
    from ..approval import terminal
    from ..doctor.checks import findings

    found = tuple(findings(at_terminal=terminal.possible()))
    good = all(one.state != "wrong" for one in found)
    if as_json:
        told = [{name: value for name, value in asdict(one).items() if value is not None} for one in found]
        click.echo(json.dumps({"ok": good, "findings": told}, ensure_ascii=False, indent=2))
    else:
        _show(found)
    return good


def _read(output: Path | None, as_json: bool) -> bool:
    """Make the free reads and the report; whether all is as documented."""
    from ..client import Client
    from ..doctor.reads import survey
    from ..doctor.report import report

    path = output or (None if as_json else REPORT)
    if path is not None and path.exists():
        raise Misconfigured(f"{path} is there already, and nothing was sent; name another with --output.")
    with Client() as client:
        found = client.run(survey(client.line.desk()))
        told = report(client.line, found)
    if not found.answered:
        raise Offline(
            "Nothing was answered, so there is nothing to report; topcalls doctor says what is wrong."
        )
    if path is not None:
        _write(path, told)
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        for line in _lines(told):
            click.echo(line)
        click.echo(f"The report is in {path}: shapes and names of fields, no value. Read it, and send it.")
    return bool(told["as_documented"])


def _write(path: Path, told: dict[str, Any]) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(json.dumps(told, indent=2) + "\n")
    except OSError as error:
        raise Misconfigured(
            f"{path} cannot be made ({error.strerror}); name a file that is not there yet with --output."
        ) from None


def _lines(told: dict[str, Any]) -> Iterator[str]:
    """What the report says, for people."""
    width = max(len(one["tool"]) for one in told["reads"])
    for one in told["reads"]:
        parts = [
            f"{name}: {', '.join(one[name])}" for name in ("missing", "unknown", "sometimes") if name in one
        ]
        parts += [f"{path} is {' or '.join(kinds)}" for path, kinds in one.get("differs", {}).items()]
        rows = f", rows: {one['rows']}" if "rows" in one else ""
        odd = "; ".join(parts) or ("as documented" if one["answered"] == 200 else "")
        yield f"{one['tool']:<{width}}  {one['answered']}{rows}  {odd}".rstrip()
    for name, one in told["probes"].items():
        yield f"{name}: {one['answered']} {one.get('content_type', '')}".rstrip()
    for verdict in ("refuted", "confirmed", "not told"):
        found = [one for one in told["assumptions"] if one["observed"] == verdict]
        if verdict == "refuted":
            yield from (f"refuted: {', '.join(one['numbers'])}: {one['claim']}" for one in found)
        else:
            yield f"{verdict}: {', '.join(number for one in found for number in one['numbers']) or 'none'}"


def _show(found: tuple[Finding, ...]) -> None:
    """A table at a terminal; elsewhere a line for each, and one for what mends it."""
    from ..quoting import quiet

    if not sys.stdout.isatty():
        for one in found:
            click.echo(f"{one.state}: {one.about}: {quiet(one.said)}")
            if one.mend:
                click.echo(f"{one.state}: {one.about}: run: {quiet(one.mend)}")
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for one in found:
        said = Text(quiet(one.said))
        if one.mend:
            said.append(f"\n→ {quiet(one.mend)}", style="bold")
        table.add_row(Text(one.state, style=_STYLES[one.state]), one.about, said)
    Console(highlight=False).print(table)
