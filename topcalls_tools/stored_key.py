"""The key that `topcalls login` keeps: a file in TOPCALLS_HOME that its owner alone can read."""

from __future__ import annotations

import json
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from .errors import Misconfigured

FILE = "key"


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key, and the address that it was tried at: it is sent nowhere else. None is TopCalls' own."""

    key: str = field(repr=False)
    address: str | None = None
    trouble: str | None = None
    """Why nothing that needs a yes is done with it: others can read it. Reading and stopping go on."""


def read(home: Path) -> StoredKey | None:
    """The key that is kept in a TOPCALLS_HOME; None where there is none.

    Raises Misconfigured where it cannot be read.
    """
    path = home / FILE
    try:
        with path.open(encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            found = json.load(file)
            key, address = found["api_key"], found.get("base_url")
            if isinstance(key, str) and isinstance(address, str | None):
                return StoredKey(key, address, _wide(path, mode))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Misconfigured(
            f"{path} cannot be read ({error.strerror}); mend its rights, or run topcalls login again."
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    raise Misconfigured(f"{path} holds no key; run topcalls login again, or topcalls logout.")


def _wide(path: Path, mode: int) -> str | None:
    """What is wrong with the rights of the file, where something is."""
    if os.name != "posix" or not mode & 0o077:
        return None
    return (
        f"{path} can be read by others (its mode is {mode:04o}), so nothing that needs a yes is done with "
        f"the key in it; run chmod 600 {path}, or topcalls logout."
    )


def write(home: Path, kept: StoredKey) -> Path:
    """Keep a key: whole on the disk, and readable by its owner alone from the first byte. Gives the file.

    Raises Misconfigured where it cannot be written; then what was there before is there still.
    """
    path = home / FILE
    fresh = path.with_name(f"{FILE}.{secrets.token_hex(4)}")
    text = json.dumps({"api_key": kept.key, **({"base_url": kept.address} if kept.address else {})})
    try:
        descriptor = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(f"{text}\n")
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except BaseException:  # whatever it is, no half of a key is left lying about
            fresh.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise Misconfigured(
            f"{path} cannot be written ({error.strerror}), and no key was stored; mend the rights of {home}."
        ) from None
    return path


def remove(home: Path) -> bool:
    """Forget the key that is kept; whether there was one. Raises Misconfigured where it cannot be deleted."""
    try:
        (home / FILE).unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise Misconfigured(
            f"{home / FILE} cannot be deleted ({error.strerror}); mend the rights of {home}."
        ) from None
    return True
