"""docs/sandbox.md says all that there is: people, numbers, switches, controls, faults."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import click
import pytest

from topcalls_tools.cli.sandbox import sandbox
from topcalls_tools.sandbox import plans
from topcalls_tools.sandbox.people import PEOPLE, People, Temper
from topcalls_tools.sandbox.web.faults import Kind

PAGE = (Path(__file__).parent.parent / "docs" / "sandbox.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("person", list(PEOPLE), ids=lambda person: person.name)
def test_every_person_is_listed_with_the_numbers_that_reach_them(person) -> None:  # type: ignore[no-untyped-def]
    assert person.name in " ".join(PAGE.split())
    for ending in person.endings:
        (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{ending}` |")]
        assert person.name in row
        assert person.timezone in row
    for number in person.numbers:
        assert number in PAGE


@pytest.mark.parametrize("word", [*get_args(Kind), *get_args(Temper)])
def test_every_fault_and_temper_is_explained(word: str) -> None:
    assert f"`{word}`" in PAGE


@pytest.mark.parametrize("option", sandbox.params, ids=lambda option: option.name)
def test_every_switch_is_explained(option: click.Option) -> None:
    assert f"| `{option.opts[0]}` |" in PAGE


def test_the_documented_files_are_read(tmp_path: Path) -> None:
    short, whole, campaigns = blocks("toml")
    for number, text in enumerate((short, whole)):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "ada.toml").write_text(text, "utf-8")
        assert People.load(folder).of("+14155550042", "seed").name == "Ada Boone"
    path = tmp_path / "campaigns.toml"
    path.write_text(campaigns, "utf-8")
    (plan,) = plans(path)
    assert [contact.name for contact in plan.contacts] == ["Ada", "Ben"]
