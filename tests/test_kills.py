"""A small share of the kill runs; `make kills` makes two hundred of them."""

from __future__ import annotations

import pytest

from .killing import run


@pytest.mark.parametrize("number", range(1, 7))
def test_a_kill_loses_nothing_and_does_nothing_twice(number: int) -> None:
    tally = run(f"kills-{number}")
    assert not tally.wrong
    assert tally.calls
    assert tally.answers_lost
