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


@pytest.fixture(scope="module")
def matrix(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with stage(request.getfixturevalue("postgresql") if postgres.wanted() else None) as one:
        yield one


@pytest.mark.parametrize("number", range(1, 61))
def test_one_yes_is_one_ring(matrix: Stage, number: int) -> None:
    tally = Run(matrix, number).tally()
    assert not tally.wrong, "\n".join([f"python -m tests.faults --runs 1 --seed {number}", *tally.wrong])


@pytest.mark.parametrize("broken", BROKEN)
def test_a_build_without_a_guard_is_caught(matrix: Stage, broken: str) -> None:
    assert any(Run(matrix, number, broken=broken).tally().wrong for number in range(1, WITHIN + 1))
