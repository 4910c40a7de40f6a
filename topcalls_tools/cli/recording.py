"""`topcalls recording`: the recording of a call, saved to a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..quoting import in_json

if TYPE_CHECKING:
    from ..api.calls import Call


@click.command()
@click.argument("call_id")
@click.option(
    "--save",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to make, readable by you alone.",
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@click.option("--json", "as_json", is_flag=True, help="Print what was saved as JSON.")
def recording(call_id: str, save: Path, force: bool, as_json: bool) -> None:
    """Save the recording of a call. It is fetched without your API key, whole or not at all; about 15 seconds
    after the end it is there."""
    from pydantic import ValidationError

    from ..action import sentence
    from ..api.calls import GetCall
    from ..client import Client
    from ..recordings import fetched
    from .filing import whole

    try:
        request = GetCall(call_id=call_id)
    except ValidationError as wrong:
        raise click.UsageError(sentence(wrong, GetCall)) from None
    with Client() as client:
        live = client.line.live
        with whole(save, force=force) as file:
            address = _address(client.send(request))
            size = sum(map(file.write, fetched(address, client.line)))
    if as_json:
        told = {"live": live, "call_id": call_id, "file": str(save), "bytes": size}
        click.echo(in_json(told, indent=2))
        return
    if not live:
        click.echo("Practice: no phone rang.")
    click.echo(f"Saved to {save}: {size:,} bytes, readable by you alone.")


def _address(call: Call) -> str:
    """Where a call's recording is. Raises NotFound where there is none, with the reason."""
    from ..deeds.outcomes import CASES, answered, case_of
    from ..errors import NotFound

    if call.recording_url:
        return call.recording_url
    if not call.ended:
        why = "the call has not ended; follow-call waits for it"
    elif not answered(call):
        why = f"{CASES[case_of(call)].why[:-1].lower()}, and only what was answered is recorded"
    elif call.completed:
        why = "TopCalls has finished with the call and made none; get-call shows what there is"
    else:
        why = "it comes about 15 seconds after the end; try again then"
    raise NotFound(f"There is no recording: {why}.", 404)
