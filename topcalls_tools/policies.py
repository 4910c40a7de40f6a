"""The owner's policy as it counts: a pack, policy.toml over it, the system's file above it, and what was
accepted last."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from .errors import Misconfigured
from .guard.policy import Pack, Policy, held, looser, policy, tightened, written
from .settings import IN_POLICY, Settings, said

ACCEPTED = "policy.accepted"
"""The file in TOPCALLS_HOME that keeps what was accepted, sealed under the owner's secret."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the files say, and what of it counts."""

    wanted: Policy
    counts: Policy
    """What the guard goes by."""
    waiting: tuple[str, ...]
    """The lines that are looser than what was accepted last: a person's yes is needed before they count."""
    origin: Mapping[str, str]
    """Where each line's value comes from."""


def standing(settings: Settings, account: str, strict: bool, secret: Callable[[], bytes]) -> Standing:
    """Put the owner's policy together. With a live key and in rehearsal, a line that is looser than the last
    accepted policy, or than the pack "personal" where none was, keeps its stricter value.

    Raises Misconfigured where a file cannot be used.
    """
    otherwise: Pack = "personal" if strict else "sandbox"
    approval = settings.approval or ("person" if strict else "slips")
    system = _system(settings.system)
    known = Policy.model_fields.keys()
    for path, lines in ((settings.home / "policy.toml", settings.lines), (settings.system, system)):
        if unknown := sorted(lines.keys() - known):
            taken = ", ".join(sorted(known | IN_POLICY))
            raise Misconfigured(f"{path} does not know {', '.join(unknown)}; it takes {taken}.")
    try:
        mine = policy({**settings.lines, "approval": approval}, otherwise)
        wanted = tightened(mine, system)
    except ValidationError as error:
        raise Misconfigured(said(error)) from None
    if strict and wanted.practice:
        raise Misconfigured(
            'policy.toml names the pack "sandbox", which is for practice; choose personal or outreach.'
        )
    accepted = _accepted(settings.home / ACCEPTED, account, secret) if strict else wanted
    counts = held(wanted, accepted) if strict else wanted
    if counts.approval == "none" and strict and None in (counts.numbers, counts.minutes_per_day):
        raise Misconfigured(
            "approval none needs numbers and minutes_per_day in policy.toml, outside the sandbox; name "
            "them, or set approval to person (TOPCALLS_APPROVAL, policy.toml)."
        )
    origin = {name: _origin(name, settings, mine, wanted) for name in Policy.model_fields}
    return Standing(wanted, counts, looser(wanted, accepted) if strict else (), origin)


def accept(settings: Settings, account: str, wanted: Policy, secret: bytes) -> None:
    """Let a policy count from now on. A person was asked before. Raises Misconfigured where it cannot be
    written."""
    path = settings.directory() / ACCEPTED
    lines = written(wanted)
    entry = {"policy": lines, "seal": _seal(account, lines, secret)}
    fresh = path.with_name(f"{ACCEPTED}.{os.getpid()}")
    try:
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            json.dump({**_entries(path), account: entry}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise Misconfigured(f"{path} cannot be written ({error.strerror}); mend its rights.") from None


def _accepted(path: Path, account: str, secret: Callable[[], bytes]) -> Policy:
    """What was accepted last; where nothing was, or the file was changed by hand, the pack "personal"."""
    entry = _entries(path).get(account)
    try:
        if entry and hmac.compare_digest(entry["seal"], _seal(account, entry["policy"], secret())):
            return Policy.model_validate(entry["policy"])
    except (KeyError, TypeError, ValidationError):
        pass
    return policy({}, "personal")


def _entries(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _seal(account: str, lines: Mapping[str, Any], secret: bytes) -> str:
    text = f"policy of {account}\n{json.dumps(lines, sort_keys=True)}"
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()


def _system(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Misconfigured(f"{path} cannot be read ({reason}); let whoever wrote it mend it.") from None


def _origin(name: str, settings: Settings, mine: Policy, wanted: Policy) -> str:
    if getattr(wanted, name) != getattr(mine, name):
        return str(settings.system)
    if name == "approval":
        return "default" if settings.approval is None else "policy.toml or TOPCALLS_APPROVAL"
    if name in settings.lines:
        return "policy.toml"
    return f"pack {mine.pack}" if name != "pack" else "default"
