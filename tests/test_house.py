"""The rules of the house that a reader cannot see at a glance."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ROOT / "topcalls_tools"
MAY_IMPORT = {
    "errors": set(),
    "wire": set(),
    "schema": set(),
    "docstrings": set(),
    "quoting": set(),
    "spoken": {"quoting"},
    "action": {"docstrings", "quoting", "schema", "spoken"},
    "replies": {"action", "errors", "wire"},
    "endpoint": {"action", "errors", "replies", "wire"},
    "api": {"action", "endpoint", "errors", "spoken", "wire"},
    "places": {"api"},
    "contacts": {"api", "errors", "places"},
    "dnc": {"api", "errors"},
    "address": {"api", "errors"},
    "guard": {"action", "api", "contacts", "docstrings", "endpoint", "errors", "places", "wire"},
    "flow/question": {"action", "api", "contacts", "endpoint", "guard", "places", "quoting"},
    "journal": {"api", "errors"},
    "following": set(),
    "following/bell": set(),
    "following/sights": {"api", "errors", "wire"},
    "following/watching": {"api", "following/bell", "errors", "following/sights", "wire"},
    "flow/steps": {
        "action",
        "following/bell",
        "contacts",
        "dnc",
        "endpoint",
        "errors",
        "guard",
        "journal",
        "flow/question",
        "following/watching",
        "wire",
    },
    "flow/facts": {"action", "api", "dnc", "endpoint", "errors", "guard", "journal", "flow/steps", "wire"},
    "flow/dial": {
        "action",
        "api",
        "endpoint",
        "errors",
        "flow/facts",
        "guard",
        "journal",
        "flow/steps",
        "wire",
    },
    "flow/blocking": {"api", "dnc", "errors", "journal", "flow/steps"},
    "flow/hearing": {"api", "flow/blocking", "errors", "guard", "journal", "flow/steps", "wire"},
    "flow/reconcile": {
        "api",
        "flow/dial",
        "endpoint",
        "errors",
        "flow/facts",
        "flow/hearing",
        "journal",
        "flow/steps",
    },
    "flow/consent": {
        "action",
        "api",
        "contacts",
        "flow/dial",
        "endpoint",
        "errors",
        "flow/facts",
        "guard",
        "journal",
    }
    | {"flow/question", "flow/reconcile", "flow/steps", "wire"},
    "flow": {"action", "flow/consent", "endpoint", "errors", "flow/steps"},
    "approval": {"action", "endpoint", "errors", "journal", "flow/question", "quoting", "flow/steps"},
    "deeds": {
        "action",
        "api",
        "approval",
        "flow/blocking",
        "flow/consent",
        "contacts",
        "flow/dial",
        "endpoint",
        "errors",
    }
    | {
        "flow/facts",
        "flow",
        "guard",
        "journal",
        "places",
        "flow/reconcile",
        "following/sights",
        "flow/steps",
        "following/watching",
        "wire",
    },
    "tools": {"action", "api", "deeds", "errors"},
    "stored_key": {"errors"},
    "interpreter": {"action", "api", "contacts", "deeds", "errors", "flow/steps"}
    | {"guard", "journal", "tools"},
    "settings": {"address", "errors", "stored_key"},
    "policies": {"api", "errors", "guard", "settings"},
    "sandbox": {"action", "api", "endpoint", "wire"},
    "connect": {
        "address",
        "approval",
        "following/bell",
        "contacts",
        "dnc",
        "errors",
        "journal",
        "policies",
        "sandbox",
    }
    | {"settings", "flow/steps", "following/watching"},
    "http": {"api", "connect", "errors", "wire"},
    "recordings": {"api", "connect", "errors", "sandbox"},
    "holding": {"following/bell", "errors", "flow/steps"},
    "client": {
        "action",
        "api",
        "following/bell",
        "connect",
        "errors",
        "flow",
        "holding",
        "http",
        "settings",
        "flow/steps",
    },
    "call_list": {
        "action",
        "api",
        "client",
        "flow/consent",
        "contacts",
        "deeds",
        "errors",
        "flow/facts",
        "guard",
    }
    | {"journal", "flow/question", "quoting", "flow/reconcile", "flow/steps", "wire"},
    "doctor": {"action", "address", "api", "approval", "client", "connect", "contacts", "dnc", "endpoint"}
    | {"errors", "journal", "policies", "settings", "flow/steps", "wire"},
    "webhooks/afterwards": {"api", "client", "errors", "journal", "flow/reconcile"},
    "webhooks": {"webhooks/afterwards", "webhooks/receiver"},
    "webhooks/receiver": {"webhooks/afterwards", "client", "errors", "journal", "wire"},
    "langchain": {"action", "client", "errors", "flow/steps", "tools"},
    "agent": {"client", "errors", "langchain"},
    "phrase_model": {"client", "errors", "interpreter"},
    "cli": {
        "action",
        "address",
        "agent",
        "api",
        "approval",
        "flow/blocking",
        "call_list",
        "client",
        "connect",
        "contacts",
        "deeds",
        "dnc",
        "doctor",
        "errors",
        "flow/facts",
        "guard",
        "interpreter",
        "journal",
        "places",
        "policies",
        "flow/question",
        "quoting",
    }
    | {"endpoint", "flow/reconcile", "recordings", "sandbox", "settings", "flow/steps", "stored_key"}
    | {"tools", "webhooks", "wire"},
}
HOMES = {
    "httpx": {"client.py", "http.py", "recordings.py", "sandbox/deliveries.py"},
    "sqlalchemy": {
        "journal/",
        "sandbox/store/statements.py",
    },
    "alembic": {"journal/engine.py", "journal/migrations/"},
    "langchain_core": {"agent.py", "langchain.py", "phrase_model.py"},
    "langchain": {"agent.py"},
    "prompt_toolkit": {"cli/"},
    "langgraph": {"approval/interrupt.py", "langchain.py"},
    "starlette": {
        "sandbox/",
        "approval/listening.py",
        "approval/page.py",
        "approval/rendering.py",
        "webhooks/",
    },
    "icalendar": {"cli/calendar.py"},
    "tomlkit": {"cli/contact_file.py"},
    "uvicorn": {"sandbox/", "approval/listening.py", "cli/listen.py"},
    "click": {"cli/", "approval/terminal.py"},
    "rich": {"cli/"},
    "mcp": set(),
    "mcp_types": set(),
}
"""The only places that may name a library; all of mcp lives beside, in mcp_server/."""
FILES = sorted(ROOMS.rglob("*.py"))
ALL = [*FILES, *sorted((ROOT / "mcp_server").rglob("*.py"))]


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every import of a file, wherever it stands: level of dots, and the dotted name."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                yield from ((0, alias.name) for alias in names)
            case ast.ImportFrom(module=None, names=names, level=level):
                yield from ((level, alias.name) for alias in names)
            case ast.ImportFrom(module=str(module), level=level):
                yield level, module


def rooms_named(path: Path) -> set[str]:
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    found = set()
    for level, name in imports(path):
        dotted = (*package[: len(package) - level + 1], *name.split(".")) if level else tuple(name.split("."))
        if dotted[0] == "topcalls_tools" and len(dotted) > 1:
            found.add(room_of(dotted[1:]))
    return found


def room_of(parts: tuple[str, ...]) -> str:
    """The room of a module; where the files of one have an order among them, each is its own."""
    inner = "/".join(parts[:2])
    return inner if inner in MAY_IMPORT else parts[0]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOMS)))
def test_imports_run_one_way(path: Path) -> None:
    room = room_of(path.relative_to(ROOMS).with_suffix("").parts)
    if room != "__init__":
        assert rooms_named(path) <= MAY_IMPORT[room] | {room}


def test_every_room_is_known_and_lived_in() -> None:
    found = {room_of(path.relative_to(ROOMS).with_suffix("").parts) for path in FILES} - {"__init__"}
    assert found == MAY_IMPORT.keys()


@pytest.mark.parametrize("library", HOMES)
def test_a_library_is_named_in_its_room_alone(library: str) -> None:
    for path in FILES:
        where = str(path.relative_to(ROOMS))
        if any(level == 0 and name.split(".")[0] == library for level, name in imports(path)):
            assert any(
                where == home or (home.endswith("/") and where.startswith(home)) for home in HOMES[library]
            ), where


def test_the_environment_is_read_in_settings_alone() -> None:
    for path in ALL:
        if path.name != "settings.py":
            assert not {"environ", "getenv"} & set(
                ast.unparse(ast.parse(path.read_text())).replace("(", ".").split(".")
            ), path


def test_words_of_others_are_made_harmless_in_one_place() -> None:
    assert [path.name for path in ALL if "map(visible" in path.read_text()] == ["quoting.py"]


@pytest.mark.parametrize("path", ALL, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_one_room_with_a_sign_on_its_door(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_no_room_is_called_after_nothing() -> None:
    assert not {"utils", "helpers", "common", "base", "types", "manager"} & {path.stem for path in ALL}


def test_importing_the_package_loads_no_library_of_a_surface() -> None:
    heavy = "mcp langchain_core sqlalchemy httpx starlette phonenumbers pydantic_settings alembic uvicorn click rich"
    code = f"import sys, topcalls_tools; print([name for name in {heavy.split()} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_brake_needs_no_journal_no_guard_and_no_storage() -> None:
    code = """
import sys, httpx
from topcalls_tools import StopCall
from topcalls_tools.client import Client
from topcalls_tools.connect import Line
from topcalls_tools.settings import Settings
sent = []
def answer(request):
    sent.append([name for name in sys.modules if name.startswith(("topcalls_tools.journal", "topcalls_tools.guard", "sqlalchemy", "topcalls_tools.flow.consent"))])
    return httpx.Response(200, json={"ok": True, "status": "cancelled"})
line = Line(Settings(api_key="tc_live_12345678", home="/nonexistent/topcalls"))
assert Client(line=line, transport=httpx.MockTransport(answer)).send(StopCall(call_id="c1")).ok
print(sent)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[[]]", done.stdout + done.stderr
