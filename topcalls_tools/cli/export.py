"""`topcalls export`: every call of a span of time as CSV or JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..quoting import in_json
from . import span

if TYPE_CHECKING:
    from ..api.calls import CallInList
    from .cells import Value

FACTS = (
    "id",
    "created_at",
    "started_at",
    "end_at",
    "phone_number",
    "from_phone_number",
    "status",
    "call_status",
    "answered_by",
    "duration",
    "actual_duration_billed",
    "error_message",
    "campaign_id",
    "lead_id",
    "recording_url",
)
"""What TopCalls tells of a call, in order; outcome and why are ours, and what was said comes last."""


@click.command()
@span.options
@click.option("--campaign-id", help="Only calls of this campaign; id from list-campaigns.")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV, a row for each call. This is the default.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--transcripts", is_flag=True, help="With what was said, as JSON in a column of its own.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to make, readable by you alone. Default: print it.",
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def export(
    since: str | None,
    until: str | None,
    campaign_id: str | None,
    as_csv: bool,
    as_json: bool,
    transcripts: bool,
    output: Path | None,
    force: bool,
) -> None:
    """Take out all calls, or those of a span of time, newest first. No cell of the CSV is a formula, whatever
    was said on the phone."""
    from ..client import Client
    from .filing import whole
    from .history import calls, named

    if as_csv and as_json:
        raise click.UsageError("--csv and --json are two forms; give one of them.")
    with Client() as client, ExitStack() as stack:
        live = client.line.live
        found = calls(client, named(since, until, client.line.clock()), campaign_id)
        lines = _json(found, live, transcripts) if as_json else _csv(found, transcripts)
        file = stack.enter_context(whole(output, force=force)) if output else None
        for line in lines:
            if file:
                file.write(line.encode())
            else:
                click.echo(line, nl=False)
    if not live and not as_json:
        click.echo("Practice: no phone rang.", err=True)
    if output:
        click.echo(f"Written to {output}, readable by you alone.", err=True)


def _csv(calls: Iterable[CallInList], transcripts: bool) -> Iterator[str]:
    from .cells import written

    spoken = ["disposition", "call_summary", *(["transcript"] if transcripts else [])]
    yield from written([[*FACTS, "outcome", "why", *spoken]])
    yield from written(_row(call, transcripts) for call in calls)


def _row(call: CallInList, transcripts: bool) -> list[Value]:
    from ..deeds.outcomes import CASES, case_of

    case = case_of(call)
    derived = [said and said.words for said in (call.disposition, call.call_summary)]
    said = [in_json(_turns(call))] if transcripts else []
    return [*(getattr(call, name) for name in FACTS), case, CASES[case].why, *derived, *said]


def _json(calls: Iterable[CallInList], live: bool, transcripts: bool) -> Iterator[str]:
    """One document, written call by call."""
    from ..deeds.outcomes import CASES, case_of

    derived = ["call_summary", "disposition"]
    yield f'{{\n  "live": {in_json(live)},\n  "derived": {in_json(derived)},\n  "data": ['
    comma = ""
    for call in calls:
        case = case_of(call)
        facts = call.model_dump(mode="json", exclude={"transcript"}, exclude_none=True)
        told = {**facts, "outcome": case, "why": CASES[case].why}
        if transcripts:
            told["transcript"] = _turns(call)
        yield f"{comma}\n    {in_json(told)}"
        comma = ","
    yield "\n  ]\n}\n"


def _turns(call: CallInList) -> list[dict[str, Any]]:
    """What was said, whole; each turn with who spoke."""
    return [
        {
            "turn": turn.id,
            "speaker": "agent" if turn.user == "assistant" else "person called",
            "text": turn.text.words,
        }
        for turn in call.transcript
    ]
