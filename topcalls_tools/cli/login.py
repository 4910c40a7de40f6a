"""`topcalls login` and `logout`: the key in a file that its owner alone can read, and never in argv."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ..errors import Declined, Forbidden, Misconfigured, TopCallsError

if TYPE_CHECKING:
    from ..connect import Line

LONGEST = 600
"""Characters that are read of standard input: more than any key has."""


@click.command()
@click.argument("given", nargs=-1, metavar="")
@click.option("--stdin", "piped", is_flag=True, help="Read the key from standard input, as one line.")
def login(given: tuple[str, ...], piped: bool) -> None:
    """Store your key for every program of yours on this machine. It is typed unseen, or comes by --stdin;
    tried with one free read; and kept in a file that you alone can read. From then on calls are live, also
    those of assistants, as your policy allows; TOPCALLS_API_KEY goes before it, and logout deletes it."""
    from .. import stored_key
    from ..address import KEY
    from ..connect import Line
    from ..settings import Settings, owners_home

    if given:
        raise click.UsageError(
            "A key is not taken from the command line, where other programs can see it; it is typed when "
            "asked for, or comes by --stdin. Replace one that stood there at topcalls.ai."
        )
    key = _piped() if piped else _typed()
    if not key:
        raise Misconfigured("No key was given, and nothing was stored; give the one from topcalls.ai.")
    if not KEY.fullmatch(key):
        raise Misconfigured("That is no key, and nothing was stored; copy it again from topcalls.ai.")
    settings = Settings.besides_key(api_key=key)
    line = Line(settings)
    note = _tried(line)
    there = (owners_home() / stored_key.FILE).exists()
    path = stored_key.write(settings.directory(), stored_key.StoredKey(key, settings.base_url))
    click.echo(f"{'Replaced' if there else 'Stored'} in {path}, readable by you alone.")
    if line.live:
        click.echo("From now on topcalls and your assistants on this machine call live: real phones ring.")
    else:
        click.echo(f"It is a sandbox key: from now on {settings.base_url} is called, and no phone rings.")
    for one in filter(None, (note, _other_key())):
        click.echo(one, err=True)


@click.command()
def logout() -> None:
    """Delete the key that login stored. Without another everything is practice again; programs that run
    already keep the key until they end."""
    from .. import stored_key
    from ..settings import owners_home

    home = owners_home()
    if stored_key.remove(home):
        click.echo(f"Deleted from {home}. Programs that run already keep it until they end.")
    else:
        click.echo(f"No key is stored in {home}.")
    if said := _other_key():
        click.echo(said, err=True)
    else:
        click.echo("From now on everything is practice, in the sandbox on this machine.")


def _piped() -> str:
    line = sys.stdin.readline(LONGEST)
    return line.strip()


def _typed() -> str:
    """The key, typed unseen at a terminal. An end of input is no key."""
    from ..approval import terminal

    if not terminal.possible():
        raise Declined(
            "A key is typed at a terminal, and nothing was stored; run topcalls login in one, or give the "
            "key to topcalls login --stdin."
        )
    try:
        key: str = click.prompt(
            "API key (it is not shown)", hide_input=True, err=True, default="", show_default=False
        )
    except click.Abort:
        return ""
    return key.strip()


def _tried(line: Line) -> str | None:
    """Try a key with a free read; gives what is to be known of it. Raises what TopCalls says against it."""
    from ..api.account import GetBalance
    from ..client import Client

    with Client(line=line) as client:
        try:
            client.send(GetBalance())
        except Forbidden:
            return "The key was accepted, and may not read the balance; calls need a key with calls:read."
        except TopCallsError as error:
            click.echo("The key could not be tried, so nothing was stored.", err=True)
            raise error from None
    return None


def _other_key() -> str | None:
    """What is to be known of a key in the environment, which goes before the stored one."""
    from ..settings import Settings

    if Settings.besides_key().api_key is None:
        return None
    return "TOPCALLS_API_KEY is set here and goes before a stored key; unset it for the stored one to count."
