"""The command line: one command per tool, read off it, and the owner's own: approvals, contacts,
journal and more."""

from __future__ import annotations

from typing import Any

import click

from ..errors import (
    APIError,
    Broken,
    Declined,
    ModelFailed,
    Offline,
    Refused,
    TopCallsError,
    Unreachable,
)
from .approvals import approvals
from .ask import ask
from .call_list import call_list
from .callbacks import callbacks
from .chat import chat
from .contacts import contacts
from .dnc import dnc
from .doctor import doctor
from .export import export
from .journal import journal
from .listen import listen
from .login import login, logout
from .policy import policy
from .recording import recording
from .report import report
from .sandbox import sandbox
from .stop_all import stop_all
from .tidying import forget, purge, settle
from .watch import watch

EXIT_CODES = {
    0: "done",
    2: "the command or an argument is wrong; nothing was sent",
    3: "refused by a rule, or nobody said yes; nothing was sent",
    4: "TopCalls answered with an error; nothing was done",
    5: "TopCalls could not be reached, or nobody knows whether it was done; the sentence says which",
    6: "a setting, a key or a file cannot be used; nothing was sent",
    7: "the journal's evidence is not what was written",
    8: "the language model gave no answer; what it had done by then stays done",
}
"""What a command's exit code means."""


def exit_code(error: TopCallsError) -> int:
    """The exit code that an error ends a command with."""
    match error:
        case Refused() | Declined():
            return 3
        case Unreachable() | Broken() | Offline():
            return 5
        case APIError():
            return 4
        case ModelFailed():
            return 8
        case _:
            return 6


class _Group(click.Group):
    """Commands are made when they are asked for: `topcalls --help` needs the catalogue alone."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from ..tools import TOOLS

        return [*(tool.tool.replace("_", "-") for tool in TOOLS), *sorted(super().list_commands(ctx))]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The owner's commands under what they are for, and after them those of the tools."""
        rest = [self.get_command(ctx, name) for name in self.list_commands(ctx) if name not in self.commands]
        for title, commands in {**SECTIONS, "One command for each tool": rest}.items():
            with formatter.section(title):
                formatter.write_dl([(str(one.name), one.get_short_help_str(90)) for one in commands if one])

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        from .commands import command

        return super().get_command(ctx, name) or command(name)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except TopCallsError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(exit_code(error))


_CODES = "\n".join(f"  {code}  {meaning}" for code, meaning in EXIT_CODES.items())


@click.group(
    cls=_Group, context_settings={"help_option_names": ["-h", "--help"]}, epilog=f"\b\nExit codes:\n{_CODES}"
)
@click.version_option(package_name="topcalls-tools", prog_name="topcalls")
def topcalls() -> None:
    """Phone calls by AI agents, under your control. Without a key (topcalls login, or TOPCALLS_API_KEY)
    everything happens in the sandbox on this machine, where no phone rings."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Exactly what the MCP server's tools/list serves.")
def tools(as_json: bool) -> None:
    """List the tools that assistants are given."""
    from ..connect import Line
    from ..settings import Settings
    from ..tools import chosen
    from .show import listing

    settings = Settings.load()
    served = chosen(settings.toolsets, slips=Line(settings).approval == "slips")
    listing([action.listing() for action in served], as_json)


SECTIONS = {
    "In words": (ask, chat),
    "While calls run": (watch, stop_all, approvals, call_list, listen),
    "What came of them": (report, export, recording, callbacks, journal),
    "Whom you call, and what you allow": (contacts, dnc, policy),
    "Set-up": (login, logout, doctor, sandbox, tools),
}
"""The owner's own commands, by what they are for."""
for own in (one for commands in SECTIONS.values() for one in commands):
    topcalls.add_command(own)
for act in (settle, forget, purge):
    journal.add_command(act)


def main() -> None:
    """Run the command line."""
    topcalls(prog_name="topcalls")
