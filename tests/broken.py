"""The product with one guard taken out, by changing a line of its source in memory: what a test of safety must catch."""

from __future__ import annotations

import inspect
import sys
import textwrap
from typing import Any

from topcalls_tools.flow import steps
from topcalls_tools.journal import engine, store

BROKEN: dict[str, tuple[tuple[Any, str, str, str], ...]] = {
    "fresh key per attempt": (
        (
            steps,
            "transmit",
            "reply = yield Send(wire,",
            "fresh = {name: __import__('uuid').uuid4().hex for name in wire.headers}\n"
            "            reply = yield Send(replace(wire, headers=fresh),",
        ),
    ),
    "no lock": (
        (engine, "_in_file", '"BEGIN IMMEDIATE"', '"BEGIN"'),
        (engine, "_by_url", 'f"SELECT pg_advisory_xact_lock({_ALL_WRITERS})"', '"SELECT 1"'),
    ),
    "no write before send": (
        (store.Journal, "claim", "return mine, True", "return db.rollback() or (mine, True)"),
    ),
    "doubt is forgotten": ((steps, "transmit", "doubt = doubt or error", "doubt = None"),),
    "sent again after 5xx": (
        (steps, "transmit", "repeat and (doubt is None or request.effect is not Effect.SPEND)", "repeat"),
    ),
}
"""Where a line stands, the line, and what stands there instead."""


def break_it(name: str | None) -> None:
    """Take a guard out of this process; None leaves all of them. Fails where the line is not there any more."""
    for home, function, line, instead in BROKEN[name] if name else ():
        whole = getattr(home, function)
        changed = _changed(whole, line, instead)
        setattr(home, function, changed)
        for module in [
            one for key, one in sys.modules.items() if key.startswith(("topcalls_tools", "mcp_server"))
        ]:
            for alias in [key for key, value in vars(module).items() if value is whole]:
                setattr(module, alias, changed)


def _changed(function: Any, line: str, instead: str) -> Any:
    source = textwrap.dedent(inspect.getsource(function))
    if source.count(line) != 1:
        raise ValueError(
            f"{function.__qualname__} has {source.count(line)} times {line!r}; say what to break now."
        )
    code = compile(
        source.replace(line, instead),
        f"{function.__name__}, broken",
        "exec",
        flags=annotations.compiler_flag,
        dont_inherit=True,
    )
    made: dict[str, Any] = {}
    exec(code, function.__globals__, made)
    return made[function.__name__]
