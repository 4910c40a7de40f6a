"""`topcalls sandbox`: a TopCalls on this machine, its keys, and links to its page."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import Misconfigured
from ..quoting import in_json

if TYPE_CHECKING:
    from ..sandbox import Sandbox

PORT = 8414
_FILE = click.Path(dir_okay=False, path_type=Path)
_READABLE = click.Path(dir_okay=False, exists=True, path_type=Path)


@click.group(invoke_without_command=True)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0 takes a free one."
)
@click.option("--db", type=_FILE, help="SQLite file. Default: sandbox.db in TOPCALLS_HOME.")
@click.option("--seed", help="Seed of the world, when it is made: the same seed gives the same world.")
@click.option("--speed", type=click.FloatRange(0.01, 100_000), default=1.0, help="How fast its clock runs.")
@click.option("--reset", is_flag=True, help="Begin with a fresh world.")
@click.option("--limits", is_flag=True, help="Enforce rate limits: 60 requests and 10 new calls a minute.")
@click.option("--campaigns", type=_READABLE, help="TOML file with campaigns to add.")
@click.option(
    "--webhook-host",
    multiple=True,
    help="Host beyond this machine that webhooks may go to, from now on; none takes all back.",
)
@click.option("--webhook-secret", type=_READABLE, help="File with what webhooks are signed with.")
@click.pass_context
def sandbox(
    ctx: click.Context,
    port: int,
    db: Path | None,
    seed: str | None,
    speed: float,
    reset: bool,
    limits: bool,
    campaigns: Path | None,
    webhook_host: tuple[str, ...],
    webhook_secret: Path | None,
) -> None:
    """Run a TopCalls on this machine: every endpoint and a page to watch it, no phone."""
    ctx.obj = db
    if ctx.invoked_subcommand:
        return
    from ..sandbox import bound, open_sandbox, plans, serve_forever

    # all that may be refused comes before the world: a reset of it cannot be undone
    with _in_words(), closing(bound(port)) as line:
        secret = _secret(webhook_secret) if webhook_secret else None
        world = open_sandbox(
            _path(db),
            seed=seed,
            reset=reset,
            limited=limits,
            webhook_hosts=webhook_host,
            campaigns=plans(campaigns) if campaigns else (),
        )
        if webhook_secret:
            world.sign(secret)

        def ready(url: str) -> None:
            click.echo(f"The sandbox runs at {url}; Ctrl-C ends it. No phone rings.\n")
            click.echo(f"  TOPCALLS_BASE_URL={url}\n  TOPCALLS_API_KEY={world.key()}\n")
            click.echo(f"Watch it and pick up the phone, by this link once: {url}/#{world.link_code()}")
            click.echo(f"Tools without a key use the world in {world.path}.")
            sys.stdout.flush()

        serve_forever(world, line, speed=speed, ready=ready)


@sandbox.command()
@click.option("--port", type=click.IntRange(1, 65535), default=PORT, show_default=True)
@click.option("--account", help="Account whose page it is. Default: the first.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def link(db: Path | None, port: int, account: str | None, as_json: bool) -> None:
    """Print a fresh link to the page of a sandbox that runs; it works once."""
    with _opened(db) as world:
        address = f"http://127.0.0.1:{port}/#{world.link_code(account)}"
    click.echo(in_json({"link": address}, indent=2) if as_json else address)


@sandbox.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.pass_context
def keys(ctx: click.Context, as_json: bool) -> None:
    """List the keys of all accounts; they are never shown whole again."""
    if ctx.invoked_subcommand:
        return
    from .show import table

    with _opened(ctx.obj) as world:
        rows = [
            {
                "account": key.account,
                "name": key.name,
                "key": f"…{key.hint}",
                "scopes": "all" if key.scopes is None else ", ".join(key.scopes) or "none",
                "status": "revoked" if key.revoked else "works",
            }
            for key in world.all_keys()
        ]
    if as_json:
        click.echo(in_json({"data": rows}, indent=2))
    else:
        table(rows)


@keys.command()
@click.option("--account", help="Account of the key; one that is not there is made. Default: the first.")
@click.option("--name", default="another", show_default=True, help="What the key is for.")
@click.option("--scope", multiple=True, help="What the key may do; may be repeated. Default: everything.")
@click.option("--minutes", type=click.FloatRange(0), default=1000.0, help="Plan minutes of a new account.")
@click.option("--bonus", type=click.FloatRange(0, 500), default=500.0, help="Bonus minutes of a new account.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def add(
    db: Path | None,
    account: str | None,
    name: str,
    scope: tuple[str, ...],
    minutes: float,
    bonus: float,
    as_json: bool,
) -> None:
    """Make a key, and print it this once."""
    with _opened(db) as world:
        if account and account not in {key.account for key in world.all_keys()}:
            made = world.add_account(minutes, bonus, name=account, key_name=name, scopes=scope or None)
        else:
            made = world.add_key(scope or None, name=name, account=account)
    click.echo(in_json({"key": made}, indent=2) if as_json else made)


@keys.command()
@click.argument("ending")
@click.pass_obj
def revoke(db: Path | None, ending: str) -> None:
    """Take back the key that ends so, as the list shows it."""
    with _opened(db) as world:
        world.revoke(ending.removeprefix("…"))
        click.echo("It works no more.")


def _path(db: Path | None) -> Path:
    from ..settings import Settings

    return db or Settings.load().directory() / "sandbox.db"


def _secret(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except (OSError, ValueError):  # what it says of the bytes would be a part of the secret
        raise Misconfigured(f"{path} cannot be read; write the secret into it as UTF-8 text.") from None


@contextmanager
def _opened(db: Path | None) -> Iterator[Sandbox]:
    from ..sandbox import open_sandbox

    with _in_words():
        world = open_sandbox(_path(db))
        try:
            world.key()
            yield world
        finally:
            world.close()


@contextmanager
def _in_words() -> Iterator[None]:
    from ..sandbox import SandboxError

    try:
        yield
    except SandboxError as error:
        raise Misconfigured(str(error)) from None
