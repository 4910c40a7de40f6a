"""Everything that somebody might try against the guard, over every surface; the sandbox's own record says what rang."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal

from topcalls_tools.dnc import DoNotCall

from .adversary import BLOCKED, CASES, Case
from .assistants import (
    EVERYWHERE,
    SURFACES,
    Assistant,
    assistant,
    copied,
    furnished,
    nothing,
    portal,
    rehearsed,
    town,
    yes,
)
from .conftest import World

__all__ = ["portal", "town"]
BAR = "  │ "


@pytest.fixture(scope="module")
def everybody(
    town: World, portal: BlockingPortal, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Assistant]]:
    """An assistant on each surface, each with a home of its own; their owner lets every country be called."""
    root = tmp_path_factory.mktemp("homes")
    template = furnished(root / "template", town, f"{EVERYWHERE}\ncampaigns = false")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TOPCALLS_HOME", raising=False)
        contexts, assistants = [], []
        for surface in SURFACES:
            home = copied(template, root / surface)
            line, person = rehearsed(town.settings(home, rehearse=True, toolsets="all"))
            DoNotCall(home / "dnc.log").add("sandbox", BLOCKED, None, line.clock())
            contexts.append(assistant(surface, line, person, portal))
            assistants.append(contexts[-1].__enter__())
        yield assistants
        for context in contexts:
            context.__exit__(None, None, None)


def test_there_are_at_least_150_cases() -> None:
    assert len({case.what for case in CASES}) == len(CASES) >= 150


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_no_forbidden_phone_rings_whoever_agrees_and_none_without_a_yes(
    town: World, everybody: list[Assistant], case: Case
) -> None:
    before, leads = len(town.rings()), town.get("/v1/leads")
    for one in everybody:
        if case.rings:
            assert tried(one, case, None).error
            assert one.person.asked
        told = tried(one, case, True)
        assert told.error == (case.rings is None), (one.surface, told)
        if case.rings is None:
            assert not one.person.asked, (one.surface, told)
        else:
            (question,) = one.person.agreed
            assert_shown(question, case)
        if case.code and one.surface == "client":
            assert case.code in told.words
    rang = town.rings()[before:]
    assert [ring["phone_number"] for ring in rang] == [case.rings] * (len(everybody) if case.rings else 0)
    for ring in rang:
        spoken = town.get(f"/v1/calls/{ring['call_id']}")["metadata"]
        assert spoken["first_sentence"].startswith(
            "Hello, this is an AI assistant calling on behalf of Ann Meyer."
        )
    if case.rings:
        town.advance(1200)  # nobody speaks any more
    assert town.get("/v1/leads") == leads


def tried(one: Assistant, case: Case, answer: bool | None) -> Any:
    one.person.forget()
    one.person.says = yes if answer else nothing
    return one.call(case.tool, case.given)


def assert_shown(question: str, case: Case) -> None:
    """The number that rings stands in the question, and nothing that was given stands on a line of ours."""
    lines = question.split("\n")
    quoted = [line.removeprefix(BAR) for line in lines if line.startswith(BAR)]
    ours = "\n".join(line for line in lines if not line.startswith(BAR))
    assert case.rings in quoted
    for part in case.shows:
        assert any(part in line for line in quoted), part
    for text in case.given.values():
        if isinstance(text, str) and text != case.given["phone_number"]:
            for piece in text.split("\n"):
                assert not piece.strip() or piece not in ours.split("\n"), piece
    assert "SYSTEM" not in ours
    assert not [character for character in question if character != "\n" and not character.isprintable()]
