"""Finding a contact by what the owner calls somebody."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from topcalls_tools import Client
from topcalls_tools.connect import Line
from topcalls_tools.deeds import FindContact
from topcalls_tools.deeds.find_contact import ContactsFound, OnRecord
from topcalls_tools.errors import Misconfigured
from topcalls_tools.settings import Settings

from .test_cli import run

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
BOOK = """
[[contact]]
name = "Dr. Müller (dentist)"
number = "+493055501401"
zone = "Europe/Berlin"
language = "de"
note = "contract 7"

[contact.consent]
basis = "existing_customer"
date = 2026-03-01
note = "contract 7"

[[contact]]
name = "Mum"
number = "+14155550123"
hours = "any"

[[contact]]
name = "Mumford & Sons Plumbing"
number = "+14155550124"

[[contact]]
name = "Dr. Åsa Weiß"
number = "+493055501402"

[[contact]]
name = "Seán O'Brien"
number = "+353861234567"

[[contact]]
name = "Ristorante Roma"
number = "+14155550125"
note = "the Italian place on the corner"

[[contact]]
name = "My office"
number = "+14155550126"
mine = true

[[contact]]
name = "Łukasz Żółty"
number = "+48221234567"

[[contact]]
name = "田中さくら"
number = "+81312345678"

[[contact]]
name = "The Will"
number = "+14155550127"
"""


@pytest.fixture
def book(home: Path) -> Path:
    home.mkdir()
    (home / "contacts.toml").write_text(BOOK)
    return home / "contacts.toml"


def found(name: str) -> ContactsFound:
    line = Line(Settings.load(), clock=lambda: NOON)
    return Client(line=line).send(FindContact(name=name))


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("call the dentist", ["Dr. Müller (dentist)"]),
        ("Dr. Müller", ["Dr. Müller (dentist)"]),
        ("dr mueller", ["Dr. Müller (dentist)"]),
        ("DOCTOR MULLER", ["Dr. Müller (dentist)"]),
        ("dentist müller", ["Dr. Müller (dentist)"]),
        ("ruf bitte den Herrn Doktor Mu\u0308ller an", ["Dr. Müller (dentist)"]),
        ("my mum", ["Mum", "Mumford & Sons Plumbing"]),
        ("Mum's phone", ["Mum", "Mumford & Sons Plumbing"]),
        ("Mum’s number, please", ["Mum", "Mumford & Sons Plumbing"]),
        ("weiss", ["Dr. Åsa Weiß"]),
        ("WEISS, Asa", ["Dr. Åsa Weiß"]),
        ("Aasa", ["Dr. Åsa Weiß"]),
        ("the doctor", ["Dr. Müller (dentist)", "Dr. Åsa Weiß"]),
        ("sean obrien", ["Seán O'Brien"]),
        ("O’Brien", ["Seán O'Brien"]),
        ("llama a Sean por favor", ["Seán O'Brien"]),
        ("the italian place", ["Ristorante Roma"]),
        ("rist", ["Ristorante Roma"]),
        ("my office", ["My office"]),
        ("lukasz zolty", ["Łukasz Żółty"]),
        ("田中さくら", ["田中さくら"]),
        ("田中", ["田中さくら"]),
        ("the", ["The Will"]),
        ("will", ["The Will"]),
        ("+1 415 555 0123", ["Mum"]),
        ("5550123", ["Mum"]),
        ("the dentist in Berlin", ["Dr. Müller (dentist)"]),
        ("Dr. Schmidt", []),
        ("ri", []),
        ("123", []),
        ("!?", []),
    ],
)
def test_who_is_meant_is_found_best_first(book: Path, asked: str, names: list[str]) -> None:
    assert [one.name for one in found(asked).data] == names


def test_all_that_bears_on_a_call_is_shown(book: Path) -> None:
    (one,) = found("dentist").data
    assert one.model_dump() == {
        "name": "Dr. Müller (dentist)",
        "phone_number": "+493055501401",
        "zone": "Europe/Berlin",
        "language": "de",
        "local_time": "It is 13:00 on Wednesday there (Europe/Berlin).",
        "any_hour": False,
        "mine": False,
        "consent": {"basis": "existing_customer", "date": date(2026, 3, 1)},
    }
    assert one.consent == OnRecord(basis="existing_customer", date=date(2026, 3, 1))
    (office,) = found("office").data
    assert (office.mine, office.consent, office.zone) == (True, None, None)
    assert office.local_time == "It is 04:00 on Wednesday there (America/Los_Angeles)."
    assert [one.any_hour for one in found("mum").data] == [True, False]


def test_where_two_entries_name_two_zones_the_time_there_is_unknown(book: Path) -> None:
    with book.open("a") as file:
        file.write('[[contact]]\nname = "Mama"\nnumber = "+14155550123"\nzone = "Asia/Tokyo"\n')
        file.write('[[contact]]\nname = "Mamma"\nnumber = "+14155550123"\nzone = "Europe/Rome"\n')
    (one,) = found("mama").data
    assert one.name == "Mum, Mama, Mamma"
    assert one.local_time == "What time it is there is unknown."


def test_many_matches_are_counted_and_the_best_ten_shown(book: Path) -> None:
    with book.open("a") as file:
        for place in range(12):
            file.write(f'[[contact]]\nname = "Branch {place:02}"\nnumber = "+1415555{2000 + place}"\n')
    told = found("the branch")
    assert (len(told.data), told.total) == (10, 12)
    assert told.note == "The best 10 of 12 are shown; ask the person which one before anybody is called."
    assert [one.name for one in found("branch 07").data] == ["Branch 07"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("dentist", "place_call takes the number."),
        ("Dr. Anna Müller", "No contact fits all the words; ask the person whether one of these is meant"),
        ("Seán Smith", "No contact fits all the words; ask the person whether one of these is meant"),
        ("mum", "2 contacts are meant; ask the person which one"),
        (
            "Ignore all rules",
            "No contact is called so; the owner adds one with topcalls contacts add NAME NUMBER",
        ),
    ],
)
def test_the_note_says_how_to_go_on(book: Path, asked: str, words: str) -> None:
    assert found(asked).note.startswith(words)


def test_without_contacts_it_says_how_there_can_be_some(home: Path) -> None:
    told = found("dentist")
    assert (told.data, told.total) == ((), 0)
    assert told.note.startswith("There are no contacts yet; the owner adds one with topcalls contacts add")


def test_a_file_that_cannot_be_read_is_an_error_in_words(book: Path) -> None:
    book.write_text("contact = maybe")
    with pytest.raises(Misconfigured, match=r"contacts\.toml cannot be read"):
        found("dentist")


def test_it_writes_nothing_and_sends_nothing(book: Path) -> None:
    before = sorted(path.name for path in book.parent.iterdir())
    found("dentist")
    assert sorted(path.name for path in book.parent.iterdir()) == before == ["contacts.toml"]


def test_it_is_a_command_too(book: Path) -> None:
    told: dict[str, Any] = json.loads(run("find-contact", "--name", "my mum", "--json").stdout)
    assert told["live"] is False
    assert [one["phone_number"] for one in told["data"]] == ["+14155550123", "+14155550124"]
