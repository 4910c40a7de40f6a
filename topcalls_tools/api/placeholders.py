"""`{{name}}` in a task and in the opening words: the caller's own facts stand there when it is spoken
(contract A51)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

MOST = 20_000
"""Characters that facts may make of a task; nobody is asked more."""
HOLE = re.compile(r"\{\{\s*([\w.-]+)\s*\}\}")


def filled(text: str, facts: Mapping[str, Any] | None) -> str:
    """Put the caller's own facts where `{{name}}` stands, until there is enough to say."""
    if "{{" not in text:
        return text
    parts, length, done = [], 0, 0
    for hole in HOLE.finditer(text):
        value = (facts or {}).get(hole[1], hole[0])
        fact = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        parts += [text[done : hole.start()], fact[:MOST]]
        length, done = length + len(parts[-1]) + len(parts[-2]), hole.end()
        if length > MOST:
            break
    return "".join(parts) + text[done:]
