"""What a slot of a phrase means: values for an action, none, or several."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..api.calls import ENDED
from .book import Book, filled
from .scene import Look, Scene
from .sentence import PAUSE, Sentence

LEAST = 6
"""Characters of an id that are enough, where only one begins so."""
WAITING = frozenset({"pending", "queued"})
STATES: dict[str, Callable[[str], bool]] = {
    "live": lambda status: status not in ENDED,
    "answered_first": lambda status: status not in ENDED,
    "talking": lambda status: status == "in_progress",
    "queued": lambda status: status in WAITING,
    "startable": lambda status: status in ("draft", "scheduled", "paused"),
    "pausable": lambda status: status == "running",
}
"""What a call or campaign may be, by its status."""


class Missing(Exception):
    """Something must be looked up before the sentence can be read."""

    def __init__(self, look: Look) -> None:
        super().__init__(look.at)
        self.look = look


@dataclass(frozen=True, slots=True)
class Meant:
    """One thing that words may mean."""

    arguments: Mapping[str, Any]
    """What an action is given."""
    words: str
    """The same for a person."""


@dataclass(frozen=True, slots=True)
class Found:
    """What words mean. Without `why` it is exactly one thing; with it, nobody can tell which, or whether."""

    meant: tuple[Meant, ...]
    why: str | None = None

    @property
    def only(self) -> Meant | None:
        """The one thing that is meant for sure."""
        return self.meant[0] if self.why is None and len(self.meant) == 1 else None


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a slot, and what they are read against."""

    said: Sentence
    scene: Scene
    book: Book
    state: str | None = None
    """What the call or campaign may be, of which they speak."""
    shown: Mapping[str, Any] = field(default_factory=dict)

    @property
    def written(self) -> str:
        """The words as they were written."""
        return self.said.said(0, len(self.said.tokens))

    def are(self, group: str) -> bool:
        """Whether they are, all of them, a phrase of a group."""
        return any(True for phrase in self.book.group(group) for _ in phrase.whole(self.said))

    def have(self, group: str) -> bool:
        """Whether a phrase of a group stands among them."""
        return any(self.begin(group, at) for at in range(len(self.said.tokens)))

    def begin(self, group: str, at: int = 0) -> bool:
        """Whether a phrase of a group stands at a word of them."""
        if at >= len(self.said.tokens):
            return False
        token = self.said.tokens[at]
        phrases = self.book.openings(group).get(PAUSE if token.kind == "mark" else token.text, ())
        return any(one.begins(self.said, at) is not None for one in phrases)

    def of(self, said: Sentence) -> Words:
        """Other words, read against the same."""
        return Words(said, self.scene, self.book, self.state)

    def unsure(self, what: str, *meant: Meant, **values: Any) -> Found:
        """What they may mean, and why nobody can tell."""
        return Found(meant, filled(self.book.say[what], **values))


Reads = Callable[[Words], "Found | None"]
"""Reads the words of a slot; None where they are none of its."""


def plain(text: str | None) -> str:
    """A name that somebody else wrote, fit to be shown."""
    return "".join(one if one.isprintable() else "?" for one in text or "")


def fits(words: Words, status: str) -> bool:
    """Whether a call or campaign of a status can be what the words speak of."""
    return words.state is None or STATES[words.state](status)


def begins_so(handle: str, written: str) -> bool:
    """Whether an id is what is written, or begins so; with few characters many do."""
    return handle == written or (len(written) >= LEAST and handle.startswith(written))
