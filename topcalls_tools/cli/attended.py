"""A client with a person beside it: what is to be done is shown and asked, and calls are followed live."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import click

from ..action import Action, Effect, R
from ..api.account import GetBalance
from ..api.calls import CallPlaced, GetCall, ListCalls, PlaceCall, StopCall
from ..approval import terminal
from ..client import Approve, Client, Hear
from ..deeds.follow_call import FollowCall, Following
from ..deeds.stop_all import AllStopped
from ..errors import APIError, Declined, TooMany, TopCallsError, Unreachable
from ..flow.steps import Answer, Ask
from ..quoting import BAR, barred, quiet, room
from .interrupts import LINGERS, Interrupts

if TYPE_CHECKING:
    from ..connect import Line

WAITS = 25.0
"""Seconds that one look at a call waits for news."""
WITHOUT_NEWS = 2
"""How many looks after a call's end wait in vain for its summary before it is left at that."""
_HANG_UP = "Hang up now? y hangs up, any other key does not."
_SAID_NO = (
    "The person said no to what uses call minutes in this request, so nothing more of that kind is asked "
    "and nothing was sent; tell them, and do it once they ask for it in a new request."
)
RECENT = 50
"""Calls among which the one that has ended is looked for: lists alone tell what was billed."""


@dataclass(slots=True)
class _Seen:
    """What of a call was shown already."""

    next_turn: int = 1
    status: str | None = None
    ended: bool = False
    summary: bool = False


class Attended(Client):
    """Does what it is told and shows it: the plan before whatever dials, stops or changes something, the
    question at a terminal, the outcome, and each call that is placed until it ends or the person leaves."""

    def __init__(self, *, follows: bool = True, line: Line | None = None) -> None:
        super().__init__(approve=self._asked if terminal.possible() else None, line=line)
        self._follows = follows
        self._interrupts = Interrupts()
        self._seen: dict[str, _Seen] = {}
        self.call_id: str | None = None
        """The call that was dealt with last."""
        self.campaign_id: str | None = None
        self.refused: TopCallsError | None = None
        """Why the last thing that was to be done was not, where it was not."""
        self.left = False
        """Whether the person wants nothing further of this request, such as who has left a call."""
        self._said: bool | None = None
        self._stopped = False
        self._no = False

    def begin(self) -> None:
        """Begin another request: what was said and left in the one before counts no more."""
        self.refused, self.left, self._no = None, False, False

    def send(
        self,
        request: Action[R],
        answer: Answer | None = None,
        *,
        approve: Approve | None = None,
        tell: Hear | None = None,
    ) -> R:
        """Carry out one request, with the person beside it. Runs in the main thread alone.

        After a no to what spends, nothing more that spends is asked in the same request. Raises
        KeyboardInterrupt where Ctrl-C is pressed at a question, or before it. Nothing that fails once a call
        is placed is raised in place of the reply: the phone rings.
        """
        if request.effect is Effect.READ:
            return self._read(request, tell)
        spends = request.effect is Effect.SPEND
        if spends and self._no:
            self.refused = Declined(_SAID_NO)
            raise self.refused
        terminal.say("\n".join(plan(request, terminal.columns())))
        self._said, self._stopped = None, False
        with Interrupts() as self._interrupts:
            try:
                reply = super().send(request, answer, approve=approve, tell=tell)
            except TopCallsError as error:
                if self._stopped:
                    raise KeyboardInterrupt from None
                self.refused = error
                self._no |= spends and self._said is False
                self.left |= self._interrupts.count > 0
                raise
            self._interrupts.held = True  # what was done is told, whatever is pressed meanwhile
            self.refused = None
            self._spoken_of(request)
            self._shown(request, reply)
            if isinstance(reply, CallPlaced) and isinstance(request, PlaceCall):
                self.call_id = reply.call_id
                self._stay(reply.call_id, request.max_duration, self._follows)
            self.left |= self._interrupts.count > 0
        return reply

    def follow(self, call_id: str) -> None:
        """Show a call until it has ended, and what it cost; Ctrl-C leaves it, and it goes on."""
        self.call_id = call_id
        with Interrupts() as self._interrupts:
            self._stay(call_id, None, True)

    def _stay(self, call_id: str, reserved: float | None, follows: bool) -> None:
        """Follow a call where that is wanted, until somebody leaves it. `reserved` are its minutes, where it
        was placed just now: then nothing that fails is raised."""
        leaves = False
        try:
            try:
                self._interrupts.release()
                if follows:
                    self._watch(call_id)
                    self._bill(call_id, reserved)
            except KeyboardInterrupt:
                leaves = True
                self._leave(call_id, reserved)
        except Exception as error:  # whatever it is, the phone rings
            self._interrupts.held = True
            if reserved is None:
                raise
            if leaves:
                click.echo(f"Error: {error}", err=True)
                notice(f"The call may go on; topcalls stop-call --call-id {call_id} hangs up.")
            else:
                stands = "has ended" if self._seen.setdefault(call_id, _Seen()).ended else "goes on"
                notice(
                    f"The call {stands}, but cannot be followed now ({_brief(error)}); topcalls follow-call "
                    f"--call-id {call_id} shows how it stands."
                )

    def _read(self, request: Action[R], tell: Hear | None) -> R:
        self._spoken_of(request)
        if not isinstance(request, FollowCall):
            return super().send(request, tell=tell)
        with Interrupts() as self._interrupts:
            try:
                reply: Any = super().send(request, tell=tell)
            except KeyboardInterrupt:
                self._leave(request.call_id)
                reply = super().send(request.model_copy(update={"wait_seconds": 0}))
        self._tell(reply)
        return cast(R, reply)

    def _spoken_of(self, request: Action[Any]) -> None:
        self.call_id = getattr(request, "call_id", None) or self.call_id
        self.campaign_id = getattr(request, "campaign_id", None) or self.campaign_id

    def _asked(self, ask: Ask) -> bool | None:
        self._interrupts.asking = True
        try:
            said = terminal.approve(ask)
        except KeyboardInterrupt:  # while it is printed
            said = None
        finally:
            self._interrupts.asking = False
        self._said = said
        self._stopped = said is None and self._interrupts.count > 0
        self._interrupts.held = bool(said)  # from the yes on until it is known what became of it
        return said

    def _watch(self, call_id: str) -> None:
        """Show what is said until all of it was shown."""
        vain = 0
        while True:
            since = self._seen.setdefault(call_id, _Seen()).next_turn
            seen = super().send(FollowCall(call_id=call_id, from_turn=since, wait_seconds=WAITS))
            self._tell(seen)
            vain = vain + 1 if seen.ended and not seen.turns else 0
            if seen.ended and not seen.more and (seen.completed or vain > WITHOUT_NEWS):
                return

    def _tell(self, now: Following) -> None:
        """Show what of it was not shown before."""
        from rich.text import Text

        from . import show, tables

        console, known = tables.screen(), self._seen.setdefault(now.call_id, _Seen())
        if now.status != known.status and not now.ended:
            status = quiet(now.status or "unknown").replace("_", " ")
            console.print(Text(f"The call is {status}.", style="dim"))
        for said in now.turns:
            if said.turn >= known.next_turn:
                for line in show.turn(said, console.width):
                    console.print(line, soft_wrap=True)
        if now.call_summary and now.completed and not known.summary:
            console.print(Text("Summary, derived from what was said:", style="bold"))
            for one in barred(now.call_summary.words, console.width - len(BAR)):
                console.print(Text(one), soft_wrap=True)
            known.summary = True
        known.ended, known.status = now.ended, now.status
        known.next_turn = max(known.next_turn, now.next_turn)

    def _bill(self, call_id: str, reserved: float | None) -> None:
        """How it ended, and the minutes, where that can be told now."""
        from ..deeds.outcomes import CASES, case_of

        try:
            call = super().send(GetCall(call_id=call_id))
            recent = super().send(ListCalls(limit=RECENT)).data
            left = super().send(GetBalance())
        except TopCallsError as error:
            notice(
                f"Its minutes cannot be told now ({_brief(error)}); topcalls get-call --call-id {call_id} "
                "shows how it ended."
            )
            return
        billed = next((one.actual_duration_billed for one in recent if one.id == call_id), None)
        minutes = [
            *([] if reserved is None else [f"{reserved:,g} reserved"]),
            "not billed yet" if billed is None else f"{billed:,g} billed",
            *([] if left.remaining is None else [f"{left.remaining:,g} left"]),
        ]
        click.echo(f"{CASES[case_of(call)].why} Call minutes: {', '.join(minutes)}.")

    def _leave(self, call_id: str, reserved: float | None = None) -> None:
        """Leave a call that goes on; whoever presses Ctrl-C again may hang up."""
        self.left = True
        click.echo(err=True)
        if self._seen.setdefault(call_id, _Seen()).ended:
            notice(f"No longer waiting; the call has ended: topcalls get-call --call-id {call_id}.")
            return
        offers = terminal.possible()
        how = f" Ctrl-C again within {LINGERS:g} seconds offers to hang up." if offers else ""
        notice(f"No longer waiting; the call goes on.{how}")
        if offers and self._interrupts.again() and terminal.pressed(_HANG_UP):
            stop = StopCall(call_id=call_id)
            terminal.say("\n".join(plan(stop, terminal.columns())))
            self._shown(stop, super().send(stop))
            self._bill(call_id, reserved)
        else:
            notice(f"The call goes on; topcalls follow-call --call-id {call_id} tells more of it.")

    def _shown(self, request: Action[R], reply: R) -> None:
        from .show import reply as printed
        from .stop_all import lines

        if isinstance(reply, AllStopped):
            click.echo("\n".join(lines(reply, self.line.live)))
        else:
            printed(request.shown(reply, self.line.live), as_json=False)


def notice(words: str) -> None:
    """Say something of ours on standard error, folded between words where a person reads it."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.text import Text

        Console(stderr=True, highlight=False).print(Text(words))
    else:
        click.echo(words, err=True)


def _brief(error: Exception) -> str:
    """Why nothing more can be told, briefly: the sentence is of a request that nobody has made."""
    match error:
        case Unreachable():
            return "TopCalls does not answer"
        case TooMany():
            return "TopCalls asks to wait"
        case APIError():
            return f"TopCalls answers with an error, {error.status}"
        case TopCallsError():
            return str(error).partition(";")[0].rstrip(".")
        case _:
            return f"it cannot be asked for or shown, {type(error).__name__}"


def plan(request: Action[Any], columns: int | None = None) -> Iterator[str]:
    """What is to be done: the tool, and each argument behind a bar, in lines that fit so many columns."""
    yield f"Plan: {request.tool}, {request.effect.value}"
    given = request.model_dump(mode="json", exclude_none=True, exclude_unset=True)
    width = max(map(len, given), default=0)
    for name, value in given.items():
        words = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False).removesuffix(".0")
        beside = f"  {name:<{width}}"
        yield from barred(words, room(columns, beside), beside)
