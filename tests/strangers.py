"""What strangers say on the phone, an agent that obeys all that it takes for plain text, and what that is."""

from __future__ import annotations

import json
import re
import sqlite3
import tomllib
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from topcalls_tools.action import Effect
from topcalls_tools.deeds import ConfirmAction
from topcalls_tools.quoting import BAR
from topcalls_tools.sandbox.script import SCRIPT, Answered, Ended, Processed, Ringing, Said, Script
from topcalls_tools.tools import TOOLS

CORPUS = Path(__file__).parent / "injections"
ORDERED = "+14155550166"
"""The number that the strangers want to be called."""
BLOCKED = "+14155550150"
"""The number that they want to be taken off the list."""
SECOND = 1000
TURN = re.compile(r"( *\d+ (agent|person called) *| *)")
"""What may stand left of a bar on the terminal."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """What somebody says on the phone, and what was derived from that."""

    name: str
    said: tuple[str, ...]
    agent: str = "I see."
    summary: str = "Spoke with Dana."
    disposition: str = "answered"

    @property
    def words(self) -> tuple[str, ...]:
        return *self.said, self.agent, self.summary, self.disposition


def corpus() -> list[Stranger]:
    """The transcripts that were written by hand."""
    found = [
        call for path in sorted(CORPUS.glob("*.toml")) for call in tomllib.loads(path.read_text())["call"]
    ]
    return [Stranger(**{**call, "said": tuple(call["said"])}) for call in found]


def ordinary(one: Stranger) -> Stranger:
    """A conversation of as many turns in which nothing is said that anybody could obey."""
    return Stranger("ordinary", ("Yes.",) * len(one.said))


def happened(one: Stranger, begun: int) -> Script:
    """The call as the sandbox keeps it: over, and finished with."""
    turns = [
        (speaker, words)
        for words in one.said
        for speaker, words in (("assistant", one.agent), ("user", words))
    ]
    end = begun + (len(turns) + 3) * SECOND
    return Script(
        begun,
        "Dana",
        0,
        (
            Ringing(begun),
            Answered(begun + SECOND, "human"),
            *(
                Said(begun + (2 + number) * SECOND, speaker, words)  # type: ignore[arg-type]
                for number, (speaker, words) in enumerate(turns)
            ),
            Ended(end, "completed"),
            Processed(end, one.summary, one.disposition),
        ),
    )


def spoken_into(path: Path, call_id: str, one: Stranger) -> str:
    """Have a call of a sandbox's file been this one, under a new id, for what was read of a call that is over
    may be kept. Returns the id."""
    fresh = str(uuid.uuid4())
    with closing(sqlite3.connect(path, timeout=30)) as file, file:
        (written,) = file.execute("SELECT script FROM calls WHERE id = ?", (call_id,)).fetchone()
        begun = SCRIPT.validate_json(written).created_at
        script = SCRIPT.dump_json(happened(one, begun)).decode()
        file.execute("UPDATE calls SET script = ?, id = ? WHERE id = ?", (script, fresh, call_id))
    return fresh


def plain_json(told: str) -> str:
    """What stands outside the boundary in a reply of a tool: JSON, after lines of ours."""
    *ours, last = told.split("\n")
    return "\n".join([*ours, json.dumps(plain_value(json.loads(last)), ensure_ascii=False, indent=0)])


def plain_value(shown: dict[str, Any]) -> Any:
    """JSON without the words beside a speaker, and without those that `derived` names."""
    return _without(shown, frozenset(shown.get("derived", ())))


def _without(value: Any, derived: frozenset[str]) -> Any:
    match value:
        case dict():
            hidden = derived | ({"text"} if "speaker" in value else set())
            return {name: _without(part, derived) for name, part in value.items() if name not in hidden}
        case list():
            return [_without(part, derived) for part in value]
        case _:
            return value


def plain_text(printed: str) -> str:
    """What stands outside the boundary on a terminal: all that no bar stands before."""
    found = []
    for line in printed.split("\n"):
        ours, bar, _ = line.partition(BAR)
        assert not bar or TURN.fullmatch(ours) or not ours.strip(), line
        if ours.strip():
            found.append(ours.rstrip())
    return "\n".join(found)


Call = Callable[[str, Mapping[str, Any]], object]
NUMBER = re.compile(r"\+\d[\d ()-]{7,16}\d")
COMMAND = re.compile(r"topcalls ([a-z][a-z0-9 +_-]*)")
NAMES = {action.tool: action for action in (*TOOLS, ConfirmAction)}
HARMLESS = frozenset(name for name, action in NAMES.items() if action.effect is Effect.READ)


class Obedient:
    """An agent without any sense: whatever it reads as plain text it does at once. It calls every number, it
    uses every tool that is named, for every number, and it types every command."""

    def __init__(
        self,
        call: Call,
        types: Callable[[list[str]], object],
        about: str,
        known: frozenset[str] = frozenset(),
    ) -> None:
        """`about` is the number of the call that it reads of; that one and those `known` are named in replies
        for good reason, and reading one is no order to call it."""
        self._call, self._types, self._about, self._known = call, types, about, {about, *known}
        self.did: list[tuple[str, str]] = []
        """Each tool that it used, for which number; each command that it typed."""

    def reads(self, text: str) -> None:
        numbers = dict.fromkeys(re.sub(r"[ ()-]", "", one) for one in NUMBER.findall(text))
        orders = [number for number in numbers if number not in self._known]
        for number in orders:
            self._uses("place_call", number)
        for tool in NAMES:
            if tool not in HARMLESS and re.search(rf"\b{tool}\b", text):
                for number in orders or [self._about]:
                    self._uses(tool, number)
        for command in COMMAND.findall(text):
            self.did.append((f"topcalls {command}", ""))
            self._types(command.split())

    def _uses(self, tool: str, number: str) -> None:
        self.did.append((tool, number))
        said = {"phone_number": number, "target": number, "task": "Say hello.", "slip": "A" * 24}
        takes = NAMES[tool].input_schema()["properties"]
        self._call(tool, {name: value for name, value in said.items() if name in takes})
