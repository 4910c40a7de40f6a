"""What models and readers see, checked in: `python -m tests.snapshots` rewrites it, and the diff is the review."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from topcalls_tools.action import Action
from topcalls_tools.api import CATALOG
from topcalls_tools.deeds import ConfirmAction
from topcalls_tools.doctor.reads import READS
from topcalls_tools.doctor.shapes import DOCUMENTED, flat, kind_of
from topcalls_tools.endpoint import Endpoint
from topcalls_tools.guard.rules import RULES, Rule
from topcalls_tools.tools import OFF_BY_DEFAULT, TOOLS

from . import interpreting, labelling, scenes

ROOT = Path(__file__).parent.parent
SNAPSHOTS = Path(__file__).parent / "snapshots"
WITNESSES = Path(__file__).parent / "witness"
ALL = (*TOOLS, ConfirmAction)
_FREE = ("metadata", "data[].metadata", "data[].filters")
"""Where the caller's own data stand: their names are nobody else's to know."""


def documents() -> dict[Path, str]:
    """Every generated file and what it should hold."""
    listings = {action.tool: action.listing() for action in ALL}
    files = {
        SNAPSHOTS / f"{name}.json": json.dumps(listing, indent=1, ensure_ascii=False) + "\n"
        for name, listing in listings.items()
    }
    said = {SNAPSHOTS / f"{name}.json": text for name, text in scenes.documents().items()}
    pages = {ROOT / "docs" / "tools.md": _tools_page(), ROOT / "docs" / "rules.md": _rules_page()}
    pages |= {ROOT / "docs" / "words.md": labelling.page(), interpreting.PAGE: interpreting.page()}
    pages |= {ROOT / "topcalls_tools" / "doctor" / DOCUMENTED: _documented()}
    return {**files, **said, **pages}


def _documented() -> str:
    """The shapes of the documented replies, for the doctor: the witnesses themselves are not installed."""
    found: dict[str, dict[str, list[str]]] = {}
    for endpoint in READS:
        witness = json.loads((WITNESSES / f"{endpoint.tool}.json").read_text())
        kinds: dict[str, set[str]] = {}
        for path, value in flat(endpoint.reply_type.settled(witness["reply"]["body"])):
            if not any(path.startswith(f"{own}.") for own in _FREE):
                kinds.setdefault(path, set()).add(kind_of(value))
        found[endpoint.tool] = {path: sorted(names) for path, names in kinds.items()}
    return json.dumps(found, indent=1) + "\n"


def _tools_page() -> str:
    parts = [
        "# The tools",
        "",
        "Generated from the catalogue by `make snapshots`; the same names, words and arguments are served as LangChain tools,",
        "as MCP tools and as commands (`topcalls place-call`). `confirm_action` is served by the MCP server alone, where the",
        "owner's setting is `slips`. Assistants are given the tools of "
        f"{_quoted(OFF_BY_DEFAULT)} only where `TOPCALLS_TOOLSETS` names them, or `all`.",
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
    parts += [
        "",
        "## For Python callers alone",
        "",
        "These could carry words out, so no surface serves them: import them from `topcalls_tools` and `send` them.",
        "",
        "| class | effect | route | scope of the key | what it does |",
        "| --- | --- | --- | --- | --- |",
        *(_row_for_code(endpoint) for endpoint in CATALOG if endpoint.code_only),
    ]
    return "\n".join(parts) + "\n"


def _rules_page() -> str:
    rows = [
        "# The rules",
        "",
        "Generated from `topcalls_tools/guard/rules/` by `make snapshots`; `topcalls policy --rules` prints the same. All rules of",
        "a deed are heard before a person is asked, and again when the yes comes. `verified` rules were read in the source that",
        "they name; `house` rules are our own choice, and a source beside one is where its idea comes from. None of them is legal",
        "advice; what they do not do is in [safety.md](safety.md).",
        "",
        "| rule | what it guards | of | in practice | source | status | checked |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(_rule_row(rule) for rule in RULES.values()),
    ]
    return "\n".join(rows) + "\n"


def _rule_row(rule: Rule) -> str:
    of = rule.of if isinstance(rule.of, tuple) else (rule.of,)
    deeds = "every deed" if of == (Action,) else ", ".join(f"`{action.tool}`" for action in of)
    practice = "refuses too" if rule.always else "only says so"
    return f"| `{rule.name}` | {rule.guards} | {deeds} | {practice} | {rule.source} | {rule.status} | {rule.checked} |"


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in sorted(words))


def _row_for_code(endpoint: type[Endpoint[Any]]) -> str:
    route = f"`{endpoint.method} {endpoint.path}`"
    taken = _quoted(endpoint.model_fields) or "nothing"
    return (
        f"| `{endpoint.__name__}` | {endpoint.effect.value} | {route} | `{endpoint.scope}` | "
        f"{endpoint.description} Takes {taken}. |"
    )


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
    if "properties" in part.get("items", {}):
        return f"array, each an {_form(part['items'])}"
    return str(part["type"])


if __name__ == "__main__":
    SNAPSHOTS.mkdir(exist_ok=True)
    wanted = documents()
    for stale in set(SNAPSHOTS.glob("*.json")) - wanted.keys():
        stale.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
