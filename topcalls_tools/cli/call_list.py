"""`topcalls call-list`: a few calls under one yes at the terminal, one after the other."""

from __future__ import annotations

import shutil
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import Declined, Misconfigured

if TYPE_CHECKING:
    from ..call_list import Entry
    from ..call_list.plan import Plan
    from ..call_list.running import Event, Outcome
    from ..client import Client

NOTHING, DOUBT = 3, 5
"""The exit codes where nobody was called, and where nobody knows whether somebody was."""


@click.command("call-list")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--task", required=True, help="What to achieve; {{column}} is that column of each. @FILE reads it."
)
@click.option("--first-sentence", help="What is said first, after the opening; {{column}} as in --task.")
@click.option("--max-duration", type=float, default=5, show_default=True, help="Minutes a call may last.")
@click.option("--from-number", help="Caller id: an active number of the account.")
@click.option("--voice", help="Voice id from list-voices.")
@click.option("--region", help="Country of numbers that are written nationally, two letters.")
@click.option(
    "--stop-after-failures",
    "stop_after",
    type=click.IntRange(1, 10),
    default=3,
    show_default=True,
    help="How many calls in a row may reach nobody.",
)
@click.option("--again", is_flag=True, help="Call those too who were called with the same words before.")
@click.option("--json", "as_json", is_flag=True, help="Print what became of each as JSON.")
@click.pass_context
def call_list(
    ctx: click.Context,
    /,
    file: Path,
    task: str,
    stop_after: int,
    again: bool,
    as_json: bool,
    region: str | None,
    **given: Any,
) -> None:
    """Call the people in FILE, at most ten, one after the other. FILE is CSV with a column number, or names
    of your contacts. One question lists every call whole and takes one yes, at a terminal alone; each call is
    judged again before it rings. Ctrl-C: no further call; once more: hang up; once more: leave."""
    from ..approval import terminal
    from ..call_list.plan import planned
    from ..call_list.running import answered, declined_before, run
    from ..client import Client

    if not terminal.possible():
        raise Declined(
            "A list of calls is agreed to by a person at a terminal alone, and nothing was sent; run "
            "topcalls call-list in one."
        )
    template = {"task": _words(task), **given}
    with Client() as client:
        entries = _entries(file, template, region, client)
        plan = client.run(planned(entries, client.line.desk(), stop_after=stop_after, again=again))
        terminal.show(plan.question)
        if not plan.items:
            raise Declined("Nobody on this list can be called now, and nothing was sent.")
        if declined_before(plan, client):
            raise Declined("You said no to this very list; it is final for 10 minutes.")
        many = len(plan.items)
        yes = terminal.sure(f"Approve {'these ' + str(many) + ' calls' if many > 1 else 'this call'}?")
        if yes is None:
            raise Declined("Nobody answered, and nothing was sent.")
        plan = answered(plan, yes, client)
        with _halted() as halt:
            became = [one for event in run(plan, client, halt, stop_after=stop_after) for one in _told(event)]
        _sum_up(plan, became, client.line.live, as_json)
        states = {one.state for one in became}
    if "in doubt" in states:
        ctx.exit(DOUBT)
    if states == {"not called"}:
        ctx.exit(NOTHING)


def _words(task: str) -> str:
    if not task.startswith("@"):
        return task
    try:
        return Path(task[1:]).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        raise click.UsageError(f"--task {task} cannot be read; name a file with UTF-8 text.") from None


def _entries(file: Path, template: dict[str, Any], region: str | None, client: Client) -> tuple[Entry, ...]:
    from ..call_list.people import entries, people
    from .address_files import international

    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Misconfigured(f"{file} is no UTF-8 text, and nothing was sent; save it as UTF-8.") from None
    except OSError as error:
        raise Misconfigured(f"{file} cannot be read ({error.strerror}); name a file that can.") from None
    contacts = client.line.desk().contacts()
    found = people(text, contacts, lambda number: international(number, region))
    return entries(found, {name: value for name, value in template.items() if value is not None})


class _Presses:
    """How often Ctrl-C was pressed; whoever waits is woken by it."""

    def __init__(self) -> None:
        self.times = 0
        self._pressed = threading.Event()

    def press(self, *_: object) -> None:
        self.times += 1
        self._pressed.set()
        match self.times:
            case 1:
                _echo("\nNo further call. The one that is under way goes on; Ctrl-C once more hangs up.")
            case 2:
                _echo("\nHanging up. Ctrl-C once more leaves.")

    @property
    def no_further(self) -> bool:
        return self.times > 0

    @property
    def hang_up(self) -> bool:
        return self.times > 1

    @property
    def leave(self) -> bool:
        return self.times > 2

    def wait(self, seconds: float) -> None:
        self._pressed.wait(seconds)
        self._pressed.clear()


@contextmanager
def _halted() -> Iterator[_Presses]:
    """Take Ctrl-C for a wish as long as the list runs: nothing is cut off in the middle of a dial."""
    presses = _Presses()
    before = signal.signal(signal.SIGINT, presses.press)
    try:
        yield presses
    finally:
        signal.signal(signal.SIGINT, before)


def _told(event: Event) -> tuple[Outcome, ...]:
    """Tell of an event as it happens; gives what became of calls by it."""
    from ..api.transcript import shown_turn
    from ..call_list.running import Ended, Outcome, Placing, Turned
    from ..quoting import quiet
    from . import show

    match event:
        case Placing(place, entry):
            _echo(f"\n{place}. Calling {quiet(entry.who)}, {entry.request.phone_number}.")
        case Turned(turn):
            for line in show.turn(shown_turn(turn), shutil.get_terminal_size().columns):
                _echo(line.plain)
        case Ended(why, left):
            _echo(f"\n{why} No further call is placed.")
            return tuple(Outcome(entry, "not called", why) for entry in left)
        case Outcome(state=state, why=why):
            _echo(f"{state.capitalize()}: {why}")
            return (event,)
    return ()


def _sum_up(plan: Plan, became: list[Outcome], live: bool, as_json: bool) -> None:
    """Who was reached, who not, and why."""
    from ..quoting import in_json
    from .show import table

    rows = [
        *(_row(one.entry, one.state, one.why, one) for one in became),
        *(_row(one.entry, "not called", one.why, None) for one in plan.left),
    ]
    if as_json:
        click.echo(in_json({"live": live, "derived": ["call_summary"], "data": rows}, indent=2))
        return

    _echo("")
    counts = Counter(row["outcome"] for row in rows)
    click.echo(", ".join(f"{many} {state}" for state, many in counts.items()) + ".")
    table(
        [{name: row.get(name, "") for name in ("line", "name", "number", "outcome", "why")} for row in rows]
    )


def _row(entry: Entry, state: str, why: str, outcome: Outcome | None) -> dict[str, Any]:
    call = outcome.call if outcome else None
    told = {
        "line": entry.line,
        "name": entry.name,
        "number": str(entry.request.phone_number),
        "outcome": state,
        "why": why,
        "call_id": outcome.call_id if outcome else None,
        "minutes": call.duration if call else None,
        "call_summary": call.call_summary.words if call and call.call_summary else None,
    }
    return {name: value for name, value in told.items() if value is not None}


def _echo(words: str) -> None:
    click.echo(words, err=True)
