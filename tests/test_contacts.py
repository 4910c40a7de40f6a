"""What the owner calls whom: one file, and whoever is in it is named in the question and in the yes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from topcalls_tools import Client, PlaceCall
from topcalls_tools.connect import Line
from topcalls_tools.contacts import UNKNOWN_ZONE, Consent, Contact, contacts, names
from topcalls_tools.errors import Declined, Misconfigured
from topcalls_tools.places import zone
from topcalls_tools.steps import Ask

from .conftest import CALL
from .test_flow import Script, sent

TWO = """
[[contact]]
name = "Ristorante Roma"
number = "+1 (415) 555-0123"

[[contact]]
name = "Ann Lee"
number = "+493055501401"
"""


@pytest.fixture
def file(home: Path) -> Path:
    home.mkdir()
    return home / "contacts.toml"


def test_a_number_has_the_name_that_the_owner_gave_it(file: Path) -> None:
    file.write_text(TWO)
    assert names(file) == {"+14155550123": "Ristorante Roma", "+493055501401": "Ann Lee"}


def test_without_a_file_nobody_has_a_name(file: Path) -> None:
    assert names(file) == {}
    file.write_text("")
    assert names(file) == {}


def test_two_names_of_one_number_are_both_shown(file: Path) -> None:
    file.write_text(TWO + '\n[[contact]]\nname = "Mario"\nnumber = "+14155550123"\n')
    assert names(file)["+14155550123"] == "Ristorante Roma, Mario"


FULL = """
[[contact]]
name = "Dr. Müller"
number = "+49 30 5550142"
zone = "Europe/Berlin"
language = "de"
hours = "any"
mine = true
note = "rings twice"

[contact.consent]
basis = "existing_customer"
date = 2026-03-01
note = "contract 17"
"""


def test_everything_that_is_known_of_a_contact_is_read(file: Path) -> None:
    file.write_text(FULL)
    consent = Consent(basis="existing_customer", date=date(2026, 3, 1), note="contract 17")
    assert contacts(file)["+49305550142"] == Contact(
        name="Dr. Müller",
        number="+49305550142",
        zone="Europe/Berlin",
        language="de",
        hours="any",
        mine=True,
        consent=consent,
        note="rings twice",
    )


AGREED = 'consent = {basis = "business_line", date = 2026-01-02, note = "their page"}'
LATER = 'consent = {basis = "explicit_consent", date = 2026-02-03, note = "letter"}'


@pytest.mark.parametrize(
    ("one", "other", "fact", "stands"),
    [
        ('zone = "Europe/Berlin"', "", "zone", "Europe/Berlin"),
        ('zone = "Europe/Berlin"', 'zone = "Europe/Berlin"', "zone", "Europe/Berlin"),
        ('zone = "Europe/Berlin"', 'zone = "Asia/Tokyo"', "zone", UNKNOWN_ZONE),
        ('language = "de"', "", "language", "de"),
        ('language = "de"', 'language = "fr"', "language", None),
        ('hours = "any"', "", "hours", None),
        ('hours = "any"', 'hours = "any"', "hours", "any"),
        ("mine = true", "mine = false", "mine", False),
        ("mine = true", "mine = true", "mine", True),
        (AGREED, "", "consent", None),
        (LATER, AGREED, "consent", Consent(basis="business_line", date=date(2026, 1, 2), note="their page")),
        ('note = "a"', 'note = "b"', "note", "a, b"),
    ],
)
def test_of_two_entries_of_one_number_the_stricter_facts_count(
    file: Path, one: str, other: str, fact: str, stands: object
) -> None:
    entry = '[[contact]]\nname = "{}"\nnumber = "+14155550123"\n{}\n'
    for both in ((one, other), (other, one)):
        file.write_text(entry.format("Ann", both[0]) + entry.format("Bob", both[1]))
        (found,) = contacts(file).values()
        assert found.name == "Ann, Bob"
        if fact != "note" or both == (one, other):
            assert getattr(found, fact) == stands


def test_the_zone_that_stands_for_a_contradiction_is_one_that_no_machine_knows() -> None:
    assert zone(UNKNOWN_ZONE) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '[[contact]]\nname = "A"\nnumber = "+14155550123"\nzone = "Europe"',
            "contact 1, zone is no time zone",
        ),
        ('[[contact]]\nname = "A"\nnumber = "+14155550123"\nlanguage = "DE"', "contact 1, language: "),
        ('[[contact]]\nname = "A"\nnumber = "+14155550123"\nhours = "8-22"', "contact 1, hours: "),
        ('[[contact]]\nname = "A"\nnumber = "+14155550123"\nmine = "yes"', "contact 1, mine: "),
        (FULL.replace("existing_customer", "he_is_nice"), "contact 1, consent.basis: "),
        (FULL.replace('"contract 17"', '" "'), "contact 1, consent.note: "),
        (FULL + "until = 2027-01-01", "contact 1, consent.until is unknown, there are basis, date, note"),
        ("contact = maybe", "Invalid value"),
        ('[[contact]]\nname = "Ann"', "contact 1, number: Field required"),
        ('[[contact]]\nname = ""\nnumber = "+14155550123"', "contact 1, name: "),
        ('[[contact]]\nname = "Ann"\nnumber = "4155550123"', "contact 1, number is no international number"),
        (
            '[[contact]]\nname = "Ann"\nnumber = "+14155550123"\nemail = "a@b.c"',
            "contact 1, email is unknown, there are name, number, zone",
        ),
        ('[[people]]\nname = "Ann"', "people is unknown, there are contact"),
        ('contact = "Ann"', "contact: "),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_in_words(file: Path, text: str, words: str) -> None:
    file.write_text(text)
    with pytest.raises(Misconfigured, match=r"contacts\.toml cannot be read \(.*\); correct it\.$") as got:
        names(file)
    assert words in str(got.value)


def test_what_is_no_text_or_no_file_is_an_error_in_words(file: Path, home: Path) -> None:
    file.write_bytes(b'[[contact]]\nname = "\xff"\n')
    with pytest.raises(Misconfigured, match=r"contacts\.toml cannot be read"):
        names(file)
    with pytest.raises(Misconfigured, match="Is a directory"):
        names(home)


def asked(line: Line, number: str) -> Ask:
    """The question that a call to this number leads to."""
    found: list[Ask] = []

    def approve(ask: Ask) -> None:
        found.append(ask)

    with pytest.raises(Declined, match="Nobody answered"):
        sent("sync", line, Script(), PlaceCall(**{**CALL, "phone_number": number}), approve=approve)
    return found[0]


def test_a_question_names_whom_the_owner_knows(file: Path, live: Callable[..., Line]) -> None:
    file.write_text(TWO)
    line = live()
    label, name = asked(line, "+14155550123").question.quoted[0]
    assert (label, name) == ("called in your contacts", "Ristorante Roma")
    assert asked(line, "+14155550142").question.quoted[0][0] == "phone_number (United States)"


def test_the_file_counts_as_it_is_when_the_question_is_put(file: Path, live: Callable[..., Line]) -> None:
    line = live()
    unnamed = asked(line, "+14155550123")
    file.write_text(TWO)
    named = asked(line, "+14155550123")
    assert named.question.quoted[0] == ("called in your contacts", "Ristorante Roma")
    assert named.digest != unnamed.digest, "a yes is a yes to whom the person saw"
    file.unlink()
    assert asked(line, "+14155550123").digest == unnamed.digest


def test_a_file_that_cannot_be_read_stops_a_call_before_it_is_asked_about(
    file: Path, live: Callable[..., Line]
) -> None:
    file.write_text("contact = maybe")
    script = Script()
    with pytest.raises(Misconfigured, match=r"contacts\.toml"):
        sent("sync", live(), script, PlaceCall(**CALL), approve=lambda ask: pytest.fail("was asked"))
    assert not script.requests


def test_brakes_and_reads_need_no_contacts(file: Path, live: Callable[..., Line]) -> None:
    import httpx

    from topcalls_tools import GetBalance, StopCall

    file.write_text("contact = maybe")
    topcalls = httpx.MockTransport(lambda request: httpx.Response(200, json={"ok": True, "remaining": 1}))
    client = Client(line=live(), transport=topcalls)
    assert client.send(StopCall(call_id="c1")).ok
    assert client.send(GetBalance()).remaining == 1
