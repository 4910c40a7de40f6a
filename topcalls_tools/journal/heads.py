"""Where the last hash of the evidence is kept besides: a file that only grows, or the system's log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from ..errors import Misconfigured

log = logging.getLogger("topcalls")


def teller(where: str | None, home: Path) -> Callable[[str], None] | None:
    """What takes the number and hash of each new last link to where the owner wants it; None where nowhere.

    `where` is "syslog", or a file; one that is not absolute lies in `home`.
    """
    if where is None:
        return None
    if where == "syslog":
        return _to_syslog
    try:
        path = home / Path(where).expanduser()
    except RuntimeError:
        raise Misconfigured(f"evidence_head {where} names nobody's home; give a whole path.") from None
    return lambda head: _to_file(path, head)


def heads(path: Path) -> frozenset[str]:
    """What such a file holds: numbers and hashes."""
    return frozenset(line.strip() for line in path.read_text().splitlines() if line.strip())


def _to_file(path: Path, head: str) -> None:
    try:
        with path.open("a") as file:
            file.write(f"{head}\n")
    except OSError as error:
        log.warning("The last hash of the evidence cannot be written to %s (%s).", path, error.strerror)


def _to_syslog(head: str) -> None:
    import syslog

    syslog.openlog("topcalls")
    syslog.syslog(syslog.LOG_NOTICE, f"evidence {head}")
