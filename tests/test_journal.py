"""The journal: migrations that make just its tables, and races that one writer wins."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from topcalls_tools.errors import Misconfigured, Refused
from topcalls_tools.journal import AskRow, DialRow, Inquiry, Ledger, Yes, archive
from topcalls_tools.journal.store import Journal
from topcalls_tools.journal.tables import tables

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def ask(key: str = "k1", digest: str = "d1") -> AskRow:
    return AskRow(
        key, "live", "line", "place_call", digest, "+14155550123", 10, NOW, NOW + timedelta(minutes=10)
    )


def dial(key: str = "k1") -> DialRow:
    return DialRow(
        key=key,
        account="live",
        line="line",
        tool="place_call",
        arguments={"a": 1},
        digest="d1",
        target="+14155550123",
        minutes=10,
        state="sending",
        agreed_at=NOW,
        sent_at=NOW,
        leased_at=NOW,
    )


INQUIRY = Inquiry("live", NOW)


def yes(key: str = "k1") -> Yes:
    return Yes(ask(key), "callback", NOW)


def nothing(ledger: Ledger, agreed_at: datetime) -> None:
    """A judge that objects to nothing."""


def claimed(journal: Journal, mine: DialRow | None = None, judge: Any = nothing) -> tuple[DialRow, bool]:
    mine = mine or dial()
    return journal.claim(mine, yes(mine.key), judge, INQUIRY)


def test_the_migrations_make_just_the_tables(tmp_path: Path) -> None:
    Journal(tmp_path / "j.db").close()
    with create_engine(f"sqlite:///{tmp_path / 'j.db'}").connect() as db:
        assert compare_metadata(MigrationContext.configure(db), tables) == []


def test_a_journal_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    Journal(tmp_path / "j.db").close()
    with create_engine(f"sqlite:///{tmp_path / 'j.db'}").begin() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Misconfigured, match="newer version"):
        Journal(tmp_path / "j.db")


def test_many_processes_may_make_it_at_once(store: Path | str) -> None:
    made: list[Journal] = []
    threads = [threading.Thread(target=lambda: made.append(Journal(store))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 6


def test_of_many_claims_to_one_key_one_is_ours(store: Path | str) -> None:
    journals = [Journal(store) for _ in range(4)]
    journals[0].open_ask(ask())
    won: list[bool] = []

    def claim(journal: Journal) -> None:
        for _ in range(5):
            won.append(claimed(journal)[1])

    threads = [threading.Thread(target=claim, args=(journal,)) for journal in journals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(won) == 1
    assert len(won) == 20


def test_an_objection_inside_the_transaction_leaves_nothing_behind(store: Path | str) -> None:
    journal = Journal(store)
    journal.open_ask(ask())

    def object_(ledger: Ledger, agreed_at: datetime) -> None:
        raise Refused("a-rule", "No.")

    with pytest.raises(Refused, match="a-rule"):
        claimed(journal, judge=object_)
    assert journal.dials("live") == []
    assert claimed(journal)[1]


def test_a_yes_lives_ten_minutes_and_a_no_is_final(store: Path | str) -> None:
    journal = Journal(store)
    journal.open_ask(ask())
    with pytest.raises(Refused, match="more than 10 minutes old"):
        claimed(journal, replace(dial(), sent_at=NOW + timedelta(minutes=10)))
    journal.decide("k1", "no", "callback", NOW)
    with pytest.raises(Refused, match="said no"):
        claimed(journal)
    assert journal.open_ask(ask("k2")).decision == "no"


def test_the_same_deed_finds_its_question_and_a_failed_dial_lets_it_lapse(store: Path | str) -> None:
    journal = Journal(store)
    journal.open_ask(ask())
    assert journal.open_ask(ask("k2")).key == "k1"
    claimed(journal)
    journal.settle(dial(), "failed", NOW)
    assert journal.open_ask(ask("k3")).key == "k3"


def test_a_store_that_is_locked_or_cannot_be_made_refuses_in_a_sentence(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db", patience=0)
    other = sqlite3.connect(tmp_path / "j.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Refused, match=r"is locked.* nothing was sent"):
        journal.open_ask(ask())
    other.execute("ROLLBACK")
    assert journal.open_ask(ask()).key == "k1"
    with pytest.raises(Misconfigured, match="cannot be made"):
        Journal(tmp_path / "no" / "such" / "directory" / "j.db")


def test_a_dial_that_was_taken_over_is_not_settled_by_its_first_sender(store: Path | str) -> None:
    journal = Journal(store)
    journal.open_ask(ask())
    first, _ = claimed(journal)
    later = NOW + timedelta(seconds=61)
    second, ours = journal.take_over("k1", later, timedelta(seconds=60))
    assert ours
    assert second.sent_at == NOW
    assert journal.settle(first, "failed", later).state == "sending"
    assert journal.settle(second, "placed", later, {"call_id": "c1"}).state == "placed"
    stands = journal.settle(first, "failed", later)
    assert (stands.state, stands.reply) == ("placed", {"call_id": "c1"})


def test_times_of_another_zone_are_the_same_times(store: Path | str) -> None:
    journal, east = Journal(store), timezone(timedelta(hours=5))
    mine = replace(
        ask(), asked_at=NOW.astimezone(east), expires_at=(NOW + timedelta(minutes=10)).astimezone(east)
    )
    journal.open_ask(mine)
    kept = journal.asked("k1")
    assert kept
    assert (kept.asked_at, kept.expires_at.utcoffset()) == (NOW, timedelta())
    assert journal.open_asks(NOW + timedelta(minutes=9)) == [kept]
    assert list(archive.troubles(journal)) == []


@pytest.mark.parametrize("name", ["c" * 300, "c\0" + "1"], ids=["long", "with a NUL"])
def test_whatever_topcalls_calls_a_call_its_outcome_is_kept(store: Path | str, name: str) -> None:
    journal = Journal(store)
    journal.open_ask(ask())
    mine, _ = claimed(journal)
    journal.settle(mine, "placed", NOW, {"call_id": name})
    kept = journal.dial("k1")
    assert (kept.state, kept.reply) == ("placed", {"call_id": name})
    assert kept.call_id == name.replace("\0", "\\0")


def test_a_home_with_odd_characters_holds_the_journal_itself(tmp_path: Path) -> None:
    odd = tmp_path / "a?mode=memory&x=#1"
    odd.mkdir()
    Journal(odd / "journal.db").close()
    assert (odd / "journal.db").stat().st_size > 0
    assert (odd / "journal.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("settled", "unseen"), [(-6, 0), (-5, 10), (-3, 10), (0, 10)])
def test_a_call_that_a_slow_clock_has_placed_counts_beside_a_balance_of_before(
    store: Path | str, settled: float, unseen: float
) -> None:
    """One machine looks at the balance; then another places a call, whose clock may be five seconds behind."""
    journal = Journal(store)
    journal.open_ask(ask())
    claimed(journal)
    journal.settle(dial(), "placed", NOW + timedelta(seconds=settled), {"call_id": "c1"})
    assert journal.ledger(INQUIRY, NOW).unseen_minutes == unseen
