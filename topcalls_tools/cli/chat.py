"""`topcalls chat`: requests in words, one after the other, at a terminal or from a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ..errors import TopCallsError
from .ask import options, reader

if TYPE_CHECKING:
    from .ask import Reader

PROMPT = "topcalls> "
HELP = """\
Say what is to be done, in a line. Calls are shown and asked about before they are placed; Ctrl-C stops
waiting, and a second one offers to hang up. "it" and "the last one" are what was spoken of last.
/help  this, and what can be said
/quit  leave, as Ctrl-D does; calls go on"""


@click.command()
@options
@click.pass_context
def chat(ctx: click.Context, /, **given: Any) -> None:
    """Do what you say, line by line. As ask, with "it" and "the last one" across lines. From a pipe each line
    is read and carried out, and the exit code is that of the first that failed."""
    with reader(**given) as reads:
        if at_terminal():
            from .attended import notice

            notice(f"{reads.about}\n/help says what can be said; /quit leaves.")
            lines = _typed()
        else:
            lines = (line.strip() for line in sys.stdin)
        code = _session(reads, lines)
    if code and not at_terminal():
        ctx.exit(code)


def at_terminal() -> bool:
    """Whether a person types here and sees what is printed."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _session(reads: Reader, lines: Iterator[str]) -> int:
    """Carry the lines out; the exit code of the first that failed."""
    first = 0
    for line in lines:
        match line:
            case "":
                continue
            case "/quit" | "/exit":
                break
            case "/help":
                click.echo(HELP)
                for example in examples():
                    click.echo(f"  {example}")
                continue
        code = _one(reads, line)
        first = first or code
    return first


def _one(reads: Reader, line: str) -> int:
    from . import exit_code

    try:
        return reads.said(line)
    except TopCallsError as error:
        click.echo(f"Error: {error}", err=True)
        return exit_code(error)
    except KeyboardInterrupt:
        if not at_terminal():
            raise
        click.echo("\nStopped; what was not done by now is not done.", err=True)
        return 0


def _typed() -> Iterator[str]:
    """The lines that a person types, until the end of input. What was typed is remembered for this session
    alone, because it names people and numbers."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import WordCompleter
    from prompt_toolkit.history import InMemoryHistory

    words = WordCompleter(["/help", "/quit", *examples()], ignore_case=True, sentence=True)
    session: PromptSession[str] = PromptSession(
        history=InMemoryHistory(), completer=words, complete_while_typing=False
    )
    while True:
        try:
            yield session.prompt(PROMPT).strip()
        except KeyboardInterrupt:
            click.echo("/quit leaves, as Ctrl-D does.", err=True)
        except EOFError:
            return


def examples() -> list[str]:
    """Sentences that work."""
    from ..interpreter.book import book

    return list(dict.fromkeys(book("en").examples.values()))
