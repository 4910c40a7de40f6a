"""`--json` everywhere: every command has it but those that only a person at a terminal uses, and it is JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from topcalls_tools.cli import topcalls

from .conftest import World
from .test_cli import PLACE, keyed, run

__all__ = ["keyed"]
WITHOUT = {
    "approvals answer",
    "ask",  # answers in sentences
    "chat",
    "contacts",
    "dnc",
    "dnc remove",
    "journal",
    "journal export",  # is JSON
    "journal forget",
    "listen",  # serves until it is interrupted
    "login",
    "logout",
    "policy accept",
    "sandbox",
    "sandbox keys revoke",
    "watch",  # lives until it is interrupted
}


def commands(group: click.Group, before: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found
        words = (*before, name)
        yield " ".join(words), found
        if isinstance(found, click.Group):
            yield from commands(found, words)


def test_every_command_prints_json_but_those_that_need_a_person() -> None:
    silent = {
        name
        for name, command in commands(topcalls)
        if not any("--json" in one.opts for one in command.get_params(click.Context(command)))
    }
    assert silent <= WITHOUT


@pytest.fixture
def lived_in(keyed: World, tmp_path: Path) -> Path:
    """A home with something of everything, and a file of people of whom one cannot be read."""
    assert run(*PLACE).exit_code == 0
    people = tmp_path / "people.csv"
    people.write_text("name,number\nAnn,+14155550142\nBen,nobody\n")
    return people


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("contacts", "add", "Eve", "+14155550143"), 0, {"did": "added"}),
        (("contacts", "import", "FILE"), 6, {"added": 1, "changed": 0, "known": 0}),
        (("dnc", "add", "+14155550144"), 0, {"live": False, "ok": True}),
        (("dnc", "import", "FILE"), 6, {"numbers": 1}),
        (("journal", "settle"), 0, {"open": 1, "in_doubt": []}),
        (("journal", "purge"), 0, {"questions_forgotten": 0}),
        (("journal", "verify"), 0, {"holds": True, "troubles": [], "checked_against": []}),
        (("sandbox", "keys"), 0, {}),
        (("sandbox", "keys", "add"), 0, {}),
        (("sandbox", "link"), 0, {}),
    ],
)
def test_what_changes_something_says_so_in_json(
    lived_in: Path, arguments: tuple[str, ...], code: int, told: dict[str, Any]
) -> None:
    done = run(*(str(lived_in) if one == "FILE" else one for one in arguments), "--json")
    assert done.exit_code == code, done.output
    found = json.loads(done.stdout)
    assert told.items() <= found.items()
    if "FILE" in arguments:
        assert [line.partition(":")[0] for line in found["left_out"]] == ["line 3"]


def test_what_was_taken_out_is_counted_in_json(lived_in: Path) -> None:
    run("contacts", "add", "Eve", "+14155550143")
    assert json.loads(run("contacts", "remove", "Eve", "--json").stdout) == {"removed": 1}
