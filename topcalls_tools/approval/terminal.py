"""Asking at the terminal."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import click

from ..flow.question import Question
from ..flow.steps import Ask
from ..quoting import BAR, quiet

WHOLE = 100_000
"""Characters of a value that are shown: more than any argument may have."""
TRIES = 2
"""How often somebody may mistype."""


def possible() -> bool:
    """Whether a person sits at this terminal: questions go to standard error, answers come from standard
    input."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def approve(ask: Ask) -> bool | None:
    """Show the whole question and wait for y or n. An end of input, or Ctrl-C, is no answer."""
    show(ask.question)
    return sure("Approve?")


def sure(question: str) -> bool | None:
    """Wait for y or n to a question in our own words. An end of input, or Ctrl-C, is no answer."""
    _forget_typed()
    while True:
        try:
            click.echo(f"{question} [y/N]: ", nl=False, err=True)
            typed = _typed()  # not input(), which swallows a Ctrl-C that comes while it flushes
        except KeyboardInterrupt:
            typed = None
        match typed and typed.lower():
            case None:
                click.echo(err=True)
                return None
            case "y" | "yes":
                return True
            case "" | "n" | "no":
                return False
        click.echo("That is no answer; y is a yes, n is a no.", err=True)


def pressed(question: str) -> bool:
    """Wait for one key to a question in our own words; y alone is a yes."""
    with _keys() as key:
        click.echo(f"{question} ", nl=False, err=True)
        yes = key().lower() == "y"
    click.echo("y" if yes else "n", err=True)
    return yes


def answered(question: Question, target: str) -> bool | None:
    """Show a question that came up elsewhere. A yes is what it is about, typed: the last four digits of a
    number, or a name exactly. An end of input, and what is mistyped twice, is no answer."""
    wanted = quiet(target).strip()
    show(question)
    if re.fullmatch(r"\+[0-9]{5,15}", wanted):
        how, wanted = "To approve, type the last four digits of the number; n is no.", wanted[-4:]
    else:
        named = Question("To approve, type exactly what it is about; n is no.", (), (("about", wanted),))
        how = named.text(most=WHOLE, columns=columns())
    _forget_typed()
    for _ in range(TRIES):
        say(how)
        click.echo("> ", nl=False, err=True)
        typed = _typed()
        if typed is None:
            click.echo(err=True)
            return None
        if typed.lower() in ("n", "no"):
            return False
        if wanted and typed == wanted:
            return True
        click.echo("That is something else, and no answer.", err=True)
    return None


def show(question: Question) -> None:
    """Print a question whole."""
    say(question.text(most=WHOLE, columns=columns()))


def say(text: str) -> None:
    """Print lines of ours, folded between words, and lines behind a bar, which are narrow enough already."""
    width = columns() or 0
    for line in text.split("\n"):
        ours = not line.startswith(BAR) and len(line) > width > 0
        folded = (
            textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) if ours else [line]
        )
        click.echo("\n".join(folded), err=True)


def columns() -> int | None:
    """Columns of the terminal that questions are shown on, as it says itself, else as COLUMNS does; None
    where there is none, or neither knows."""
    if not sys.stderr.isatty():
        return None
    with suppress(OSError):  # standard output may go elsewhere, and COLUMNS may be of another terminal
        if wide := os.get_terminal_size(sys.stderr.fileno()).columns:
            return wide
    return shutil.get_terminal_size((0, 0)).columns or None


def _typed() -> str | None:
    """A line that somebody ended; None at the end of input."""
    try:
        line = sys.stdin.readline()
    except UnicodeDecodeError:
        return ""
    return line.strip() if line.endswith("\n") else None


def _forget_typed() -> None:
    """Drop what was typed before there was a question to read."""
    with suppress(ImportError, OSError, ValueError):  # no termios on Windows, or no terminal
        import termios

        termios.tcflush(sys.stdin, termios.TCIFLUSH)


@contextmanager
def _keys() -> Iterator[Callable[[], str]]:
    """What reads one key. What was typed before does not count, and Ctrl-C is a key like any other."""
    try:
        import termios
    except ImportError:  # Windows
        yield _key_there
        return
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    single = [*before[:3], before[3] & ~(termios.ECHO | termios.ICANON | termios.ISIG), *before[4:]]
    try:
        termios.tcsetattr(keyboard, termios.TCSAFLUSH, single)
        yield lambda: os.read(keyboard, 64).decode(errors="replace")
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)


def _key_there() -> str:
    try:
        return click.getchar()
    except (KeyboardInterrupt, EOFError):
        return ""
