"""The numbers that are not to be called: `dnc.log` in TOPCALLS_HOME, to which lines are only ever added."""

from __future__ import annotations

import errno
import hashlib
import hmac
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .api.fields import E164
from .errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Blocked:
    """Why a number is not called, and since when (aware)."""

    at: datetime
    reason: str | None = None


class DoNotCall:
    """The numbers that each account does not call, in one file. An entry never expires."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, account: str, number: str, reason: str | None, at: datetime) -> None:
        """Write a number (E.164) down: it is on the disk when this returns. Raises Misconfigured where it
        cannot be."""
        self.add_all(account, (number,), reason, at)

    def add_all(self, account: str, numbers: Iterable[str], reason: str | None, at: datetime) -> None:
        """The same for many, in one write."""
        self._append({**_line(account, number, at), "reason": reason} for number in numbers)

    def remove(self, account: str, number: str, at: datetime) -> None:
        """Let a number be called again: the owner's own act, which no tool does."""
        self._append([{**_line(account, number, at), "removed": True}])

    def numbers(self, account: str) -> Mapping[str, Blocked]:
        """The numbers that an account does not call, oldest first.

        Raises Misconfigured where the file cannot be read: who stands in it is unknown then.
        """
        try:
            return _read(self.path, _stamp(self.path)).get(account, _NOBODY)
        except FileNotFoundError:
            return _NOBODY
        except OSError as error:
            raise Misconfigured(f"{self.path} cannot be read ({error.strerror}); mend it.") from None

    def _append(self, lines: Iterable[Mapping[str, Any]]) -> None:
        text = "".join(f"{json.dumps(line)}\n" for line in lines)
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            new = not self.path.exists()
            descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                _append(descriptor, text.encode())
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if new:
                _settle(self.path.parent)
        except OSError as error:
            raise Misconfigured(
                f"{self.path} cannot be written ({error.strerror}); make room, or mend its rights."
            ) from None


@lru_cache(4096)
def digest(account: str, number: str, secret: bytes) -> str:
    """What the journal knows a number by that an account does not call: a digest under the owner's secret."""
    return hmac.new(secret, f"callee {account} {number}".encode(), hashlib.sha256).hexdigest()


_NOBODY: Mapping[str, Blocked] = MappingProxyType({})


def _line(account: str, number: str, at: datetime) -> dict[str, Any]:
    return {"account": account, "number": number, "at": at.isoformat()}


def _append(descriptor: int, text: bytes) -> None:
    """Add whole lines in one write, or nothing."""
    end = os.fstat(descriptor).st_size
    if end and _last_byte(descriptor, end) != b"\n":  # a write that was cut off ends before ours begins
        text = b"\n" + text
    written = os.write(descriptor, text)
    if written < len(text):
        if os.fstat(descriptor).st_size == end + written:  # nobody else has added to it meanwhile
            os.ftruncate(descriptor, end)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _last_byte(descriptor: int, end: int) -> bytes:
    os.lseek(descriptor, end - 1, os.SEEK_SET)
    return os.read(descriptor, 1)


def _settle(directory: Path) -> None:
    """Have a new file's name on the disk too, where the system can do that."""
    with suppress(OSError):  # Windows opens no directory
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _stamp(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


@lru_cache(maxsize=4)
def _read(path: Path, stamp: tuple[int, ...]) -> Mapping[str, Mapping[str, Blocked]]:
    """The accounts' numbers. A dial asks several times: what has not changed since is not read again."""
    found: dict[str, dict[str, Blocked]] = {}
    for place, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            said = json.loads(line)
            number, at = E164.parse(said["number"]), datetime.fromisoformat(said["at"])
            numbers = found.setdefault(str(said["account"]), {})
            if said.get("removed") is True:
                numbers.pop(number, None)
            else:
                numbers.setdefault(number, Blocked(at, said.get("reason")))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise Misconfigured(
                f"{path} cannot be read (line {place} is no entry), and whom it meant is unknown; take the "
                "line out, or write it anew with topcalls dnc add."
            ) from None
    return {account: MappingProxyType(numbers) for account, numbers in found.items()}
