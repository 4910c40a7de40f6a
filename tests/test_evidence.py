"""The chain of evidence: it verifies, it shows every change, and a person can be forgotten all the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, text, update

from topcalls_tools.errors import Refused
from topcalls_tools.facts import callee
from topcalls_tools.journal import archive, heads
from topcalls_tools.journal.store import Journal
from topcalls_tools.journal.tables import evidence, personal

from .test_journal import INQUIRY, NOW, ask, claimed, dial, yes

DOCUMENT = {
    "title": "Place call?",
    "lines": [],
    "quoted": [{"label": "task", "value": "Ask."}],
    "closing": [],
}


@pytest.fixture
def journal(store: Path | str) -> Iterator[Journal]:
    """A journal with one call in it, from the question to the minutes that it used, and one no."""
    journal = Journal(store)
    journal.open_ask(replace(ask(), question=DOCUMENT))
    mine, _ = claimed(journal)
    journal.settle(mine, "placed", NOW, {"call_id": "c1", "status": "queued"})
    journal.close_dial(mine, 2.5, NOW + timedelta(minutes=4))
    journal.open_ask(replace(ask("k2", "d2"), target="+493055501401"))
    journal.decide("k2", "no", "page", NOW)
    yield journal
    journal.close()


def kinds(journal: Journal, key: str) -> list[str]:
    return [link["kind"] for link in archive.exported(journal, key)["evidence"]]


def test_a_call_is_told_from_the_question_to_its_minutes(journal: Journal) -> None:
    told = archive.exported(journal, "k1")
    assert kinds(journal, "k1") == ["question", "answer", "request", "outcome", "closed"]
    assert told["question"]["question"] == DOCUMENT
    assert (told["question"]["decision"], told["question"]["by"]) == ("yes", "callback")
    assert told["dial"]["arguments"] == {"a": 1}
    assert (told["dial"]["call_id"], told["dial"]["used_minutes"]) == ("c1", 2.5)
    assert told["evidence"][2]["facts"] == {"tool": "place_call", "minutes": 10}
    assert kinds(journal, "k2") == ["question", "answer"]
    assert json.loads(json.dumps(told)) == told


def test_it_holds_and_its_head_is_the_last_link(journal: Journal) -> None:
    assert list(archive.troubles(journal)) == []
    last = archive.exported(journal, "k2")["evidence"][-1]
    assert archive.head(journal) == f"{last['seq']} {last['hash']}"


def test_nothing_personal_stands_in_the_chain(journal: Journal) -> None:
    with journal.storage.reading() as db:
        chain = str(db.execute(select(evidence)).all())
    assert "+1415" not in chain
    assert "+4930" not in chain
    assert "Ask." not in chain


@pytest.mark.parametrize("column", ["account", "kind", "key", "facts", "at", "digest", "previous", "hash"])
@pytest.mark.parametrize("seq", [1, 3, 7])
def test_every_change_of_a_link_shows(journal: Journal, column: str, seq: int) -> None:
    value: Any = {"facts": {"minutes": 1}, "at": NOW + timedelta(seconds=1)}.get(column, "0" * 8)
    with journal.writing() as db:
        db.execute(update(evidence).where(evidence.c.seq == seq).values({column: value}))
    assert list(archive.troubles(journal))


@pytest.mark.parametrize("seq", [1, 4])
def test_a_link_that_was_taken_out_shows(journal: Journal, seq: int) -> None:
    with journal.writing() as db:
        db.execute(delete(evidence).where(evidence.c.seq == seq))
    assert any("something was taken out" in trouble for trouble in archive.troubles(journal))


@pytest.mark.parametrize("column", ["salt", "content"])
def test_a_change_of_what_is_personal_shows(journal: Journal, column: str) -> None:
    with journal.writing() as db:
        db.execute(update(personal).where(personal.c.id == 1).values({column: "other"}))
    assert list(archive.troubles(journal)) == ["What is personal of entry 1 is not what was written."]


def test_an_end_that_was_cut_off_shows_by_the_head_that_was_kept(journal: Journal) -> None:
    kept = archive.head(journal)
    with journal.writing() as db:
        db.execute(delete(evidence).where(evidence.c.seq >= 6))
    assert list(archive.troubles(journal)) == []
    assert list(archive.troubles(journal, frozenset({kept}))) == [
        "Entry 7 with the hash that was kept elsewhere is not there."
    ]


def test_the_head_is_told_each_time_once_it_is_on_the_disk(tmp_path: Path) -> None:
    told = heads.teller("heads.log", tmp_path)
    journal = Journal(tmp_path / "j.db", told=told)
    journal.open_ask(ask())
    claimed(journal)
    kept = heads.heads(tmp_path / "heads.log")
    assert len(kept) == 2
    assert archive.head(journal) in kept
    assert list(archive.troubles(journal, kept)) == []

    def objects(*_: Any) -> None:
        raise Refused("a-rule", "No.")

    journal.open_ask(ask("k2", "d2"))
    with pytest.raises(Refused):
        journal.claim(dial("k2"), yes("k2"), objects, INQUIRY)
    assert len(heads.heads(tmp_path / "heads.log")) == 3


def test_the_head_may_be_told_to_the_systems_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[str] = []
    monkeypatch.setattr("syslog.syslog", lambda level, words: logged.append(words))
    journal = Journal(tmp_path / "j.db", told=heads.teller("syslog", tmp_path))
    journal.open_ask(ask())
    assert logged == [f"evidence {archive.head(journal)}"]


def test_a_head_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db", told=heads.teller("no/such/directory/heads", tmp_path))
    assert journal.open_ask(ask()).key == "k1"


def test_who_is_forgotten_leaves_a_chain_that_verifies(
    journal: Journal, store: Path | str, tmp_path: Path
) -> None:
    kept = archive.head(journal)
    assert archive.forget(journal, "+14155550123", NOW) == 1
    assert list(archive.troubles(journal, frozenset({kept}))) == []
    told = archive.exported(journal, "k1")
    assert (told["question"]["target"], told["dial"]["arguments"]) == ("", {})
    assert told["dial"]["used_minutes"] == 2.5
    assert kinds(journal, "k1")[-1] == "erased"
    journal.close()
    for file in tmp_path.iterdir():
        assert b"+14155550123" not in file.read_bytes(), file
    assert archive.exported(Journal(store), "k2")["question"]["target"] == "+493055501401"


def test_nobody_is_forgotten_whose_call_may_be_under_way(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    journal.open_ask(ask())
    claimed(journal)
    with pytest.raises(Refused, match="may still be under way; topcalls journal settle"):
        archive.forget(journal, "+14155550123", NOW)
    assert journal.dial("k1").arguments == {"a": 1}


def test_what_is_old_is_forgotten_and_what_is_open_is_not(journal: Journal) -> None:
    journal.open_ask(ask("k3", "d3"))
    claimed(journal, dial("k3"))
    assert archive.purge(journal, NOW - timedelta(seconds=1), NOW) == 0
    later = NOW + timedelta(days=91)
    assert archive.purge(journal, later - timedelta(days=90), later) == 2
    assert journal.dial("k1").target == ""
    assert journal.dial("k3").target == "+14155550123"
    assert list(archive.troubles(journal)) == []
    assert archive.purge(journal, later - timedelta(days=90), later) == 0


def test_a_forgotten_number_that_is_not_to_be_called_is_kept_as_a_digest_alone(
    journal: Journal, live: Callable[..., Any], tmp_path: Path
) -> None:
    desk = live().desk()
    digest = callee("+14155550123", desk)
    archive.forget(journal, "+14155550123", NOW, digest)
    asked = replace(INQUIRY, callees=(digest, callee("+493055501401", desk)))
    assert journal.ledger(asked, NOW).blocked == {digest}
    assert list(archive.troubles(journal)) == []


def test_a_call_is_found_by_the_beginning_of_its_key_or_by_its_id(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    first, second = "abcd" + "0" * 28, "abce" + "0" * 28
    for one, digest in ((first, "d1"), (second, "d2")):
        journal.open_ask(ask(one, digest))
    mine, _ = claimed(journal, dial(first))
    journal.settle(mine, "placed", NOW, {"call_id": "call-77"})
    assert archive.key_of(journal, "abcd") == first
    assert archive.key_of(journal, "call-77") == first
    for wrong in ("abc", "", "a%", "zzzz"):
        with pytest.raises(Refused, match="topcalls journal list"):
            archive.key_of(journal, wrong)


def test_a_journal_of_before_keeps_what_it_holds(tmp_path: Path) -> None:
    """What version 0001 wrote is carried over: questions, dials, and what is personal."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine

    engine = create_engine(f"sqlite:///{tmp_path / 'j.db'}")
    config = Config()
    config.set_main_option("script_location", str(Path(heads.__file__).parent / "migrations"))
    with engine.begin() as db:
        config.attributes["connection"] = db
        command.upgrade(config, "0001")
        at = datetime(2026, 11, 20, 12, tzinfo=UTC).strftime("%Y-%m-%d %H:%M:%S.000000")
        db.execute(
            text(
                "INSERT INTO asks (key, account, line, tool, digest, target, minutes, asked_at, expires_at, decision)"
                f" VALUES ('k1', 'live', 'l', 'place_call', 'd', '+14155550123', 10, '{at}', '{at}', 'yes')"
            )
        )
        for key, state, reply in (("k1", "placed", '{"call_id": "c1"}'), ("k9", "failed", "null")):
            db.execute(
                text(
                    "INSERT INTO dials (key, account, tool, arguments, digest, target, minutes, state, sent_at,"
                    " leased_at, reply, settled_at) VALUES (:key, 'live', 'place_call', '{\"task\": \"Ask.\"}',"
                    f" 'd', '+14155550123', 10, :state, '{at}', '{at}', :reply, '{at}')"
                ),
                {"key": key, "state": state, "reply": reply},
            )
    journal = Journal(tmp_path / "j.db")
    placed = journal.dial("k1")
    assert (placed.target, placed.arguments, placed.reply) == (
        "+14155550123",
        {"task": "Ask."},
        {"call_id": "c1"},
    )
    assert (placed.call_id, placed.line, placed.closed_at) == ("c1", "l", None)
    assert [row.key for row in journal.open_dials("live")] == ["k1"]
    assert journal.asked("k1").target == "+14155550123"  # type: ignore[union-attr]
    assert list(archive.troubles(journal)) == []
