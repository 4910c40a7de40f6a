"""What is said at the terminal, carried out by a language model that has the tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..agent import SYSTEM, Conversation, connected
from ..quoting import BAR, barred
from . import exit_code, tables

if TYPE_CHECKING:
    from .attended import Attended


class ByModel:
    """Hands sentences to a model, and shows what it answers behind a bar: its words are not ours."""

    def __init__(self, person: Attended, name: str, url: str | None, region: str | None) -> None:
        settings = person.line.settings
        key = settings.model_key.get_secret_value() if settings.model_key else None
        system = SYSTEM.format(
            now=f"{person.line.clock().astimezone():%A %Y-%m-%d %H:%M (UTC%z)}",
            region=f"Numbers without a country are of {region}."
            if region
            else "Of a number without a country ask which country it is.",
        )
        self._person, self._name = person, name
        self._talk = Conversation(connected(name, url, key), person, system, lambda: person.left)

    @property
    def about(self) -> str:
        """Who reads here."""
        return f"{self._name} reads what you say, and what is said on calls; it decides which tools to call."

    def said(self, sentence: str) -> int:
        """Have a sentence carried out, and give the exit code. Raises ModelFailed, and what went wrong where
        the person wanted to hear nothing further."""
        person = self._person
        person.begin()
        answer = self._talk.says(sentence)
        if person.left and person.refused:  # the model, which would tell it, says nothing more
            raise person.refused
        if answer:
            width = tables.columns()
            click.echo(f"{self._name} says:")
            for line in barred(answer, width - len(BAR)) if width else barred(answer):
                click.echo(line)
        elif not person.left:
            click.echo(f"{self._name} says nothing.", err=True)
        return exit_code(person.refused) if person.refused else 0
