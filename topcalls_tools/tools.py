"""What every surface serves: the catalogue and our own deeds."""

from __future__ import annotations

from typing import Any

from .action import Action, Effect
from .api import CATALOG
from .deeds import ConfirmAction, FollowCall
from .errors import Misconfigured

DEEDS: tuple[type[Action[Any]], ...] = (FollowCall,)
TOOLS: tuple[type[Action[Any]], ...] = (*CATALOG, *DEEDS)
TOOLSETS = tuple(dict.fromkeys(tool.toolset for tool in TOOLS))
"""Names of the toolsets, in the catalogue's order."""


def chosen(toolsets: str = "all", *, slips: bool = False) -> tuple[type[Action[Any]], ...]:
    """The tools of some toolsets, by their names with commas between; brakes are in every one of them.

    `slips` adds confirm_action, which only the MCP server serves. Raises Misconfigured for an unknown name.
    """
    names = {name.strip() for name in toolsets.split(",") if name.strip()}
    if unknown := names - {*TOOLSETS, "all"}:
        raise Misconfigured(
            f"There is no toolset {', '.join(sorted(unknown))}; there are all, {', '.join(TOOLSETS)}."
        )
    kept = tuple(t for t in TOOLS if "all" in names or t.toolset in names or t.effect is Effect.BRAKE)
    return (*kept, ConfirmAction) if slips else kept
