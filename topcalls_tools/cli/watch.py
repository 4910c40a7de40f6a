"""`topcalls watch`: several calls live in the terminal, each turn as it comes, and a key to hang each up."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click
from pydantic import ValidationError

from ..action import sentence
from ..errors import Broken, TooMany, TopCallsError, Unreachable
from ..quoting import BAR, barred, quiet
from . import show, tables

if TYPE_CHECKING:
    from ..client import AsyncClient
    from ..deeds.follow_call import Following
    from ..flow.steps import Tell

KEYS = "123456789abcdefghijklmnoprstuvwxyz"
"""A key for each call; q leaves."""
WAITS = 40.0
"""Seconds that one wait for news takes."""
VAIN = 3
"""Waits after a call's end in which its summary may fail to come."""
AGAIN_AFTER = 5.0
"""Seconds until TopCalls is tried again where it could not be reached."""
LEFT = "Nothing is watched any more; the calls go on."


@click.command()
@click.argument("call_ids", nargs=-1, metavar="[CALL_ID]...")
@click.pass_context
def watch(ctx: click.Context, call_ids: tuple[str, ...]) -> None:
    """Watch calls live until they end: what is said, as it is said. Without CALL_ID these are the calls that
    are live now, among the newest 200. At a terminal the key beside a call hangs it up at once, and q leaves;
    elsewhere it prints plain lines. Leaving hangs up nothing."""
    import anyio

    from . import exit_code

    try:
        board = anyio.run(_watched, call_ids)
    except KeyboardInterrupt:
        click.echo(LEFT, err=True)
        return
    if board.left:
        click.echo(LEFT, err=True)
    elif not board.calls:
        click.echo("No call is live.")
    elif board.trouble:
        ctx.exit(exit_code(board.trouble))


@dataclass(slots=True)
class Watched:
    """One call on the board."""

    call_id: str
    key: str | None
    """What hangs it up; None where there are more calls than keys."""
    number: str = ""
    stands: str = "It is looked for."
    next_turn: int = 1
    over: bool = False

    @property
    def name(self) -> str:
        """How its lines begin."""
        return f"[{self.key}]" if self.key and tables.on_screen() else self.call_id


@dataclass(slots=True)
class Board:
    """What is shown: turns above as they come, and below, at a terminal, how each call stands."""

    calls: list[Watched]
    console: Any = field(default_factory=tables.screen)
    live: Any = None
    left: bool = False
    trouble: TopCallsError | None = None
    """What went wrong last with a call that is watched no more."""

    def say(self, call: Watched, words: str) -> None:
        """Print a sentence of ours about a call."""
        from rich.text import Text

        self.console.print(Text(f"{call.name} {words}", style="dim"), soft_wrap=True)

    def take(self, call: Watched, seen: Following) -> None:
        """Print what is new of a call."""
        from rich.text import Text

        before = f"{call.name} "
        width = self.console.width if tables.on_screen() else self.console.width + len(before)
        for turn in seen.turns:
            for line in show.turn(turn, width, before):
                self.console.print(line, soft_wrap=True)
        call.next_turn = seen.next_turn
        if seen.ended and seen.completed and not seen.more:
            self.say(call, f"The call is over: {_word(seen.call_status or seen.status)}.")
            if seen.call_summary is not None:
                beside = f"{before}summary, derived  "
                for quoted in barred(seen.call_summary.words, width - len(beside) - len(BAR), beside):
                    self.console.print(Text(quoted), soft_wrap=True)

    def stand(self, call: Watched, words: str, *, said: bool = False) -> None:
        """Note how a call stands. Without a footer a line tells it, where none has: turns tell themselves."""
        news, call.stands = words.partition(",")[0] != call.stands.partition(",")[0], words
        if self.live is not None:
            self.live.update(self.footer(), refresh=True)
        elif news and not said:
            self.say(call, words)

    def footer(self) -> Any:
        """How each call stands, and what the keys do."""
        from rich.console import Group
        from rich.rule import Rule
        from rich.text import Text

        rows = [
            ("" if call.over else call.key or "", call.call_id, call.number, call.stands)
            for call in self.calls
        ]
        table = tables.fitted(("key", "call", "number", "stands"), rows, self.console.width, "call")
        help_line = Text("The key beside a call hangs it up; q leaves, and the calls go on.", style="dim")
        return Group(Rule(style="dim"), table, help_line)


async def _watched(call_ids: tuple[str, ...]) -> Board:
    import anyio

    from ..client import AsyncClient

    async with AsyncClient() as client:
        board = Board(_keyed(call_ids, {}) if call_ids else await _live(client))
        if not client.line.live:
            click.echo("Practice: no phone rang.")
        with ExitStack() as stack:
            async with anyio.create_task_group() as group:
                if board.calls and tables.on_screen() and sys.stdin.isatty():
                    _at_terminal(board, client, group, stack)
                async with anyio.create_task_group() as followers:
                    for call in board.calls:
                        followers.start_soon(_follow, call, board, client)
                group.cancel_scope.cancel()
        return board


async def _live(client: AsyncClient) -> list[Watched]:
    """The calls that are live now, the oldest first."""
    from ..api.calls import ENDED, ListCalls

    page = await client.send(ListCalls(limit=200))
    live = [call for call in reversed(page.data) if call.status not in ENDED]
    numbers = {call.id: quiet(call.phone_number or "") for call in live}
    able = tuple(call_id for call_id in numbers if not _wrong(call_id))
    if left_out := len(numbers) - len(able):
        click.echo(f"Left out as their ids cannot be asked for: {left_out}.", err=True)
    return _keyed(able, numbers)


def _keyed(call_ids: tuple[str, ...], numbers: dict[str, str]) -> list[Watched]:
    """Calls with a key each, as far as there are keys."""
    for call_id in call_ids:
        if wrong := _wrong(call_id):
            raise click.UsageError(wrong)
    keys = iter(KEYS)
    return [Watched(one, next(keys, None), numbers.get(one, "")) for one in dict.fromkeys(call_ids)]


def _wrong(call_id: str) -> str | None:
    """Why a call with this id cannot be followed, where it cannot."""
    from ..deeds import FollowCall

    try:
        FollowCall(call_id=call_id)
    except ValidationError as wrong:
        return sentence(wrong, FollowCall)
    return None


def _at_terminal(board: Board, client: AsyncClient, group: Any, stack: ExitStack) -> None:
    """Show the footer, and heed keys."""
    from rich.live import Live

    from .keys import keys

    def pressed(key: str) -> None:
        if key.endswith("q"):  # typed faster than it was read, or pasted: leaving does no harm
            board.left = True
            group.cancel_scope.cancel()
        for call in board.calls:
            if call.key == key and not call.over:
                group.start_soon(_hang_up, call, board, client)

    stack.enter_context(keys(pressed))  # before Live, which takes stdout for itself
    board.live = Live(board.footer(), console=board.console, auto_refresh=False, transient=True)
    stack.enter_context(board.live)


async def _follow(call: Watched, board: Board, client: AsyncClient) -> None:
    """Follow one call to its end."""
    import anyio

    from ..deeds import FollowCall

    def told(notice: Tell) -> None:
        board.stand(call, notice.words)

    vain = 0
    while vain < VAIN:
        request = FollowCall(call_id=call.call_id, from_turn=call.next_turn, wait_seconds=WAITS)
        try:
            seen = await client.send(request, tell=told)
        except (Unreachable, TooMany, Broken) as error:
            board.stand(call, f"{error}")
            await anyio.sleep(getattr(error, "wait_seconds", None) or AGAIN_AFTER)
            continue
        except TopCallsError as error:
            call.over, board.trouble = True, error
            board.say(call, f"{error}")
            board.stand(call, "It cannot be followed.", said=True)
            return
        board.take(call, seen)
        if seen.ended and seen.completed and not seen.more:
            call.over = True
            board.stand(call, "The call is over.", said=True)
            return
        vain = vain + 1 if seen.ended and not seen.turns else 0
    call.over = True
    board.stand(call, "The call is over; its summary has not come.")


async def _hang_up(call: Watched, board: Board, client: AsyncClient) -> None:
    from ..api.calls import StopCall

    board.say(call, "Hanging up.")
    try:
        done = await client.send(StopCall(call_id=call.call_id))
    except TopCallsError as error:
        board.say(call, f"{error}")
    else:
        board.say(call, done.note or "Hung up.")


def _word(status: str | None) -> str:
    return quiet(status or "unknown").replace("_", " ")
