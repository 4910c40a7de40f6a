"""`topcalls contacts`: whom the owner knows, written down, taken over from a file, listed, taken out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import Misconfigured
from ..quoting import in_json, quiet
from .book import opened

if TYPE_CHECKING:
    from ..contacts import Contact
    from .address_files import Unread

LEFT_OUT = 6
"""The exit code where something in a file could not be taken over."""
MOST_TOLD = 50
"""How many lines that were left out are told."""
BASES = ("explicit_consent", "existing_customer", "business_line")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def region_named(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """A country's two letters as phonenumbers knows them."""
    import phonenumbers

    if value is None or value.upper() in phonenumbers.SUPPORTED_REGIONS:
        return value and value.upper()
    raise click.BadParameter("it is no country's two letters, such as DE")


REGION = click.option(
    "--region", callback=region_named, help="Country of national numbers, two letters such as DE."
)


@click.group()
def contacts() -> None:
    """Look after your contacts: names, numbers, consent. They stand in contacts.toml in TOPCALLS_HOME, which
    you may edit by hand too; no assistant changes them."""


@contacts.command()
@click.argument("name")
@click.argument("number")
@click.option("--zone", help="Where the phone is, such as Europe/Berlin. Default: what the number tells.")
@click.option("--language", help="What is spoken there, two letters such as de.")
@click.option("--hours", type=click.Choice(["any"]), help="any: it may ring at any hour.")
@click.option("--mine", is_flag=True, default=None, help="It is your own phone.")
@click.option("--consent-basis", type=click.Choice(BASES), help="What consent rests on.")
@click.option("--consent-date", type=click.DateTime(["%Y-%m-%d"]), help="Since when, such as 2026-11-25.")
@click.option("--consent-note", help="Where it can be looked up.")
@click.option("--note", help="What else to know.")
@REGION
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def add(name: str, number: str, region: str | None, as_json: bool, **given: Any) -> None:
    """Write one contact down. One of the same name and number is changed: what is given now counts, the rest
    stays. Consent needs basis, date and note."""
    from pydantic import ValidationError

    from ..contacts import Contact, reason
    from .address_files import international
    from .contact_file import added

    consent = {part: given.pop(f"consent_{part}") for part in ("basis", "date", "note")}
    if consent["date"]:
        consent["date"] = _past(consent["date"])
    if any(consent.values()):
        if missing := [part for part, value in consent.items() if not value]:
            raise click.UsageError(f"Consent needs --consent-{missing[0]} too.")
        given["consent"] = consent
    facts = {fact: value for fact, value in given.items() if value is not None}
    try:
        contact = Contact.model_validate({"name": name, "number": international(number, region), **facts})
    except ValidationError as error:
        raise click.UsageError(f"{reason(error)}.") from None
    except ValueError as error:
        raise click.UsageError(f"NUMBER: {error}.") from None
    path = _path()
    new, changed = added(path, [contact])
    if as_json:
        did = "added" if new else "changed" if changed else "known"
        told = contact.model_dump(mode="json", exclude_defaults=True)
        click.echo(in_json({"did": did, "contact": told}, indent=2))
        return
    done = "is written down" if new else "is changed" if changed else "is known just so"
    click.echo(f"{quiet(contact.name)}, {contact.number}, {done}.")
    _tell_shared(path, contact)


@contacts.command("import")
@click.argument("file", type=_FILE)
@REGION
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
@click.pass_context
def import_(ctx: click.Context, file: Path, region: str | None, as_json: bool) -> None:
    """Take contacts over from a file: CSV with a header, or vCards. Columns are name, number, zone, language,
    hours, mine, consent_basis, consent_date, consent_note, note. What cannot be read is left out and told,
    and the exit code is 6 then."""
    from .address_files import people
    from .contact_file import added

    found, unread = people(file, region)
    if not found:
        tell(unread)
        raise Misconfigured(f"Nothing in {file} can be taken over, so nothing was written; correct it.")
    new, changed = added(_path(), found)
    same = len(found) - new - changed
    if as_json:
        counts = {"added": new, "changed": changed, "known": same}
        click.echo(in_json({**counts, "left_out": list(map(str, unread))}, indent=2))
    else:
        click.echo(f"{new} new, {changed} changed, {same} known just so, {len(unread)} left out.")
        tell(unread)
    if unread:
        ctx.exit(LEFT_OUT)


@contacts.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def listing(as_json: bool) -> None:
    """List your contacts, as they stand in the file."""
    from ..contacts import entries

    found = entries(_path())
    if as_json:
        told = [contact.model_dump(mode="json", exclude_defaults=True) for contact in found]
        click.echo(json.dumps({"data": told}, ensure_ascii=False, indent=2))
    for contact in () if as_json else found:
        click.echo("\n  ".join(map(quiet, filter(None, _lines(contact)))))
    if not found and not as_json:
        click.echo("There are no contacts yet; topcalls contacts add NAME NUMBER writes one down.")


@contacts.command()
@click.argument("who", metavar="NAME|NUMBER")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def remove(who: str, as_json: bool) -> None:
    """Take a contact out, by its name or by its number. With the number, every entry of it."""
    from ..contacts import entries
    from .address_files import international
    from .contact_file import removed

    path = _path()
    named = {entry.number for entry in entries(path) if entry.name.casefold() == who.strip().casefold()}
    if len(named) > 1:
        raise click.UsageError(
            f"{len(named)} numbers are called so; give the number, as topcalls contacts list shows it."
        )
    if named:
        count = removed(path, lambda one: one.name.casefold() == who.strip().casefold())
    else:
        try:
            number = international(who)
        except ValueError:
            number = None
        count = removed(path, lambda one: one.number == number)
    if not count:
        raise click.UsageError("No contact is called so; topcalls contacts list shows them.")
    click.echo(in_json({"removed": count}, indent=2) if as_json else f"{count} taken out.")


def tell(unread: Iterable[Unread]) -> None:
    """Print what was left out, each with its line and why."""
    left = list(unread)
    for one in left[:MOST_TOLD]:
        click.echo(f"Left out, {one}.", err=True)
    if len(left) > MOST_TOLD:
        click.echo(f"And {len(left) - MOST_TOLD} more were left out.", err=True)


def _path() -> Path:
    with opened() as line:
        return line.settings.home / "contacts.toml"


def _past(day: datetime) -> date:
    with opened() as line:
        today = line.clock().date()
    if day.date() > today:
        raise click.UsageError("Consent cannot begin in the future; give the day on which it was given.")
    return day.date()


def _tell_shared(path: Path, contact: Contact) -> None:
    """Say so where the number has other names too."""
    from ..contacts import contacts as known

    together = known(path)[contact.number]
    if together.name != contact.name:
        click.echo(f"The number is that of {quiet(together.name)}: of their facts the stricter count.")


def _lines(contact: Contact) -> tuple[str, ...]:
    consent = contact.consent
    facts = (
        contact.zone,
        contact.language,
        "any hour" if contact.hours else None,
        "yours" if contact.mine else None,
        f"{consent.basis} since {consent.date} ({consent.note})" if consent else None,
    )
    return f"{contact.number}  {contact.name}", ", ".join(filter(None, facts)), contact.note or ""
