"""What lies in TOPCALLS_HOME, read as it is: journal, policy, contacts, numbers not to be called, rights."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import Misconfigured
from ..wire import iso
from . import Finding

if TYPE_CHECKING:
    from ..policies import Standing
    from ..settings import Settings

_OWNERS_ALONE = ("key", "secret", "journal.db", "sandbox.db", "sandbox.db.key", "policy.accepted")


@dataclass(frozen=True, slots=True)
class Books:
    """The policy that counts; or why none can be told."""

    standing: Standing | None
    trouble: str = ""
    strict: bool = True


def books(settings: Settings, account: str, live: bool) -> Books:
    """Read the owner's policy. The secret is not made where it is missing."""
    from ..policies import standing

    strict = live or settings.rehearse
    if settings.trouble:
        return Books(None, settings.trouble, strict)
    try:
        return Books(standing(settings, account, live, lambda: _secret(settings)), "", strict)
    except Misconfigured as error:
        return Books(None, str(error), strict)


def _secret(settings: Settings) -> bytes:
    if settings.secret is None and not (settings.home / "secret").exists():
        raise Misconfigured("The file secret is missing.")
    return settings.secret_bytes()


def journal(settings: Settings, account: str, now: datetime) -> Finding:
    """Whether the journal opens, is of this version, and its evidence is what was written."""
    from ..journal.checkup import checkup

    url = settings.journal.get_secret_value() if settings.journal else None
    path = settings.home / "journal.db"
    name = "The PostgreSQL journal" if url else str(path)
    if url is None and not (path.exists() and path.stat().st_size):
        if settings.home.is_dir() and not os.access(settings.home, os.W_OK):
            return Finding(
                "journal",
                "wrong",
                f"{settings.home} cannot be written, so no journal can be made and nothing dialled.",
                f"chmod u+rwx {settings.home}",
            )
        return Finding("journal", "ok", "There is none yet; it is made with the first question.")
    try:
        found = checkup(url or path, now, _heads(settings))
    except (Misconfigured, OSError) as error:
        return Finding("journal", "wrong", f"{name}: {error} Nothing is dialled until it can.")
    if found.newer:
        return Finding(
            "journal",
            "wrong",
            f"{name} was written by a newer version.",
            "pip install --upgrade topcalls-tools",
        )
    if not found.current:
        return Finding("journal", "ok", f"{name} is of an older version; the next question renews it.")
    if found.troubles:
        return Finding("journal", "wrong", f"{name}: {' '.join(found.troubles)}", "topcalls journal verify")
    others = "" if not found.others else f" Open in {found.others} more program{'s' * (found.others > 1)}."
    open_ = f"{found.questions_open} open questions, {found.dials_open} calls not closed"
    accounts = ", ".join(found.accounts) or "none yet"
    said = f"{name}: {found.links} links of evidence hold; {open_}; accounts: {accounts}.{others}"
    if found.dials_in_doubt:
        doubt = f" Of {found.dials_in_doubt} nobody knows whether they took effect."
        return Finding("journal", "warn", said + doubt, "topcalls journal settle")
    if found.questions_open:
        return Finding("journal", "ok", said, "topcalls approvals")
    return Finding("journal", "ok", said)


def _heads(settings: Settings) -> frozenset[str]:
    """Hashes that are kept beside the journal, where the owner has them kept in a file."""
    from ..journal.heads import heads

    if settings.evidence_head in (None, "syslog"):
        return frozenset()
    path = settings.home / Path(str(settings.evidence_head)).expanduser()
    return heads(path) if path.exists() else frozenset()


def policy(home: Path, found: Books) -> Iterator[Finding]:
    """Whether the policy can be read, and what of it waits for a yes."""
    if found.standing is None:
        said = f"{found.trouble} Nothing that needs a yes is done."
        narrows = re.search(r"run (chmod 600 .+?), or", found.trouble)  # it may be the stored key's
        yield Finding("policy", "wrong", said, narrows[1] if narrows else edit(home / "policy.toml"))
        return
    standing = found.standing
    if found.strict and not standing.counts.caller:
        yield Finding(
            "caller",
            "wrong",
            'It has no line caller, such as caller = "Ann Meyer", and without one no call is placed.',
            edit(home / "policy.toml"),
        )
    if standing.waiting:
        lines = ", ".join(standing.waiting)
        yield Finding("policy", "warn", f"These lines wait for your yes: {lines}.", "topcalls policy accept")
    elif standing.unpinned:
        lines = ", ".join(standing.unpinned)
        said = f"These lines count, and can be taken back without a yes until you accept them: {lines}."
        yield Finding("policy", "warn", said, "topcalls policy accept")
    else:
        yield Finding("policy", "ok", f"Readable, pack {standing.wanted.pack}; nothing waits for your yes.")


def contacts(home: Path) -> Finding:
    """Whether contacts.toml can be read."""
    from ..contacts import contacts as read

    try:
        many = len(read(home / "contacts.toml"))
    except Misconfigured as error:
        return Finding(
            "contacts", "wrong", f"{error} No call is placed until then.", edit(home / "contacts.toml")
        )
    return Finding("contacts", "ok", f"{many} numbers.")


def do_not_call(home: Path, account: str) -> Finding:
    """Whether dnc.log can be read."""
    from ..dnc import DoNotCall

    try:
        many = len(DoNotCall(home / "dnc.log").numbers(account))
    except Misconfigured as error:
        return Finding(
            "do not call", "wrong", f"{error} No call is placed until then.", edit(home / "dnc.log")
        )
    return Finding("do not call", "ok", f"{many} numbers are not called.")


def stop_file(home: Path) -> Finding:
    """Whether everything was stopped, and since when."""
    path = home / "stopped_at"
    try:
        at = datetime.fromisoformat(path.read_text().strip())
    except FileNotFoundError:
        return Finding("stop file", "ok", "Nothing was stopped.")
    except (OSError, ValueError):
        return Finding(
            "stop file",
            "wrong",
            f"{path} cannot be read, and nothing is dialled until it is gone.",
            f"rm {path}",
        )
    at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    ahead = at > datetime.now(UTC)
    said = f"Everything was stopped at {iso(at)}; a yes from before then dials nothing."
    if ahead:
        return Finding("stop file", "wrong", f"{said} That time is still to come.", f"rm {path}")
    return Finding("stop file", "ok", said)


def rights(home: Path) -> Finding:
    """Whether others can read what is secret, or write what says what is allowed."""
    if os.name != "posix":
        return Finding("rights", "ok", "Not looked at on this system.")
    if not home.exists():
        return Finding("rights", "ok", f"{home} is made with its first file, for you alone.")
    read = [path for name in _OWNERS_ALONE if _mode(path := home / name) & 0o077]
    written = [
        path
        for path in (home, home / "policy.toml", home / "contacts.toml", home / "dnc.log")
        if _mode(path) & 0o022
    ]
    if read or written:
        names = " ".join(dict.fromkeys(map(str, (*read, *written))))
        return Finding("rights", "wrong", f"Others can read or write: {names}.", f"chmod go-rwx {names}")
    return Finding("rights", "ok", f"What is secret in {home} is yours alone to read.")


def edit(path: Path) -> str:
    """The command that opens a file to be mended by hand."""
    return f"${{EDITOR:-nano}} {path}"


def _mode(path: Path) -> int:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return 0
