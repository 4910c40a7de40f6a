"""`--watch`: a list that is looked at again and again, until Ctrl-C."""

from __future__ import annotations

import io
import shutil
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any, TypeVar

import click

from ..errors import Broken, TooMany, Unreachable
from . import tables

EVERY = 5.0
"""Seconds from one look to the next: TopCalls is asked no more often (contract A67)."""
HELP = f"Look again every {EVERY:g} seconds, until Ctrl-C."
HOME, TO_LINE_END, TO_END = "\x1b[H", "\x1b[K", "\x1b[J"
Command = TypeVar("Command", bound=Callable[..., Any])


def option(command: Command) -> Command:
    """Give a command --watch."""
    return click.option("--watch", is_flag=True, help=HELP)(command)


def watched(
    draw: Callable[[], None],
    *,
    pause: Callable[[float], None] = time.sleep,
    timer: Callable[[], float] = time.monotonic,
) -> None:
    """Call what prints a list again and again. At a terminal each look replaces the one before; elsewhere one
    is printed where it differs from the one before. Where TopCalls cannot be reached it says so and goes on;
    any other error ends it, and Ctrl-C does without one."""
    on_screen = tables.on_screen() and not tables.screen().is_dumb_terminal
    before = None
    try:
        if on_screen:
            click.clear()
        while True:
            begun, wait = timer(), EVERY
            try:
                shown = _captured(draw, on_screen)
            except (Unreachable, TooMany, Broken) as error:
                shown, wait = f"{error}\n", max(EVERY, getattr(error, "wait_seconds", None) or 0)
            if on_screen:
                click.echo(_page(shown), nl=False)
            elif shown != before:
                click.echo(shown, nl=False)
            before = shown
            pause(max(0.0, wait - (timer() - begun)))
    except KeyboardInterrupt:
        click.echo(err=True)


def _page(shown: str) -> str:
    """A look in place of the one before, cut to the terminal's height."""
    lines, room = shown.splitlines(), shutil.get_terminal_size().lines - 2
    if len(lines) > room:
        lines[room:] = [f"… {len(lines) - room} more below; a taller window shows them"]
    told = f"{time.strftime('%H:%M:%S')}, every {EVERY:g} s; Ctrl-C ends it."
    return HOME + "".join(f"{line}{TO_LINE_END}\n" for line in lines) + told + TO_END


class _Screen(io.StringIO):
    """Collects what is meant for the terminal."""

    def isatty(self) -> bool:
        return True


def _captured(draw: Callable[[], None], on_screen: bool) -> str:
    collected = _Screen() if on_screen else io.StringIO()
    with redirect_stdout(collected):
        draw()
    return collected.getvalue()
