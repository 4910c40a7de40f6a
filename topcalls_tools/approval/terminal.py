"""Asking at the terminal."""

from __future__ import annotations

import sys

import click

from ..steps import Ask


def possible() -> bool:
    """Whether a person sits at this terminal: questions go to standard error, answers come from standard
    input."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def approve(ask: Ask) -> bool | None:
    """Show the whole question and wait for y or n. An end of input is no answer."""
    click.echo(ask.question.text(most=10_000), err=True)
    try:
        return click.confirm("Approve?", default=False, err=True)
    except click.Abort:
        click.echo(err=True)
        return None
