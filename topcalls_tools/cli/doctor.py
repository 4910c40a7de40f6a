"""`topcalls doctor`: what of the set-up is right, what is not, and the command that mends it."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..doctor import Finding

WRONG = 6
"""The exit code where something cannot be used as it is."""
_STYLES = {"ok": "green", "warn": "yellow", "wrong": "bold red"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Look over your set-up: key, address, clock, journal, policy, who is asked, versions. Says what is wrong
    and the command that mends it. Sends one free read where a key is set, and changes nothing."""
    from ..approval import terminal
    from ..doctor.checks import findings

    found = tuple(findings(at_terminal=terminal.possible()))
    good = all(one.state != "wrong" for one in found)
    if as_json:
        told = [{name: value for name, value in asdict(one).items() if value is not None} for one in found]
        click.echo(json.dumps({"ok": good, "findings": told}, ensure_ascii=False, indent=2))
    else:
        _show(found)
    if not good:
        ctx.exit(WRONG)


def _show(found: tuple[Finding, ...]) -> None:
    """A table at a terminal; elsewhere a line for each, and one for what mends it."""
    from ..quoting import visible

    def quiet(words: str) -> str:
        return "".join(map(visible, words))

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
