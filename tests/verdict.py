"""What a run of the fault matrix is judged by: phones that rang, what passed the proxy, and the journal at the end."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from topcalls_tools.flow.steps import ASK_LIVES
from topcalls_tools.journal import AskRow, DialRow

from .callers import Told
from .passage import Exchange

PLACE = ("POST", "/v1/calls")
TURNED_AWAY = ("[rule: journal]", "itself failed")
"""What nobody may be told while the journal works: that it does not, or that the tools have broken down."""


@dataclass(frozen=True, slots=True)
class Scene:
    """All that is known after a run and its recovery."""

    rings: list[dict[str, Any]]
    log: list[Exchange]
    dials: dict[str, DialRow]
    asks: dict[str, AskRow]
    troubles: list[str]
    """What is wrong with the chain of evidence."""
    told: list[Told]
    denied: frozenset[str]
    """Keys that were sent for a caller who then was told that nothing had happened."""

    @property
    def placing(self) -> list[Exchange]:
        return [one for one in self.log if (one.method, one.path) == PLACE]

    def late(self, ring: dict[str, Any]) -> bool:
        """Whether a request was held back for so long that nobody may take the call for ours any more."""
        row = self.dials.get(ring["key"])
        return row is not None and datetime.fromisoformat(ring["at"]) - row.sent_at > ASK_LIVES

    @property
    def adopted(self) -> int:
        """Dials that are placed though no reply of theirs ever came back whole."""
        heard = {one.key for one in self.placing if one.status == 201 and one.returned == one.answered}
        return sum(row.state == "placed" and row.key not in heard for row in self.dials.values())


def violations(scene: Scene) -> Iterator[str]:
    """Everything that may not be, a sentence each; nothing where one yes was one ring."""
    yield from _rung_twice(scene)
    yield from _unknown_to_the_journal(scene)
    yield from _without_a_yes(scene)
    yield from _told_otherwise(scene)
    yield from scene.troubles


def _rung_twice(scene: Scene) -> Iterator[str]:
    for key, times in Counter(ring["key"] for ring in scene.rings).items():
        if times > 1:
            yield f"One yes, {times} rings: {key}."


def _unknown_to_the_journal(scene: Scene) -> Iterator[str]:
    for ring in scene.rings:
        row = scene.dials.get(ring["key"])
        if row is None:
            yield f"A phone rang under {ring['key']}, and the journal has no such dial."
        elif (row.state, row.call_id) != ("placed", ring["call_id"]) and not (
            row.state == "unknown" and scene.late(ring)
        ):
            yield f"The call {ring['call_id']} rang under {row.key}, and the journal says {row.state} {row.call_id}."
    rung = {ring["key"] for ring in scene.rings}
    for row in scene.dials.values():
        if row.state == "sending":
            yield f"The dial {row.key} is still being sent after the recovery."
        if row.state == "placed" and row.key not in rung:
            yield f"The journal says that {row.key} was placed, and no phone rang."


def _without_a_yes(scene: Scene) -> Iterator[str]:
    for one in scene.placing:
        if one.passed and one.written.partition(" ")[0] != "yes":
            yield f"The first byte went on, and the journal held {one.written or 'nothing'!r}: {one}."
        row = scene.dials.get(one.key or "")
        body = json.loads(one.body) if one.body else {}
        if row and body and any(body[name] != row.arguments[name] for name in ("phone_number", "task")):
            yield f"What went on is not what was agreed to: {one}."
    whole = {one.key for one in scene.placing if one.whole}
    for ring in scene.rings:
        if ring["key"] not in whole:
            yield f"A phone rang under {ring['key']}, and no such request went on."
        ask = scene.asks.get(ring["key"])
        if ask is None or ask.decision != "yes":
            yield f"A phone rang under {ring['key']}, and nobody had said yes."


def _told_otherwise(scene: Scene) -> Iterator[str]:
    rung = {ring["call_id"]: ring["key"] for ring in scene.rings}
    for told in scene.told:
        if told.call_id is not None and told.call_id not in rung:
            yield f"A caller was told of the call {told.call_id}, and no phone rang."
        if any(words in told.words for words in TURNED_AWAY):
            yield f"A caller was turned away: {told.words}"
    for key in scene.denied & set(rung.values()):
        yield f"A caller was told that nothing had happened, and a phone rang under {key}."
