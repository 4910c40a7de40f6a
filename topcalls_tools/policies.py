"""The owner's policy as it counts: a pack, policy.toml over it, the system's file above it, and what was
accepted last."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import tomllib
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from .api.fields import loopback
from .errors import Misconfigured
from .guard.policy import (
    ORDERS,
    Pack,
    Policy,
    held,
    host,
    looser,
    named,
    pack,
    policy,
    tightened,
    written,
)
from .settings import IN_POLICY, Settings

ACCEPTED = "policy.accepted"
"""The file in TOPCALLS_HOME that keeps what was accepted, sealed under the owner's secret."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the files say, and what of it counts."""

    settings: Settings
    """What it was put together from. Held on to, so that no other settings can be taken for these."""
    wanted: Policy
    accepted: Policy
    """What a person accepted last; the pack "personal" where nobody has, and in practice what is wanted."""
    counts: Policy
    """What the guard goes by."""
    waiting: tuple[str, ...]
    """The lines that are looser than what was accepted last: a person's yes is needed before they count."""
    unpinned: tuple[str, ...]
    """The lines that are only stricter than what was accepted last, and by policy.toml alone: they count, and
    whoever can write that file can take them back until they are accepted."""
    origin: Mapping[str, str]
    """Where the value of each line that counts comes from."""


def standing(settings: Settings, account: str, live: bool, secret: Callable[[], bytes]) -> Standing:
    """Put the owner's policy together. With a live key and in rehearsal, a line that is looser than the last
    accepted policy, or than the pack "personal" where none was, keeps its stricter value.

    Raises Misconfigured where a file cannot be used.
    """
    strict = live or settings.rehearse
    system = _system(settings.system)
    mine, wanted = _wanted(settings, system, strict)
    if live and loopback(host(settings.webhook_url)):
        raise Misconfigured(
            f"webhook_url in {settings.home / 'policy.toml'} is on this machine, where TopCalls cannot reach "
            "it; give the public https address that leads to topcalls listen, or leave it out."
        )
    signed = _accepted(settings.home / ACCEPTED, _name(account, live), secret) if strict else wanted
    accepted = signed or policy({}, "personal")
    counts, waiting = held(wanted, accepted), looser(wanted, accepted)
    less = looser(tightened(accepted, system), wanted)
    unpinned = tuple(name for name in less if name not in waiting)
    origin = {name: _origin(name, settings, mine, wanted) for name in Policy.model_fields}
    before = "what was accepted" if signed else "pack personal"
    for name in waiting:
        same = getattr(counts, name) == getattr(accepted, name)
        origin[name] = before if same else f"{origin[name]}, within {before}"
    return Standing(settings, wanted, accepted, counts, waiting, unpinned, origin)


def accept(settings: Settings, account: str, live: bool, wanted: Policy, secret: bytes) -> None:
    """Let a policy count from now on, for an account with a live key, or else in rehearsal. A person was
    asked before. Raises Misconfigured, and changes nothing, where the file cannot be read or written."""
    path = settings.directory() / ACCEPTED
    name, lines = _name(account, live), written(wanted)
    entry = {"policy": lines, "seal": _seal(name, lines, secret)}
    fresh = path.with_name(f"{ACCEPTED}.new")  # of two at once one has it: nobody's acceptance is lost
    try:
        descriptor = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            with os.fdopen(descriptor, "w") as file:
                json.dump({**_entries(path), name: entry}, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except BaseException:  # whatever it is, the next one is not to be kept out
            fresh.unlink()
            raise
    except FileExistsError:
        raise Misconfigured(
            f"{fresh} is in the way, and nothing was accepted: another acceptance is being written, or "
            "was cut off; run topcalls policy accept again, and delete that file if it is still there."
        ) from None
    except OSError as error:
        raise Misconfigured(f"{path} cannot be written ({error.strerror}); mend its rights.") from None


def _wanted(settings: Settings, system: Mapping[str, Any], strict: bool) -> tuple[Policy, Policy]:
    """What policy.toml says, and what is left of it under the system's file."""
    path = settings.home / "policy.toml"
    otherwise: Pack = "personal" if strict else "sandbox"
    _known(path, settings.lines, Policy.model_fields.keys() | IN_POLICY)
    _known(settings.system, system, ORDERS.keys() | {"pack"})
    try:
        set_besides = {"approval": settings.asked(strict), "webhook_url": settings.webhook_url}
        mine = policy({**settings.lines, **set_besides}, otherwise)
    except ValidationError as error:
        raise _wrong(path, error) from None
    try:
        wanted = tightened(mine, system)
    except ValidationError as error:
        raise _wrong(settings.system, error) from None
    if strict and wanted.practice:
        raise Misconfigured(
            f'{path} names the pack "sandbox", which is for practice; correct it to personal or outreach.'
        )
    if strict and wanted.approval == "none" and None in (wanted.numbers, wanted.minutes_per_day):
        raise Misconfigured(
            "approval none needs numbers and minutes_per_day in policy.toml, outside the sandbox; name "
            "them, or set approval to person (TOPCALLS_APPROVAL, policy.toml)."
        )
    return mine, wanted


def _known(path: Path, lines: Mapping[str, Any], known: Set[str]) -> None:
    if unknown := sorted(lines.keys() - known):
        plain = [name if name.isascii() and name.isidentifier() else "another key" for name in unknown]
        raise Misconfigured(
            f"{path} does not know {', '.join(dict.fromkeys(plain))}; correct it: it takes "
            f"{', '.join(sorted(known))}."
        )


def _wrong(path: Path, error: ValidationError) -> Misconfigured:
    """A file with lines that cannot be used, in words, without a value."""
    found = [f"{item['loc'][0]}: {item['msg'].removeprefix('Value error, ')}" for item in error.errors()]
    return Misconfigured(f"{path} cannot be used ({'; '.join(dict.fromkeys(found))}); correct it.")


def _accepted(path: Path, name: str, secret: Callable[[], bytes]) -> Policy | None:
    """What was accepted last; None where nothing was, or the file was changed by hand."""
    try:
        entry = _entries(path).get(name)
        if entry and hmac.compare_digest(entry["seal"], _seal(name, entry["policy"], secret())):
            # A line that is newer than the acceptance was not accepted with it.
            return Policy.model_validate({**written(policy({}, "personal")), **entry["policy"]})
    except (Misconfigured, KeyError, TypeError, ValidationError):
        pass
    return None


def _entries(path: Path) -> dict[str, Any]:
    """What was accepted, by `_name`. Raises Misconfigured where that cannot be told."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
        reason = "it holds no acceptances"
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or "it is damaged"
    raise Misconfigured(
        f"{path} cannot be read ({reason}), and what was accepted for every account stands in it; mend "
        "it, or delete it and accept each policy anew."
    )


def _name(account: str, live: bool) -> str:
    """What an acceptance is kept under: a yes to what practice may do is none to what a live key may."""
    return f"{'live' if live else 'rehearsal'} {account}"


def _seal(name: str, lines: Mapping[str, Any], secret: bytes) -> str:
    text = f"policy of {name}\n{json.dumps(lines, sort_keys=True)}"
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()


def _system(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Misconfigured(
            f"{path} cannot be read ({reason}); let whoever looks after this machine correct it."
        ) from None


def _origin(name: str, settings: Settings, mine: Policy, wanted: Policy) -> str:
    if getattr(wanted, name) != getattr(mine, name):
        return str(settings.system)
    if name == "approval":
        return "default" if settings.approval is None else "policy.toml or TOPCALLS_APPROVAL"
    if named(name, settings.lines) or (name == "webhook_url" and settings.webhook_url is not None):
        return "policy.toml"
    return f"pack {mine.pack}" if name in pack(mine.pack) else "default"
