"""Policy, acceptance, contacts and do-not-call are the owner's: by the source no tool can loosen them, and none does."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from topcalls_tools.deeds import ConfirmAction
from topcalls_tools.tools import TOOLS

from .adversary import LIST, TASK
from .assistants import Anew, anew, homes, portal, town
from .conftest import World

__all__ = ["anew", "homes", "portal", "town"]
ROOT = Path(__file__).parent.parent
ROOMS = ROOT / "topcalls_tools"
SOURCES = sorted([*ROOMS.rglob("*.py"), *(ROOT / "mcp_server").rglob("*.py")])
TREES = {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in SOURCES}
OUR_SIDE = {
    name: tree
    for name, tree in TREES.items()
    if not name.startswith(("topcalls_tools/cli/", "topcalls_tools/sandbox/"))
}
"""All that assistants reach: everything but the owner's commands, and the sandbox, which stands for TopCalls."""
WRITERS = {
    "topcalls_tools/policies.py": {"accept": "policy.accepted"},
    "topcalls_tools/dnc.py": {
        "_append": "dnc.log, one line at its end",
        "_settle": "nothing; a folder is synced",
    },
    "topcalls_tools/stored_key.py": {
        "write": "key, by topcalls login",
        "remove": "key, by topcalls logout",
        "read": "nothing; key is read",
    },
    "topcalls_tools/connect.py": {"_stop": "stopped_at"},
    "topcalls_tools/settings.py": {"_made_once": "secret", "directory": "the folder itself"},
    "topcalls_tools/journal/engine.py": {"_in_file": "journal.db"},
    "topcalls_tools/journal/heads.py": {
        "_to_file": "the file for the evidence's head that policy.toml names"
    },
    "topcalls_tools/approval/page.py": {
        name: "the file that opens the approval page"
        for name in ("_write", "open", "close", "_redeem", "_forget")
    },
    "topcalls_tools/approval/browser.py": {"_started": "nothing; a browser is started"},
}
"""Every function on the assistants' side that may change a file or start a program, and what it writes."""
LOOSENS = ("accept", "remove", "unblock", "contact_file")
"""What lets more be called: `policies.accept`, `DoNotCall.remove`, the journal's `unblock`, the writer of contacts."""
WRITES = frozenset({
    "write_text", "write_bytes", "writelines", "write", "unlink", "touch", "rmtree", "rmdir", "symlink_to",
    "hardlink_to", "link", "symlink", "truncate", "ftruncate", "mkstemp", "NamedTemporaryFile", "rename", "renames",
    "dump", "fdopen", "open", "mkdir", "makedirs", "copy", "copyfile", "copytree", "move", "chmod", "system", "Popen",
    "check_call", "check_output", "execv", "spawnv", "exec", "eval", "compile", "import_module", "__import__",
    "sendfile", "pwrite",
})  # fmt: skip
HARMLESS = frozenset({"server.run", "self._page.open", "re.compile"})


def named(tree: ast.AST) -> Iterator[str]:
    """Every name that is used or imported; definitions do not count, nor words in texts."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                yield name
            case ast.ImportFrom(module=module, names=names):
                yield from (module or "").split(".")
                yield from (alias.name for alias in names)
            case ast.Import(names=names):
                yield from (step for alias in names for step in alias.name.split("."))


def writing(tree: ast.Module) -> set[str]:
    """The functions in which something is called that could change a file."""
    return {
        function.name
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and ast.unparse(node.func) not in HARMLESS and _writes(node)
    }


def _writes(call: ast.Call) -> bool:
    name = ast.unparse(call.func).rpartition(".")[2]
    moved = name == "replace" and len(call.args) == 1 and not call.keywords  # a path's; a text's takes two
    return name in WRITES or moved


def test_the_owners_commands_are_out_of_reach() -> None:
    assert [where for where, tree in OUR_SIDE.items() if {"cli", "tomlkit"} & {*named(tree)}] == []


@pytest.mark.parametrize("name", LOOSENS)
def test_what_loosens_is_named_in_the_owners_commands_alone(name: str) -> None:
    assert [where for where, tree in OUR_SIDE.items() if name in named(tree)] == []
    commands = [where for where in TREES if where.startswith("topcalls_tools/cli/")]
    assert [where for where in commands if name in named(TREES[where])]


def test_every_function_that_could_write_a_file_is_known() -> None:
    found = {where: names for where, tree in OUR_SIDE.items() if (names := writing(tree))}
    assert found == {where: set(functions) for where, functions in WRITERS.items()}


def test_a_name_that_is_looked_up_at_run_time_is_none_that_loosens() -> None:
    """`getattr` could reach a function that nothing names."""
    for where, tree in OUR_SIDE.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and node.value in ("remove", "unblock"):
                pytest.fail(f"{where} names {node.value}")


OWNERS = ("policy.toml", "policy.accepted", "contacts.toml", "secret")
EXAMPLE = {
    "name": "Ann", "phone_number": "+14155550142", "number": "+14155550142", "list_id": LIST, "task": TASK,
    "leads": [{"name": "Bob", "phone_number": "+14155550143"}], "carrier_name": "Acme", "nickname": "Main",
    "sip_gateway": {"ipv4": "203.0.113.9"}, "slip": "A" * 24, "target": "Ann", "max_minutes": 10,
    "reason": "asked for it", "status": "New", "from_turn": 1, "wait_seconds": 0,
}  # fmt: skip


ALONE = {"update_lead": {"status": "Contacted"}}
"""Arguments of a tool that would not take all of these at once."""


@pytest.mark.parametrize("surface", ["langchain", "mcp"])
def test_no_tool_changes_the_owners_files_whoever_agrees(town: World, anew: Anew, surface: str) -> None:
    """Each tool once, with a person who agrees to everything; then the files as they were before, and dnc.log with
    one line more."""
    one = anew(surface, 'approval = "slips"')
    home = one.line.settings.home
    (home / "contacts.toml").write_text('[[contact]]\nname = "Ann"\nnumber = "+14155550142"\n')
    (home / "dnc.log").write_text(json.dumps(OLD) + "\n")
    before = {name: ((home / name).read_bytes(), (home / name).stat().st_mode) for name in OWNERS}
    done = []
    for action in (*TOOLS, ConfirmAction):
        given = {name: EXAMPLE[name] for name in action.model_fields if name in EXAMPLE}
        handles = {name: _handle(town, name) for name in action.model_fields if name.endswith("_id")}
        if not one.call(action.tool, {**handles, **ALONE.get(action.tool, given)}).error:
            done.append(action.tool)
    assert {name: ((home / name).read_bytes(), (home / name).stat().st_mode) for name in OWNERS} == before
    first, *more = map(json.loads, (home / "dnc.log").read_text().splitlines())
    assert first == OLD
    assert [(line["number"], line.get("removed")) for line in more] == [("+14155550142", None)]
    assert len(done) > len(TOOLS) / 2, done
    assert {"place_call", "create_lead", "update_lead", "block_number", "find_contact", "check_call"} <= {
        *done
    }
    town.advance(1200)


OLD = {"account": "sandbox", "number": "+493012345678", "at": "2026-11-01T08:00:00+00:00", "reason": None}
LISTS = {
    "call_id": "/v1/calls", "campaign_id": "/v1/campaigns", "lead_id": "/v1/leads",
    "phone_number_id": "/v1/phone-numbers", "carrier_id": "/v1/phone-numbers/carriers",
}  # fmt: skip


def _handle(town: World, name: str) -> str:
    """Something that is there; a list's own id for everything else."""
    page = town.get(LISTS[name]) if name in LISTS else {}
    rows = page.get("data") or page.get("items") or [{"id": LIST}]
    return str(rows[0]["id"])
