"""Address files of other programs: what is taken over, what is left out, and that it is told."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from topcalls_tools.cli.address_files import international, people
from topcalls_tools.contacts import Consent, Contact, entries
from topcalls_tools.errors import Misconfigured

from .test_cli import run

CSV = """\ufeffName;Phone;Time zone;Language;hours;MINE;Consent-basis;consent_date;consent note;Notes;E-mail
Dr. Müller;030 5550142;Europe/Berlin;de;;;existing_customer;2026-03-01;contract 17;"first floor;
ring twice";a@b.c
Ann;+1 (415) 555-0123;;;any;yes;;;;;
;;;;;;;;;;
Bob;+49 (0)30 5550143
"""
TAKEN = [
    Contact(
        name="Dr. Müller",
        number="+49305550142",
        zone="Europe/Berlin",
        language="de",
        consent=Consent(basis="existing_customer", date=date(2026, 3, 1), note="contract 17"),
        note="first floor; ring twice",
    ),
    Contact(name="Ann", number="+14155550123", hours="any", mine=True),
    Contact(name="Bob", number="+49305550143"),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "people"


def test_a_table_is_taken_over(file: Path) -> None:
    file.write_text(CSV)
    assert people(file, "DE") == (TAKEN, [])


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_columns_may_be_set_apart_in_three_ways(file: Path, separator: str) -> None:
    file.write_text(
        separator.join(["name", "number"]) + "\r\n" + separator.join(["Ann", "+14155550123"]) + "\r\n"
    )
    assert people(file, None) == ([Contact(name="Ann", number="+14155550123")], [])


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("Ann,0171 2345678,,,", "not international; write a plus sign and the country code first, or name"),
        ("Ann,,,,", "not international"),
        ("Ann,+14155550123x5,,,", "extension"),
        ("Ann,+1415,,,", "too short"),
        (",+14155550123,,,", "name: Field required"),
        ("Ann,+14155550123,Berlin,,", "zone is no time zone"),
        ("Ann,+14155550123,,perhaps,", "mine: Input should be a valid boolean"),
        ("Ann,+14155550123,,,business_line", "consent.date: Field required"),
        ("Ann,+14155550123,,,,more", "more columns than the first line names"),
    ],
)
def test_a_row_that_cannot_be_read_is_left_out_and_named_by_its_line(file: Path, row: str, why: str) -> None:
    file.write_text(
        f'name,number,zone,mine,consent_basis\n"Bob\nLee",+14155550124,,,\n{row}\nEve,+14155550125,,no,\n'
    )
    found, (unread,) = people(file, None)
    assert [one.name for one in found] == ["Bob Lee", "Eve"]
    assert unread.line == 4
    assert why in str(unread)


CARDS = """BEGIN:VCARD
VERSION:3.0
N:O'Brien;Seán;;;
FN:Seán O'Brien\\, and\\; S
 ons
ORG:Sons;
item1.TEL;TYPE="CELL,VOICE":+353 86 123 4567
TEL;type=HOME;type=pref:01 555 0142
TEL;TYPE=WORK,FAX:+353 1 555 0143
NOTE:BEGIN:VCARD
TZ:Europe/Dublin
LANG:en-IE
X-THING;X="a:b;c":+353 1 555 0199
END:VCARD

begin:vcard
version:4.0
n:Lee;Ann;;;
tel;value=uri;pref=1:tel:+1-415-555-0150
tz:-0500
lang:x-klingon
end:vcard
BEGIN:VCARD
VERSION:4.0
ORG:Ristorante Roma;Kitchen
TEL:+14155550151
TEL:+14155550152
END:VCARD
"""


def test_cards_are_taken_over_a_contact_for_each_number_that_somebody_speaks_at(file: Path) -> None:
    file.write_text(CARDS)
    sean = {"zone": "Europe/Dublin", "language": "en"}
    assert people(file, "IE") == (
        [
            Contact(name="Seán O'Brien, and; Sons (cell)", number="+353861234567", **sean),
            Contact(name="Seán O'Brien, and; Sons (home)", number="+35315550142", **sean),
            Contact(name="Ann Lee", number="+14155550150"),
            Contact(name="Ristorante Roma", number="+14155550151"),
            Contact(name="Ristorante Roma", number="+14155550152"),
        ],
        [],
    )


@pytest.mark.parametrize(
    ("card", "line", "why"),
    [
        ("FN:Ann\nEND:VCARD", 5, "no number to speak at"),
        ("FN:Ann\nTEL;TYPE=FAX:+14155550123\nEND:VCARD", 5, "no number to speak at"),
        ("FN:Ann\nTEL:0171 2345678\nEND:VCARD", 7, "not international"),
        ("FN:Ann\nTEL;VALUE=uri:tel:+1-415-555-0123;ext=7\nEND:VCARD", 7, "extension"),
        ("TEL:+14155550123\nEND:VCARD", 6, "name: Field required"),
        ("FN;ENCODING=QUOTED-PRINTABLE:J=C3=B6rg\nTEL:+14155550123\nEND:VCARD", 5, "version 2.1"),
        ("FN:Ann\nTEL:+14155550123", 5, "does not end"),
    ],
)
def test_a_card_that_cannot_be_read_is_left_out_and_named_by_its_line(
    file: Path, card: str, line: int, why: str
) -> None:
    whole = "BEGIN:VCARD\nFN:Bob\nTEL:+14155550124\nEND:VCARD\n"
    file.write_text(f"{whole}BEGIN:VCARD\n{card}\n{whole}")
    found, (unread,) = people(file, None)
    assert [one.name for one in found] == ["Bob", "Bob"]
    assert unread.line == line
    assert why in str(unread)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"name,number\nM\xfcller,+14155550123\n", "no UTF-8 text"),
        (b"Ann,+14155550123\n", "no column name and no column number"),
        (b"name,e-mail\nAnn,a@b.c\n", "no column number"),
        (b"", "no column name and no column number"),
        (b"name,number\n" + b"x" * 200_000 + b",+14155550123\n", "cannot be read as CSV"),
    ],
)
def test_a_file_that_is_no_address_file_is_an_error_in_words(file: Path, content: bytes, words: str) -> None:
    file.write_bytes(content)
    with pytest.raises(Misconfigured, match=words):
        people(file, None)


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("+49 (0)30 5550142", None, "+49305550142"),
        ("030 / 555 01-42", "DE", "+49305550142"),
        ("0049 30 5550142", "DE", "+49305550142"),
        ("+1 415 555 0123", "DE", "+14155550123"),
        ("(415) 555-0123", "US", "+14155550123"),
        ("06 555 01234", "IT", "+390655501234"),
        ("tel:+1-415-555-0123", None, "+14155550123"),
        ("+４９ ３０ ５５５０１４２", None, "+49305550142"),
    ],
)
def test_a_number_is_read_as_people_write_it(text: str, region: str | None, number: str) -> None:
    assert international(text, region) == number


def test_an_import_is_written_at_once_and_says_what_became_of_it(file: Path, home: Path) -> None:
    file.write_text(CSV)
    done = run("contacts", "import", str(file), "--region", "DE")
    assert done.exit_code == 0, done.output
    assert done.stdout == "3 new, 0 changed, 0 known just so, 0 left out.\n"
    assert list(entries(home / "contacts.toml")) == TAKEN
    file.write_text(CSV.replace(";any;yes;", ";;;").replace("+49 (0)30 5550143", "none"))
    done = run("contacts", "import", str(file), "--region", "DE")
    assert done.exit_code == 6
    assert done.stdout == "0 new, 0 changed, 2 known just so, 1 left out.\n"
    assert done.stderr.startswith("Left out, line 6: the number is not international")
    assert list(entries(home / "contacts.toml")) == TAKEN


def test_where_nothing_can_be_taken_over_nothing_is_written(file: Path, home: Path) -> None:
    file.write_text("name,number\n" + "Ann,0171\n" * 60)
    done = run("contacts", "import", str(file))
    assert done.exit_code == 6
    assert done.stderr.count("Left out, line") == 50
    assert "And 10 more were left out." in done.stderr
    assert "so nothing was written" in done.stderr
    assert not (home / "contacts.toml").exists()


def test_what_an_import_cannot_write_leaves_no_part_behind(file: Path, home: Path) -> None:
    home.mkdir()
    (home / "contacts.toml").write_text("oops")
    file.write_text(CSV)
    done = run("contacts", "import", str(file), "--region", "DE")
    assert done.exit_code == 6
    assert "contacts.toml cannot be changed" in done.stderr
    assert (home / "contacts.toml").read_text() == "oops"
    assert [path.name for path in home.iterdir()] == ["contacts.toml"]
