"""The sandbox as its owner holds it: a file, its clock, its keys."""

from __future__ import annotations

import os
import secrets
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from . import furnish, ledger
from .caller import Caller, identity
from .clock import Clock, Real, written
from .errors import SandboxError
from .gateway import Gateway, digest
from .store import Book, Store

if TYPE_CHECKING:
    from starlette.applications import Starlette

SEED = "topcalls"
KEY_PREFIX = "tc_test_"


class Sandbox:
    """A TopCalls on this machine. Made by `open_sandbox`; processes that open one file share it."""

    def __init__(self, store: Store, clock: Clock, seed: str) -> None:
        self._store = store
        self._clock = clock
        self.seed = seed
        self._account = identity(seed, "account:1")

    @property
    def path(self) -> Path:
        return self._store.path

    @property
    def key_path(self) -> Path:
        """Where the default account's key is kept, readable by its owner alone."""
        return self.path.with_name(f"{self.path.name}.key")

    def key(self) -> str:
        """The default account's key, which has all scopes: the same for every process and after a restart."""
        with self._store.write() as book:  # whoever comes second finds the first one's file
            key = self._kept_key() or self._new_key()
            if book.find("keys", digest=digest(key)) is None:
                _add_key(book, key, self._account, None)
        return key

    def add_key(self, scopes: Iterable[str] | None = None) -> str:
        """Another key of the default account, with these scopes alone; None means all of them."""
        with self._store.write() as book:
            return _add_key(book, _random_key(), self._account, scopes)

    def add_account(self, allocated: float = 1000, bonus: float = 500) -> str:
        """Another account with so many plan and bonus minutes; returns its key, which has all scopes."""
        with self._store.write() as book:
            now = self._clock.now(book)
            ordinal, _ = book.next("account", now)
            account = identity(self.seed, f"account:{ordinal}")
            caller = Caller(account, now, self.seed, book)
            furnish.account(caller, ledger.hundredths(allocated), ledger.hundredths(bonus))
            return _add_key(book, _random_key(), account, None)

    def now(self) -> str:
        """Sandbox time, ISO 8601 UTC."""
        with self._store.read() as book:
            return written(self._clock.now(book))

    def advance(self, seconds: float) -> None:
        """Step the clock forward."""
        with self._store.write() as book, _in_words():
            self._clock.advance(book, seconds)

    def speed(self, times: float) -> None:
        """Let sandbox time pass `times` as fast as real time, while this process serves."""
        with self._store.write() as book, _in_words():
            self._clock.speed(book, times)

    def adopt(self) -> None:
        """Begin to serve: a speed whose owner is gone is gone too."""
        with self._store.write() as book:
            self._clock.adopt(book)

    def release(self) -> None:
        """End to serve: a speed that this process chose ends with it."""
        with self._store.write() as book:
            self._clock.release(book)

    def app(self) -> Starlette:
        """The web application."""
        from .app import application

        return application(Gateway(self._store, self._clock, self.seed))

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()

    def _kept_key(self) -> str:
        try:
            key = self.key_path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return ""
        except (OSError, ValueError):
            key = ""
        if key.startswith(KEY_PREFIX):
            return key
        raise SandboxError(f"{self.key_path} holds no sandbox key; delete it, and a new one is made.")

    def _new_key(self) -> str:
        key = _random_key()
        draft = self.key_path.with_name(f"{self.key_path.name}.{uuid.uuid4().hex}")
        try:
            with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                file.write(f"{key}\n")
            draft.replace(self.key_path)  # whole or not at all
        except OSError as error:
            raise SandboxError(
                f"{self.key_path} cannot be written ({error.strerror}); give a directory that can be."
            ) from None
        return key


@contextmanager
def _in_words() -> Iterator[None]:
    """Turn a number that cannot be used into the sandbox's own error."""
    try:
        yield
    except ValueError as wrong:
        raise SandboxError(f"{wrong}.") from None


def open_sandbox(
    path: Path,
    *,
    seed: str | None = None,
    reset: bool = False,
    real: Real = lambda: datetime.now(UTC),
) -> Sandbox:
    """Open the sandbox in a file, or make it there; `reset` makes it anew.

    `seed` decides all that is random, and is chosen when the file is made. `real` tells real time, as an
    aware instant in UTC. Raises SandboxError where the file cannot be used or was made otherwise.
    """
    store, clock = Store(path), Clock(real)
    try:
        with store.write() as book:
            if book.prepare(path, reset):
                _furnish(book, clock, seed or SEED)
            kept = book.meta("seed")
        if seed not in (None, kept):
            raise SandboxError(f"{path} was made with another seed; --reset makes it anew, without calls.")
    except BaseException:
        store.close()
        raise
    return Sandbox(store, clock, kept)


def _furnish(book: Book, clock: Clock, seed: str) -> None:
    book.add("meta", {"name": "seed", "value": seed})
    now = clock.start(book)
    ordinal, _ = book.next("account", now)
    caller = Caller(identity(seed, f"account:{ordinal}"), now, seed, book)
    furnish.default_carrier(caller)
    furnish.account(caller, ledger.ALLOCATED, ledger.BONUS)


def _random_key() -> str:
    return f"{KEY_PREFIX}{secrets.token_urlsafe(24)}"


def _add_key(book: Book, key: str, account: str, scopes: Iterable[str] | None) -> str:
    """Only the digest is kept: the file gives no key away."""
    allowed = None if scopes is None else sorted(scopes)
    book.add("keys", {"digest": digest(key), "account_id": account, "scopes": allowed, "revoked": False})
    return key
