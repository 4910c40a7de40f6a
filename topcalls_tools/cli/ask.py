"""`topcalls ask`: one request in words, carried out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import click

from .contacts import REGION


class Reader(Protocol):
    """Who reads what is said, and has it done: the phrase book, or a model."""

    @property
    def about(self) -> str:
        """What a person should know of it."""

    def said(self, sentence: str) -> int:
        """Carry a sentence out, and give the exit code. Raises a TopCallsError where it could not be done."""


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What `ask` and `chat` take alike."""
    for option in (
        click.option("--no-follow", is_flag=True, help="Place calls, and do not wait for what is said."),
        REGION,
        click.option("--model-url", help="Address of an OpenAI-compatible server that has the model."),
        click.option("--model", help="A chat model of LangChain, such as openai:gpt-5-mini, reads it."),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("words", nargs=-1, required=True)
@options
@click.pass_context
def ask(ctx: click.Context, /, words: tuple[str, ...], **given: Any) -> None:
    """Do what you say in words. An example: topcalls ask "Call +14155550123 and ask when they open." A call
    is shown, asked about at the terminal, and followed until it ends; Ctrl-C stops waiting, and a second one
    offers to hang up.

    Without --model a phrase book reads it: it knows set wordings, never guesses, and says what would work.
    """
    with reader(**given) as reads:
        try:
            code = reads.said(" ".join(words))
        except KeyboardInterrupt:
            click.echo("\nStopped; what was not done by now is not done.", err=True)
            raise click.Abort from None
    if code:
        ctx.exit(code)


@contextmanager
def reader(model: str | None, model_url: str | None, region: str | None, no_follow: bool) -> Iterator[Reader]:
    """Who reads it, as the options and the settings say, with a client that is closed in the end.

    Raises Misconfigured where a model cannot be connected.
    """
    from .attended import Attended

    with Attended(follows=not no_follow) as person:
        settings = person.line.settings
        name, url = model or settings.model, model_url or settings.model_url
        where = region or (settings.region and settings.region.upper())
        if url and not name:
            raise click.UsageError("--model-url is the address of a model; name it with --model.")
        if name:
            from .by_model import ByModel

            yield ByModel(person, name, url, where)
        else:
            from .by_book import ByBook

            yield ByBook(person, where)
