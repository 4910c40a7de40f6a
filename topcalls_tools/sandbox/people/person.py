"""Who answers a dialled number: people read from small TOML files, ours and the user's own."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Iterator
from functools import cached_property
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ..errors import SandboxError

Temper = Literal[
    "helpful", "hurried", "asks_robot", "hostile", "wrong_person", "calls_back", "hangs_up", "opts_out",
    "voicemail", "menu", "busy", "no_answer", "rejects", "unreachable", "never_dispatched", "stays_queued",
    "keeps_the_line",
]  # fmt: skip
"""How somebody takes a call; each word is one function of tempers.py."""
Words = Annotated[str, Field(min_length=1, max_length=500)]
_ONE_OR_MORE = BeforeValidator(lambda given: (given,) if isinstance(given, str) else given)
Choices = Annotated[tuple[Words, ...], _ONE_OR_MORE, Field(max_length=20)]
"""What may be said, one of which is picked by seed; none leaves it to the language's own words."""


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise ValueError("is no time zone that this machine knows") from None
    return name


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Reply(_Value):
    """An answer that is fixed, so that a test knows it beforehand."""

    about: Words
    """Words of which the point must contain one, with | between them; case does not matter."""
    say: Words
    """What is said, word for word."""
    disposition: Annotated[str, Field(pattern=r"^[a-z][a-z_]{1,39}$")] = "answered"
    """Label that the answer gives the call."""

    def meets(self, point: str) -> bool:
        low = point.casefold()
        return any(word.strip() and word.strip() in low for word in self.about.casefold().split("|"))


class Person(_Value):
    """Somebody who answers the phone, and how they talk. `{name}`, `{first}` and `{daypart}` may stand in
    what they say."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    """Name and surname."""
    language: Annotated[str, Field(pattern=r"^(en|es)(-[A-Z]{2}|-419)?$")] = "en-US"
    """BCP 47; English or Spanish."""
    timezone: Annotated[str, AfterValidator(_zone)] = "America/New_York"
    """IANA name of the zone they live in."""
    temper: Temper = "helpful"
    """How they take the call."""
    endings: tuple[Annotated[str, Field(pattern=r"^[0-9]{4}$")], ...] = ()
    """Last four digits of the numbers that reach them."""
    numbers: tuple[Annotated[str, Field(pattern=r"^\+[1-9][0-9]{1,14}$")], ...] = ()
    """Whole numbers that reach them."""
    rings_for: tuple[Annotated[float, Field(ge=0, le=29)], Annotated[float, Field(ge=0, le=29)]] = (3, 6)
    """Seconds that it rings before they pick up: from and to."""
    answers_on_attempt: Annotated[int, Field(ge=1, le=20)] = 1
    """The first of an account's calls to the number that is answered."""
    until_then: Literal["busy", "no-answer"] = "busy"
    """What the calls before meet."""
    willing: Annotated[float, Field(ge=0, le=1)] = 0.8
    """How often a question whether something is so gets a yes; below 0.5 also how often a request is met."""
    street: Words = "12 Mill Street, across from the station"
    """Where they are, should somebody ask."""
    greeting: Choices = ()
    """Their first words."""
    ready: Choices = ()
    """What they say to several things to go through."""
    farewell: Choices = ()
    """Their last words."""
    assent: Annotated[tuple[Annotated[str, Field(max_length=500)], ...], _ONE_OR_MORE] = ()
    """What follows a yes, such as `, gladly`."""
    refusal: Choices = ()
    """How a no to a request begins, such as `I'm sorry`."""
    lines: Choices = ()
    """What the temper turns on: orders of a hostile person, a mailbox's greeting, the entries of a menu."""
    replies: Annotated[tuple[Reply, ...], Field(max_length=50)] = ()
    """Answers that are fixed; the first that meets a point counts."""

    @cached_property
    def first_name(self) -> str:
        return self.name.partition(" ")[0]

    @cached_property
    def tongue(self) -> str:
        return self.language[:2]

    def pinned(self, point: str) -> Reply | None:
        return next((reply for reply in self.replies if reply.meets(point)), None)


class People:
    """Everybody who can be reached: the user's people before ours, whole numbers before endings."""

    def __init__(self, own: Path | None = None) -> None:
        self._own = own

    @classmethod
    def load(cls, own: Path | None) -> People:
        """Ours and the `*.toml` of a folder, which may be absent. Raises SandboxError in one sentence."""
        people = cls(own)
        _ = people._shelves  # what is wrong with a file is said now, not during a call
        return people

    def of(self, number: str, seed: str) -> Person:
        """Who answers a number (contract A106); a number that nobody claims reaches a helpful person."""
        for shelf in self._shelves:
            if found := shelf.numbers.get(number) or shelf.endings.get(number[-4:]):
                return found
        pool = next(shelf.others for shelf in self._shelves if shelf.others)
        digest = hashlib.sha256(f"{seed}:{number}".encode()).digest()
        return pool[int.from_bytes(digest[:4], "big") % len(pool)]

    def __iter__(self) -> Iterator[Person]:
        return (person for shelf in self._shelves for person in shelf.people)

    @cached_property
    def _shelves(self) -> tuple[_Shelf, ...]:
        ours = _Shelf(resources.files(__package__).joinpath("characters").iterdir())
        if self._own is None or not self._own.exists():
            return (ours,)
        if not self._own.is_dir():
            raise SandboxError(f"{self._own} is no folder; put people there as files such as ada.toml.")
        return _Shelf(self._own.iterdir()), ours


class _Shelf:
    """People who may not claim each other's numbers, by what reaches them."""

    def __init__(self, files: Iterable[Traversable]) -> None:
        in_order = sorted(files, key=lambda file: file.name)  # folders list in no order of their own
        named = [(file.name, _read(file)) for file in in_order if file.name.endswith(".toml")]
        self.people = tuple(person for _, person in named)
        self.numbers: dict[str, Person] = {}
        self.endings: dict[str, Person] = {}
        self.others = tuple(person for person in self.people if not (person.numbers or person.endings))
        claimed: dict[str, str] = {}
        for file, person in named:
            for claim in (*person.numbers, *person.endings):
                if other := claimed.get(claim):
                    raise SandboxError(
                        f"{file}: {claim} reaches {other} already; take it out of one of the two files."
                    )
                claimed[claim] = file
            self.numbers |= dict.fromkeys(person.numbers, person)
            self.endings |= dict.fromkeys(person.endings, person)


def _read(file: Traversable) -> Person:
    try:
        return Person.model_validate(tomllib.loads(file.read_text("utf-8")))
    except ValidationError as report:
        raise SandboxError(f"{file}: {_sentence(report)}") from None
    except UnicodeDecodeError:
        raise SandboxError(f"{file} is not written in UTF-8; save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as wrong:
        said = str(wrong)[:1].lower() + str(wrong)[1:]
        raise SandboxError(f'{file} is no TOML ({said}); write lines such as name = "Ada Boone".') from None
    except OSError as wrong:
        raise SandboxError(f"{file} cannot be read ({wrong.strerror}); let it be read by you.") from None


_WORKS = {
    "name": 'a name of 1 to 60 characters, such as "Ada Boone"',
    "language": 'en or es, with a country where you like, such as "en-GB" or "es-MX"',
    "timezone": 'an IANA name, such as "Europe/Madrid"',
    "temper": f"one of {', '.join(get_args(Temper))}",
    "endings": 'strings of four digits, such as ["0042"]',
    "numbers": 'strings in E.164 form, such as ["+14155550142"]',
    "rings_for": "two numbers of seconds up to 29, such as [3, 6]",
    "answers_on_attempt": "a whole number from 1 to 20",
    "until_then": '"busy" or "no-answer"',
    "willing": "a number from 0 to 1, such as 0.8",
    "street": "up to 500 characters",
    "replies": "tables [[replies]] with about, say and disposition",
    "about": 'words with | between them, such as "vegan|vegetarian"',
    "say": "up to 500 characters",
    "disposition": 'small letters and _, such as "answered"',
}


def _sentence(report: ValidationError) -> str:
    """The first thing that is wrong, and what would work."""
    item: Any = report.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(step + 1) if isinstance(step, int) else step for step in item["loc"])
    field = next((step for step in reversed(item["loc"]) if step in _WORKS), "")
    if item["type"] == "extra_forbidden":
        kind = Reply if len(item["loc"]) > 1 else Person
        return f"{where} is no field of a {kind.__name__.lower()}; there are {', '.join(kind.model_fields)}."
    works = _WORKS.get(field, "one string or a list of strings, each up to 500 characters")
    if item["type"] == "missing":
        return f"{where} is missing; give {works}."
    said = item["msg"].removeprefix("Value error, ") if item["type"] == "value_error" else "does not fit"
    return f"{where} {said}; give {works}."


PEOPLE = People()
"""Ours alone, read when somebody is first called."""
