"""The chain of evidence: it verifies, it shows every change, and a person can be forgotten all the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update

from topcalls_tools import StopCall
from topcalls_tools.deeds import StopAll
from topcalls_tools.errors import Misconfigured, Refused
from topcalls_tools.flow.facts import callee
from topcalls_tools.journal import Inquiry, Yes, archive, heads
from topcalls_tools.journal.store import Journal
from topcalls_tools.journal.tables import asks, evidence, personal

from .conftest import owner
from .test_flow import LIST, PLACE, Script, sent
from .test_flow import yes as yes_
from .test_journal import INQUIRY, NOW, ask, claimed, dial, nothing, yes

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


TAMPERED = {
    "UPDATE asks SET decision = 'yes' WHERE key = 'k2'": "The question k2 is not what its entries say: decision"
    " is yes, and was no when it was written.",
    "UPDATE asks SET used_at = NULL WHERE key = 'k2'": "The question k2 is not what its entries say: used_at",
    "UPDATE asks SET minutes = 99 WHERE key = 'k1'": "The question k1 is not what its entries say: minutes",
    "UPDATE asks SET expires_at = '2030-01-01 00:00:00+00' WHERE key = 'k1'": "The question k1 is not what",
    "UPDATE dials SET state = 'failed'": "The dial k1 is not what its entries say: state is failed",
    "UPDATE dials SET minutes = 0": "The dial k1 is not what its entries say: minutes is 0.0, and was 10",
    "UPDATE dials SET call_id = NULL": "The dial k1 is not what its entries say: call_id is nothing, and was c1",
    "UPDATE dials SET used_minutes = 0": "The dial k1 is not what its entries say: used_minutes is 0.0, and",
    "UPDATE dials SET sent_at = '2025-01-01 00:00:00+00'": "The dial k1 is not what its entries say: sent_at",
    "UPDATE stops SET at = '2025-01-01 00:00:00+00'": "The stop of live is not what its entries say: at",
    "DELETE FROM stops": "The stop of live is gone.",
    "DELETE FROM do_not_call": "The number that is not to be called, abc is gone.",
    "DELETE FROM asks WHERE key = 'k1'": "The question k1 is gone.",
    "DELETE FROM dials": "The dial k1 is gone.",
    "UPDATE dials SET key = 'k2'": "No entry tells of the dial k2.",
    "UPDATE dials SET sent_at = '2020-01-01 00:00:00+00', key = 'k2'": "No entry tells of the dial k2.",
    "UPDATE asks SET key = 'k3' WHERE key = 'k2'": "No entry tells of the question k3.",
    "DELETE FROM personal WHERE key = 'k1'": "What is personal of entry 3, of k1, is gone, and no entry says",
    "UPDATE evidence SET personal = NULL": "What is personal of entry 1, of k1, is gone, and no entry says",
    "UPDATE evidence SET personal = 1 WHERE seq = 3": "What is personal of entry 3 is not what was written.",
    "UPDATE personal SET key = 'k2' WHERE id = 1": "What is personal of entry 1 is not what was written.",
    "INSERT INTO personal (key, at, salt, content) VALUES ('k1', '2020-01-01 00:00:00+00', 's', '{}')": "Something personal stands under k1, and no entry tells of it.",
    "INSERT INTO personal (key, at, salt, content) VALUES ('k7', '2030-01-01 00:00:00+00', 's', '{}')": "Something personal stands under k7, and no entry tells of it.",
}


@pytest.mark.parametrize("tampering", TAMPERED, ids=lambda statement: statement.partition(" WHERE")[0])
def test_a_table_that_holds_something_else_than_the_chain_shows(journal: Journal, tampering: str) -> None:
    journal.stop_all("live", NOW + timedelta(minutes=9))
    archive.forget(journal, "+4930", NOW, "abc")
    assert list(archive.troubles(journal)) == []
    with journal.writing() as db:
        db.execute(text(tampering))
    assert any(trouble.startswith(TAMPERED[tampering]) for trouble in archive.troubles(journal))


def test_what_no_link_points_to_is_neither_shown_nor_sent(journal: Journal) -> None:
    other = {"target": "+19995550000", "arguments": {"task": "Something else entirely."}}
    with journal.writing() as db:
        db.execute(insert(personal).values(key="k1", at=NOW, salt="s", content=json.dumps(other)))
    assert (journal.dial("k1").target, journal.dial("k1").arguments) == ("+14155550123", {"a": 1})
    assert archive.exported(journal, "k1")["dial"]["arguments"] == {"a": 1}


def test_a_journal_that_has_lived_holds(store: Path | str) -> None:
    """Calls in every state, a campaign whose question was raised, deletes, stops, and what was forgotten."""
    journal, later = Journal(store), NOW + timedelta(minutes=1)
    inquiry = Inquiry("live", NOW)
    for number, (state, reply) in enumerate(
        [
            ("placed", {"call_id": "c\0" + "1" * 300}),
            ("failed", None),
            ("unknown", None),
            ("placed", {"ok": True}),
            ("sending", None),
        ]
    ):
        key = f"d{number}"
        journal.open_ask(ask(key, key))
        mine, _ = claimed(journal, dial(key))
        if state != "sending":
            journal.settle(mine, state, later, reply)
        if state != "failed":
            journal.close_dial(mine, 1.25, later)
    journal.settle(journal.dial("d2"), "placed", later, {"call_id": "c2"})  # a late look found it
    journal.take_over("d4", NOW + timedelta(minutes=2), timedelta(minutes=1))
    raised = replace(ask("r"), digest="raised", tool="start_campaign")
    journal.open_ask(raised)
    journal.open_ask(replace(raised, key="other", minutes=123.45, asked_at=later))
    journal.decide("r", "yes", "page", later)
    journal.claim(replace(dial("r"), tool="start_campaign", minutes=123.45), yes("r"), nothing, inquiry)
    for key in ("deleted", "not deleted"):
        journal.open_ask(ask(key, key))
        journal.use(Yes(ask(key), "form", later), later, nothing, inquiry)
    journal.record(ask("deleted"), {"ok": True}, later)
    journal.close_ask("not deleted", later, used=True)
    for key in ("no", "lapsed", "open"):
        journal.open_ask(ask(key, key))
    journal.decide("no", "no", "form", later)
    journal.close_ask("lapsed", later)
    journal.close_ask("lapsed", later)
    journal.stop_all("live", later)
    journal.stop_all("live", later + timedelta(seconds=1))
    journal.stopped("live", later, "c1", {"tool": "stop_call"})
    assert list(archive.troubles(journal)) == []
    archive.purge(journal, NOW + timedelta(days=1), NOW + timedelta(days=2), most=4)
    assert list(archive.troubles(journal)) == []
    journal.close_dial(journal.dial("d2"), 1, later)
    journal.close_dial(journal.dial("r"), 1, later)
    assert archive.forget(journal, "+14155550123", NOW + timedelta(days=2), "digest of it")
    assert archive.forget(journal, "+14155550123", NOW + timedelta(days=3), "digest of it") == 0
    assert list(archive.troubles(journal)) == []
    journal.close()


def test_an_end_that_was_cut_off_shows_by_the_head_that_was_kept(journal: Journal) -> None:
    kept = archive.head(journal)
    with journal.writing() as db:
        db.execute(delete(evidence).where(evidence.c.seq >= 6))
    assert list(archive.troubles(journal)) == [
        "No entry tells of the question k2.",
        "Something personal stands under k2, and no entry tells of it.",
    ]
    with journal.writing() as db:
        for table in (asks, personal):
            db.execute(delete(table).where(table.c.key == "k2"))
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


def test_a_head_in_nobodys_home_is_said_before_anything_is_sent_and_stops_no_brake(
    home: Path, live: Callable[..., Any]
) -> None:
    owner(home, 'evidence_head = "~nobodyatall/heads"\n')
    line, script = live(), Script((200, {"ok": True, "status": "cancelled"}))
    assert sent("sync", line, script, StopCall(call_id="c1")).ok
    with pytest.raises(Misconfigured, match="names nobody's home"):
        sent("sync", line, script, PLACE, approve=yes_)
    assert not script.steps


def test_an_entry_that_nobody_can_read_keeps_nothing_from_being_stopped(
    home: Path, live: Callable[..., Any]
) -> None:
    line = live()
    sent("sync", line, Script(201), PLACE, approve=yes_)
    with line.desk().journal().writing() as db:
        db.execute(update(personal).values(content="{"))
    told = sent("sync", line, Script(*[LIST] * 60), StopAll())
    assert told.ok
    assert any("journal could not be marked" in problem for problem in told.problems)


def test_the_beginning_of_a_number_is_another_number(journal: Journal) -> None:
    assert archive.forget(journal, "+1415555012", NOW) == 0
    assert journal.dial("k1").target == "+14155550123"


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
        for key, state, reply in (
            ("k1", "placed", '{"call_id": "c1"}'),
            ("k8", "unknown", "null"),
            ("k9", "failed", "null"),
        ):
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
    assert [row.key for row in journal.open_dials("live")] == ["k1", "k8"]
    assert journal.asked("k1").target == "+14155550123"  # type: ignore[union-attr]
    assert list(archive.troubles(journal)) == []
    journal.open_ask(ask("k3", "d3"))
    found = journal.settle(journal.dial("k8"), "placed", NOW, {"call_id": "c8"})
    for row in (placed, found):
        journal.close_dial(row, 2, NOW)
    assert list(archive.troubles(journal)) == []
    assert archive.purge(journal, NOW, NOW) == 3
    assert (journal.dial("k8").reply, journal.dial("k9").target) == (None, "")
    assert list(archive.troubles(journal)) == []
