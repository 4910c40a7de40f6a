"""What every surface serves: the catalogue and our own deeds."""

from __future__ import annotations

from typing import Any

from .action import Action, Effect
from .api import CATALOG
from .deeds import BlockNumber, CheckCall, ConfirmAction, ExplainCall, FindContact, FollowCall
from .errors import Misconfigured

DEEDS: tuple[type[Action[Any]], ...] = (FollowCall, ExplainCall, CheckCall, FindContact, BlockNumber)
TOOLS: tuple[type[Action[Any]], ...] = (*(one for one in CATALOG if not one.code_only), *DEEDS)
TOOLSETS = tuple(dict.fromkeys(tool.toolset for tool in TOOLS))
"""Names of the toolsets, in the catalogue's order."""
OFF_BY_DEFAULT = frozenset({"leads"})
"""Toolsets that assistants are given only where the owner names them, or all: most people have no use for
them, and every tool costs a model attention. Commands are there for every tool."""


def chosen(toolsets: str = "default", *, slips: bool = False) -> tuple[type[Action[Any]], ...]:
    """The tools of some toolsets, by their names with commas between; brakes are in every one of them.

    `default` names all but those off by default, `all` every one. `slips` adds confirm_action, which only the
    MCP server serves. Raises Misconfigured for an unknown name.
    """
    names = {name.strip() for name in toolsets.split(",") if name.strip()}
    several = {"default": {*TOOLSETS} - OFF_BY_DEFAULT, "all": {*TOOLSETS}}
    if unknown := names - {*TOOLSETS, *several}:
        there = ", ".join((*several, *TOOLSETS))
        raise Misconfigured(f"There is no toolset {', '.join(sorted(unknown))}; there are {there}.")
    on = names.union(*(several[name] for name in names & several.keys()))
    kept = tuple(tool for tool in TOOLS if tool.toolset in on or tool.effect is Effect.BRAKE)
    return (*kept, ConfirmAction) if slips else kept
