"""What webhooks told, in the journal: once each, in the order in which they came, and for a while."""

from __future__ import annotations

import threading
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

from topcalls_tools.journal import archive, deliveries
from topcalls_tools.journal.deliveries import Delivery
from topcalls_tools.journal.store import Journal

from .test_journal import NOW, ask, claimed, dial

CAME = Delivery("d1", "live", "body1", "call.completed", "c1", "completed", False, NOW)
LATER = replace(CAME, delivery="d2", digest="body2", at=NOW + timedelta(seconds=1))


def test_one_id_and_one_body_are_kept_once(store: Path | str) -> None:
    journal = Journal(store)
    assert deliveries.keep(journal, CAME)
    assert not deliveries.keep(journal, CAME)
    assert not deliveries.keep(journal, replace(CAME, digest="body2"))
    assert not deliveries.keep(journal, replace(CAME, delivery="d2"))
    assert deliveries.of_call(journal, "live", "c1") == [CAME]


def test_the_same_body_for_another_account_is_another_event(store: Path | str) -> None:
    journal = Journal(store)
    assert deliveries.keep(journal, CAME)
    assert deliveries.keep(journal, replace(CAME, delivery="d2", account="second"))
    assert deliveries.of_call(journal, "live", "c1") == [CAME]


def test_the_same_id_for_another_account_is_another_event(store: Path | str) -> None:
    journal = Journal(store)
    theirs = replace(CAME, account="second")
    assert deliveries.keep(journal, CAME)
    assert deliveries.keep(journal, theirs)
    assert not deliveries.keep(journal, theirs)
    deliveries.worked(journal, theirs, NOW)
    assert deliveries.unworked(journal, "live") == [CAME]
    assert deliveries.unworked(journal, "second") == []
    assert deliveries.purge(journal, NOW + timedelta(seconds=1)) == 2


def test_of_many_that_bring_one_delivery_at_once_one_keeps_it(store: Path | str) -> None:
    journals = [Journal(store) for _ in range(4)]
    kept: list[bool] = []
    threads = [
        threading.Thread(target=lambda mine=one: kept.append(deliveries.keep(mine, CAME))) for one in journals
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(kept) == [False, False, False, True]


def test_of_each_call_it_is_told_when_the_last_delivery_came(store: Path | str) -> None:
    journal = Journal(store)
    campaign = replace(CAME, delivery="d3", digest="body3", event="campaign.paused", call_id=None)
    for one in (LATER, CAME, campaign, replace(CAME, delivery="d4", digest="body4", call_id="c2")):
        assert deliveries.keep(journal, one)
    assert deliveries.told(journal, "live", NOW) == {"c1": LATER.at, "c2": NOW}
    assert deliveries.told(journal, "live", LATER.at) == {"c1": LATER.at}
    assert deliveries.told(journal, "other", NOW) == {}
    assert deliveries.of_call(journal, "live", "c1") == [CAME, LATER]


def test_what_was_worked_is_not_worked_again(store: Path | str) -> None:
    journal = Journal(store)
    for one in (LATER, CAME):
        deliveries.keep(journal, one)
    assert deliveries.unworked(journal, "live") == [CAME, LATER]
    deliveries.worked(journal, CAME, LATER.at)
    assert deliveries.unworked(journal, "live") == [LATER]
    assert deliveries.of_call(journal, "live", "c1") == [replace(CAME, worked_at=LATER.at), LATER]


def test_a_delivery_is_ours_where_the_journal_knows_the_call_even_when_it_learns_of_it_later(
    store: Path | str,
) -> None:
    journal = Journal(store)
    deliveries.keep(journal, CAME)
    (early,) = deliveries.unworked(journal, "live")
    assert not early.ours
    journal.open_ask(ask())
    row, _ = claimed(journal, dial())
    journal.settle(row, "placed", NOW, {"call_id": "c1"})
    deliveries.keep(journal, LATER)
    first, second = deliveries.unworked(journal, "live")
    assert first.ours
    assert second.ours
    deliveries.worked(journal, first, NOW)
    assert [one.ours for one in deliveries.of_call(journal, "live", "c1")] == [True, True]


def test_deliveries_are_forgotten_with_what_is_personal(store: Path | str) -> None:
    journal = Journal(store)
    for one in (CAME, LATER):
        deliveries.keep(journal, one)
    archive.purge_at_times(journal, timedelta(days=1), LATER.at + timedelta(days=1))
    assert deliveries.of_call(journal, "live", "c1") == [LATER]
    archive.purge(journal, LATER.at + timedelta(seconds=1), NOW)
    assert deliveries.of_call(journal, "live", "c1") == []


def test_what_an_older_journal_holds_is_carried_over(tmp_path: Path) -> None:
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine, insert

    from topcalls_tools.journal import heads, tables

    config = Config()
    config.set_main_option("script_location", str(Path(heads.__file__).parent / "migrations"))
    with create_engine(f"sqlite:///{tmp_path / 'j.db'}").begin() as db:
        config.attributes["connection"] = db
        command.upgrade(config, "0004")
        db.execute(insert(tables.deliveries), asdict(CAME))
    journal = Journal(tmp_path / "j.db")
    assert deliveries.of_call(journal, "live", "c1") == [CAME]
    assert deliveries.keep(journal, replace(CAME, account="second"))
