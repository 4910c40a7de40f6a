"""Owners, as far as policies go: one who allows nearly everything, but for the lines that a test is about."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import phonenumbers

from topcalls_tools.guard.policy import Policy, policy
from topcalls_tools.policies import accept
from topcalls_tools.settings import Settings

PERMISSIVE = {
    "caller": '"Ann Meyer"',
    "hours": '"00:00-24:00"',
    "minutes_per_call": "60",
    "minutes_per_day": "100000",
    "minutes_per_month": "100000",
    "calls_per_day": "10000",
    "calls_at_once": "1000",
    "attempts_per_day": "1000",
    "duplicate_minutes": "0",
    "campaigns": "true",
    "countries": str(sorted(phonenumbers.SUPPORTED_REGIONS)).replace("'", '"'),
    "webhook_hosts": '["127.0.0.1", "example.com", "hooks.example.com"]',
}


def allowing(**lines: Any) -> Policy:
    """A policy that allows nearly everything, in every country, but for these lines."""
    free = tomllib.loads(_policy(""))
    return policy({**free, **lines}, "personal")


def owner(
    home: Path, lines: str = "", *, accepted: str | None = None, account: str = "", secret: str | None = None
) -> None:
    """An owner who allows nearly everything but for these lines of policy.toml, and has said so for the
    accounts that the tests use; where `accepted` is given, that is what was accepted last."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    (home / "policy.toml").write_text(_policy(lines))
    settings = Settings.load(home=home, secret=secret)
    wanted = tomllib.loads(_policy(lines if accepted is None else accepted))
    kept = {name: value for name, value in wanted.items() if name in Policy.model_fields}
    of = ((account, True), (account, False)) if account else (("live", True), ("sandbox", False))
    for name, live in of:
        accept(settings, name, live, policy(kept, "personal"), settings.secret_bytes())


def _policy(lines: str) -> str:
    given = dict(line.split(" = ", 1) for line in lines.splitlines() if " = " in line)
    return "".join(f"{name} = {value}\n" for name, value in {**PERMISSIVE, **given}.items())
