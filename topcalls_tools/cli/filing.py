"""Files that are there whole or not at all, readable by their owner alone."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ..errors import Misconfigured

_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
"""What file systems answer that know no second name of a file."""


@contextmanager
def whole(path: Path, *, force: bool = False) -> Iterator[BinaryIO]:
    """A file to write to. It gets its name only after everything was written and kept; until then, and where
    anything is raised meanwhile, nothing of this name is there, or what was there before.

    Raises Misconfigured where the name is taken, without `force`, or where it cannot be written.
    """
    _free(path, force)
    part = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            _named(part, path, force)
        finally:
            with suppress(FileNotFoundError):
                part.unlink()
    except OSError as error:
        raise Misconfigured(
            f"{path} cannot be written ({error.strerror or error}); name a file in a directory that can be "
            "written, on a disk with room."
        ) from None


def _free(path: Path, force: bool) -> None:
    if force and (path.is_symlink() or path.is_file() or not path.exists()):
        return
    if force:
        raise Misconfigured(f"{path} is no file that can be replaced; name another.")
    if path.exists() or path.is_symlink():
        raise Misconfigured(f"{path} is there already; name another file, or replace it with --force.")


def _named(part: Path, path: Path, force: bool) -> None:
    """Give the file its name; without `force` never one that another program has taken meanwhile."""
    if force:
        part.replace(path)
        return
    try:
        os.link(part, path)
    except FileExistsError:
        _free(path, force)
        raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _free(path, force)
        part.rename(path)
