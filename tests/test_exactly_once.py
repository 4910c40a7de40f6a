"""A small share of the fault matrix; `make faults` makes a thousand runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import postgres
from .broken import BROKEN
from .matrix import Run
from .postgres import postgresql  # noqa: F401  # a fixture
from .stage import Stage, stage

WITHIN = 12
"""Runs in which a missing guard must be noticed."""
CAUGHT = {
    "fresh key per attempt": "the journal has no such dial",
    "no lock": "was turned away",
    "no write before send": "the journal held 'nothing'",
    "doubt is forgotten": "the journal says failed",
    "sent again after 5xx": "One yes, 2 rings",
}
"""By what each missing guard is noticed."""


@pytest.fixture(scope="module")
def matrix(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with stage(request.getfixturevalue("postgresql") if postgres.wanted() else None) as one:
        yield one


@pytest.mark.parametrize("number", range(1, 61))
def test_one_yes_is_one_ring(matrix: Stage, number: int) -> None:
    tally = Run(matrix, number).tally()
    assert not tally.wrong, "\n".join([f"python -m tests.faults --runs 1 --seed {number}", *tally.wrong])


@pytest.mark.parametrize(("broken", "words"), CAUGHT.items())
def test_a_build_without_a_guard_is_caught(matrix: Stage, broken: str, words: str) -> None:
    runs = (Run(matrix, number, broken=broken).tally().wrong for number in range(1, WITHIN + 1))
    assert any(words in wrong for wrongs in runs for wrong in wrongs)


def test_every_broken_build_has_its_test() -> None:
    assert CAUGHT.keys() == BROKEN.keys()
