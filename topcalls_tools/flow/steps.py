"""What to do, apart from how: generators that yield steps and are sent the outcomes.

A driver (`client.py`) carries the steps out, blocking or not. No flow sleeps, sends, asks, opens a file or
reads the clock by itself, so one flow serves the sync client, the async client and the MCP server alike.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ..action import Effect, R
from ..endpoint import Endpoint
from ..errors import APIError, Broken, Refused, TooMany, TopCallsError, Unreachable
from ..wire import Reply, Request

if TYPE_CHECKING:
    from ..contacts import Contact
    from ..dnc import DoNotCall
    from ..following.bell import Bell
    from ..following.watching import Watch
    from ..guard.policy import Policy
    from ..journal.store import Journal
    from .question import Question

IN_ALL = 45.0
"""Seconds that one call may take, a person's open form apart; assistants give up at 60."""
TO_DIAL = 15.0
"""Seconds that must be left for a dial to be begun."""
ONE_ATTEMPT = 20.0
"""Seconds that one attempt may take."""
PAUSES = (1.0, 2.0, 4.0)
"""Seconds before each retry, where TopCalls says none (contract A27)."""
ASK_LIVES = timedelta(minutes=10)
"""How long a question, and the yes to it, count."""
LEASE = timedelta(seconds=60)
"""How long the process that began a dial has it to itself; after that it sends nothing more."""
READS_FOR = 0.5
"""A form that comes back after fewer seconds than this was read by nobody."""
GLANCE = 5.0
"""Seconds that a look may take which must not hold up what comes after it."""


@dataclass(frozen=True, slots=True)
class Send:
    """Put a request on the wire; the outcome is a Reply, or Unreachable is thrown in."""

    request: Request
    seconds: float


@dataclass(frozen=True, slots=True)
class Sleep:
    """Let time pass; less where a bell is named and rings."""

    seconds: float
    bell: Bell | None = None
    rings: int = 0
    """How often the bell had rung when it was decided to wait: a ring since then ends the wait at once."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Do something with the journal; the driver picks the thread."""

    work: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Ask:
    """Put a question to the person in charge. Only reads come before it. The outcome is an Answer."""

    question: Question
    key: str
    digest: str
    tool: str
    target: str
    minutes: float
    covered: bool
    """Whether the owner's allow-list and budget say all that a person would be asked."""

    @property
    def seal(self) -> str:
        """What a yes is a yes to: this deed, under this key."""
        return f"{self.key}.{self.digest}"


@dataclass(frozen=True, slots=True)
class Tell:
    """A notice for whoever waits. It holds no word that was spoken, and nothing depends on it."""

    elapsed: float
    """Seconds since the wait began."""
    seconds: float
    """Seconds that it may last in all."""
    words: str
    """A sentence of TopCalls Tools: where things stand."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said to the question with this seal: yes, no, or None when nobody answered."""

    yes: bool | None
    seal: str
    by: Literal["callback", "form", "page", "terminal", "interrupt", "slip", "practice", "none"] = "callback"
    after: float | None = None
    """Seconds that a form was open; None where no form was."""
    minutes: float | None = None
    """The most that the form named, where it travelled by itself."""
    at: datetime | None = None
    """When it was given, where that was before the question was put: to a list with this deed in it."""

    @property
    def key(self) -> str:
        """The key of the question that it says it answers."""
        return self.seal.partition(".")[0]

    @property
    def hasty(self) -> bool:
        """Whether it came back faster than a person reads."""
        return self.after is not None and self.after < READS_FOR


class Pending(Exception):
    """The question must travel on: this call ends, and the same call, or a slip, goes on with the answer."""

    def __init__(self, ask: Ask) -> None:
        super().__init__("a question is open")
        self.ask = ask


Step = Send | Sleep | Keep | Ask | Tell
T = TypeVar("T")
Flow = Generator[Step, Any, T]


@dataclass(slots=True)
class Desk:
    """What a flow works with, handed in. One desk serves one call: the deadline stands on it."""

    account: str
    live: bool
    strict: bool
    """Whether a person's word is needed: with a live key, and in rehearsal."""
    line: str
    """Digest of address and key."""
    policy: Callable[[], Policy]
    """What the owner allows. Raises Misconfigured where that cannot be told; reads and brakes go on."""
    contacts: Callable[[], Mapping[str, Contact]]
    """Whom the owner knows, by number."""
    dnc: Callable[[], DoNotCall]
    """The numbers that are not to be called."""
    noted: Callable[[], bool]
    """Whether there is a journal yet: what only reads makes none."""
    secret: Callable[[], bytes]
    journal: Callable[[], Journal]
    briefly: Callable[[Callable[[Journal], object]], None]
    """Note something in the journal where it can be had at once, and else not: for what must not wait."""
    stopped_at: Callable[[], datetime | None]
    """When everything was stopped last, as a file beside the journal says it."""
    stop: Callable[[datetime], bool]
    """Write that file; whether that could be done."""
    clock: Callable[[], datetime]
    timer: Callable[[], float]
    jitter: Callable[[], float]
    """A factor around 1 for pauses, so that many clients do not retry in step."""
    bell: Bell
    """Rings when a webhook told something: whoever waits for news looks again."""
    watch: Watch
    """What all who follow calls on this line share."""
    poll_seconds: float
    """How often one call may be looked at by whoever does not share that (contract A67)."""
    keeps: timedelta
    """How long what is personal is kept."""
    webhook_url: str | None = None
    """The owner's receiver, which is told of the calls that are placed."""
    deadline: float = 0.0

    def restart(self) -> None:
        """Give the call its whole time: at its arrival, and after a person's form."""
        self.deadline = self.timer() + IN_ALL

    def left(self) -> float:
        """Seconds that are left."""
        return self.deadline - self.timer()


def read(request: Endpoint[R], desk: Desk) -> Flow[R]:
    """Send a request that changes nothing."""
    return request.reply((yield from transmit(request, desk)))


def glance(request: Endpoint[R], desk: Desk) -> Flow[R]:
    """Read once and without patience: for what is done by the way."""
    return request.reply((yield Send(request.request(), min(GLANCE, max(0.1, desk.left())))))


def transmit(
    request: Endpoint[Any], desk: Desk, key: str | None = None, may: Callable[[], None] | None = None
) -> Flow[Reply]:
    """Send, and send again where that is safe: reads always, others only under a key that TopCalls
    promises to honour. `may` is heard before each attempt, and raises Refused where it must not be made.

    Doubt sticks: once one attempt may have arrived, only a success ends it. A SPEND that may have arrived is
    not repeated here: what answered it may have been a failure, and then its key was not kept (contract A14).
    """
    wire = request.request()
    if key and request.keyed:
        wire = replace(wire, headers={"Idempotency-Key": key})
    safe = request.method == "GET" or "Idempotency-Key" in wire.headers
    doubt: TopCallsError | None = None
    for pause in (*PAUSES, None):
        reply: Reply | None = None
        trouble: TopCallsError
        try:
            if may:
                may()
        except Refused as refusal:
            raise doubt or refusal from None
        try:
            reply = yield Send(wire, max(0.1, min(ONE_ATTEMPT, desk.left())))
        except Unreachable as error:
            trouble = error
            repeat = safe
            if error.happened is None:
                doubt = doubt or error
        else:
            if reply.status < 400:
                return reply
            trouble = request.error(reply)
            repeat = safe and (isinstance(trouble, TooMany | Broken))
            if isinstance(trouble, Broken):
                doubt = doubt or trouble
        repeat = repeat and (doubt is None or request.effect is not Effect.SPEND)
        wait = _wait(trouble, pause, desk)
        if not repeat or wait is None or wait >= desk.left():
            if reply is not None and (doubt is None or isinstance(trouble, Broken)):
                return reply
            raise doubt or trouble
        yield Sleep(wait)
    raise AssertionError("the last pause is None")


def _wait(trouble: TopCallsError, pause: float | None, desk: Desk) -> float | None:
    """Seconds until the next attempt; None when there is none."""
    asked = trouble.wait_seconds if isinstance(trouble, APIError) else None
    return None if pause is None else asked if asked is not None else pause * desk.jitter()
