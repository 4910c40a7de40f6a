"""What models and readers see, checked in: `python -m tests.snapshots` rewrites it, and the diff is the review."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from topcalls_tools.deeds import ConfirmAction
from topcalls_tools.endpoint import Endpoint
from topcalls_tools.tools import TOOLS

ROOT = Path(__file__).parent.parent
SNAPSHOTS = Path(__file__).parent / "snapshots"
ALL = (*TOOLS, ConfirmAction)


def documents() -> dict[Path, str]:
    """Every generated file and what it should hold."""
    listings = {action.tool: action.listing() for action in ALL}
    files = {
        SNAPSHOTS / f"{name}.json": json.dumps(listing, indent=1, ensure_ascii=False) + "\n"
        for name, listing in listings.items()
    }
    return {**files, ROOT / "docs" / "tools.md": _tools_page()}


def _tools_page() -> str:
    parts = [
        "# The tools",
        "",
        "Generated from the catalogue by `make snapshots`; the same names, words and arguments are served as LangChain tools,",
        "as MCP tools and as commands (`topcalls place-call`). `confirm_action` is served by the MCP server alone, where the",
        "owner's setting is `slips`.",
        "",
        "| tool | effect | route | scope of the key |",
        "| --- | --- | --- | --- |",
        *(_row(action) for action in ALL),
    ]
    for action in ALL:
        schema = action.input_schema()
        parts += ["", f"## {action.tool}", "", action.description]
        if schema["properties"]:
            parts += ["", "| argument | form | what it is |", "| --- | --- | --- |"]
            required = schema.get("required", ())
            parts += [
                f"| `{name}`{'' if name in required else ' (optional)'} | {_form(part)} | {part['description']} |"
                for name, part in schema["properties"].items()
            ]
    return "\n".join(parts) + "\n"


def _row(action: Any) -> str:
    route, scope = ("none", "none")
    if issubclass(action, Endpoint):
        route, scope = f"`{action.method} {action.path}`", f"`{action.scope}`" if action.scope else "any key"
    return f"| [{action.tool}](#{action.tool}) | {action.effect.value} | {route} | {scope} |"


def _form(part: dict[str, Any]) -> str:
    if "enum" in part:
        return ", ".join(f"`{word}`" for word in part["enum"])
    if "properties" in part:
        return f"object with {', '.join(f'`{name}`' for name in part['properties'])}"
    return str(part["type"])


if __name__ == "__main__":
    SNAPSHOTS.mkdir(exist_ok=True)
    wanted = documents()
    for stale in set(SNAPSHOTS.glob("*.json")) - wanted.keys():
        stale.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
