"""Whom the owner knows: one file, whoever is in it is named in the question and in the yes, and the owner's
commands over it."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from topcalls_tools import Client, PlaceCall
from topcalls_tools.connect import Line
from topcalls_tools.contacts import UNKNOWN_ZONE, Consent, Contact, contacts, entries
from topcalls_tools.errors import Declined, Misconfigured
from topcalls_tools.flow.steps import Ask
from topcalls_tools.places import zone

from .conftest import CALL
from .test_cli import run
from .test_flow import Script, sent

TWO = """
[[contact]]
name = "Ristorante Roma"
number = "+1 (415) 555-0123"

[[contact]]
name = "Ann Lee"
number = "+493055501401"
"""


def names(path: Path) -> dict[str, str]:
    return {number: contact.name for number, contact in contacts(path).items()}


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


MINE = """# people that I know
[[contact]] # the first
name = "Ann" # my sister
number = "+1 (415) 555-0123"

# end
"""


def test_a_contact_is_written_down_with_all_that_is_said_of_it(home: Path) -> None:
    options = ["--zone", "Europe/Berlin", "--language", "de", "--hours", "any", "--mine", "--note", "x"]
    consent = [
        "--consent-basis",
        "explicit_consent",
        "--consent-date",
        "2026-03-01",
        "--consent-note",
        "form",
    ]
    done = run("contacts", "add", "Dr. Müller", "+49 (0)30 5550142", *options, *consent)
    assert done.exit_code == 0, done.stderr
    assert done.stdout == "Dr. Müller, +49305550142, is written down.\n"
    file = home / "contacts.toml"
    agreed = Consent(basis="explicit_consent", date=date(2026, 3, 1), note="form")
    assert entries(file) == (
        Contact(
            name="Dr. Müller",
            number="+49305550142",
            zone="Europe/Berlin",
            language="de",
            hours="any",
            mine=True,
            consent=agreed,
            note="x",
        ),
    )
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in home.iterdir()] == ["contacts.toml"]


def test_what_stands_in_the_file_stays_as_it_is_comments_too(file: Path) -> None:
    file.write_text(MINE)
    assert run("contacts", "add", "Bob", "030 5550142", "--region", "DE").exit_code == 0
    assert file.read_text().startswith(MINE)
    assert [one.name for one in entries(file)] == ["Ann", "Bob"]
    assert run("contacts", "add", "Ann", "+14155550123", "--language", "en").stdout.endswith("is changed.\n")
    assert run("contacts", "add", "Ann", "+14155550123", "--language", "en").stdout.endswith(
        "known just so.\n"
    )
    assert file.read_text().startswith(MINE), "what stands there stays"
    assert [one.language for one in entries(file)] == ["en", None]
    assert run("contacts", "remove", "bob").exit_code == 0
    assert [one.name for one in entries(file)] == ["Ann"]
    assert run("contacts", "remove", "+1 415 555 0123").exit_code == 0
    assert entries(file) == ()
    assert "# people that I know" in file.read_text()


def test_what_is_added_later_changes_a_contact_and_forgets_nothing(file: Path) -> None:
    file.write_text(FULL)
    run("contacts", "add", "Dr. Müller", "+49305550142", "--zone", "Europe/Vienna")
    (one,) = entries(file)
    assert one.zone == "Europe/Vienna"
    assert one.consent is not None
    assert (one.language, one.mine, one.consent.note) == ("de", True, "contract 17")


def test_contacts_that_stand_in_one_array_can_be_added_to(file: Path) -> None:
    file.write_text('contact = [{name = "Ann", number = "+14155550123"}]\n')
    assert run("contacts", "add", "Bob", "+14155550124").exit_code == 0
    assert [one.name for one in entries(file)] == ["Ann", "Bob"]
    assert run("contacts", "remove", "Ann").exit_code == 0
    assert [one.name for one in entries(file)] == ["Bob"]


def test_a_file_that_is_a_link_stays_one(file: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.toml").write_text(MINE)
    file.symlink_to(tmp_path / "elsewhere.toml")
    assert run("contacts", "add", "Bob", "+14155550124").exit_code == 0
    assert file.is_symlink()
    assert [one.name for one in entries(tmp_path / "elsewhere.toml")] == ["Ann", "Bob"]


def test_a_second_name_of_a_number_is_said_to_share_it(file: Path) -> None:
    file.write_text(MINE)
    done = run("contacts", "add", "Bob", "+14155550123")
    assert "The number is that of Ann, Bob: of their facts the stricter count." in done.stdout
    assert run("contacts", "remove", "Ann").stdout == "1 taken out.\n"
    assert names(file) == {"+14155550123": "Bob"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["Ann", "0171 2345678"], "not international"),
        (["Ann", "+14155550123 ext. 5"], "extension"),
        (["Ann", "+1415"], "too short"),
        (["", "+14155550123"], "name"),
        (["Ann", "+14155550123", "--zone", "Berlin"], "zone is no time zone"),
        (["Ann", "+14155550123", "--language", "german"], "language"),
        (["Ann", "+14155550123", "--hours", "8-9"], "hours"),
        (["Ann", "0171 2345678", "--region", "Germany"], "two letters"),
        (["Ann", "+14155550123", "--consent-basis", "business_line"], "--consent-date"),
        (["Ann", "+14155550123", "--consent-note", "x", "--consent-date", "2026-01-01"], "--consent-basis"),
        (
            [
                "Ann",
                "+14155550123",
                "--consent-basis",
                "business_line",
                "--consent-date",
                "2999-01-01",
                "--consent-note",
                "x",
            ],
            "future",
        ),
        (["Ann", "+14155550123", "--consent-date", "last May"], "consent-date"),
    ],
)
def test_what_cannot_be_a_contact_is_not_written_down(home: Path, given: list[str], words: str) -> None:
    done = run("contacts", "add", *given)
    assert done.exit_code == 2, done.output
    assert words in done.stderr
    assert not (home / "contacts.toml").exists()


@pytest.mark.parametrize("command", [["add", "Bob", "+14155550124"], ["remove", "Ann"], ["list"]])
def test_a_file_that_cannot_be_read_is_not_written_over(file: Path, command: list[str]) -> None:
    file.write_text(MINE + "oops")
    done = run("contacts", *command)
    assert done.exit_code == 6
    assert "contacts.toml cannot be" in done.stderr
    assert file.read_text() == MINE + "oops"


def test_a_disk_without_room_leaves_the_file_as_it_was(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    file.write_text(MINE)
    monkeypatch.setattr(os, "fsync", full)
    done = run("contacts", "add", "Bob", "+14155550124")
    assert done.exit_code == 6
    assert "No space left on device" in done.stderr
    assert file.read_text() == MINE
    assert [path.name for path in file.parent.iterdir()] == ["contacts.toml"]


def test_what_somebody_else_writes_meanwhile_is_not_lost(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(MINE)
    monkeypatch.setattr(os, "fsync", lambda descriptor: file.write_text(TWO))
    done = run("contacts", "add", "Bob", "+14155550124")
    assert done.exit_code == 6
    assert "changed it meanwhile" in done.stderr
    assert file.read_text() == TWO


def test_contacts_are_listed_for_people_and_for_programs(file: Path) -> None:
    assert "no contacts yet" in run("contacts", "list").stdout
    file.write_text(FULL.replace("rings twice", "rings \\u001b[2J"))
    listed = run("contacts", "list").stdout
    assert listed.splitlines() == [
        "+49305550142  Dr. Müller",
        "  Europe/Berlin, de, any hour, yours, existing_customer since 2026-03-01 (contract 17)",
        "  rings \\u{1b}[2J",
    ]
    (told,) = json.loads(run("contacts", "list", "--json").stdout)["data"]
    assert told["consent"] == {"basis": "existing_customer", "date": "2026-03-01", "note": "contract 17"}


def test_a_name_of_several_numbers_is_taken_out_by_number_alone(file: Path) -> None:
    file.write_text(TWO.replace("Ann Lee", "Ristorante Roma"))
    done = run("contacts", "remove", "Ristorante Roma")
    assert done.exit_code == 2
    assert "2 numbers are called so" in done.stderr
    assert run("contacts", "remove", "+493055501401").stdout == "1 taken out.\n"
    assert [*names(file)] == ["+14155550123"]
    nobody = run("contacts", "remove", "Nobody")
    assert nobody.exit_code == 2
    assert "topcalls contacts list shows them" in nobody.stderr
