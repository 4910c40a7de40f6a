"""The sandbox as its owner holds it: a file, its clock, its keys."""

from __future__ import annotations

import os
import secrets
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from . import accounts, furnish, ledger
from .caller import Caller, Scene
from .campaigns import new_campaign
from .clock import Clock, Real, milliseconds, written
from .deliveries import HOSTS, Courier
from .errors import SandboxError
from .people import People
from .plans import Plan
from .problem import Problem
from .store import Book, Store
from .web import access
from .web.controls import Controls
from .web.gateway import Gateway, digest

if TYPE_CHECKING:
    from starlette.applications import Starlette

SEED = "topcalls"
KEY_PREFIX = "tc_test_"
NO_HOST = "none"
"""Given as a webhook host, it takes back all that were allowed."""


class Sandbox:
    """A TopCalls on this machine. Made by `open_sandbox`; processes that open one file share it."""

    def __init__(self, store: Store, clock: Clock, scene: Scene, real: Real, *, limited: bool) -> None:
        self._store = store
        self._clock = clock
        self._scene = scene
        self._real = real
        self._gateway = Gateway(store, clock, scene, limited=limited)
        self.courier = Courier(self._gateway)
        self._account = scene.identity("account:1")

    @property
    def path(self) -> Path:
        return self._store.path

    @property
    def seed(self) -> str:
        return self._scene.seed

    @property
    def key_path(self) -> Path:
        """Where the default account's key is kept, readable by its owner alone."""
        return _key_path(self.path)

    def key(self) -> str:
        """The default account's key, which has all scopes: the same for every process and after a restart,
        until it is revoked, and then a new one."""
        with self._store.write() as book:  # whoever comes second finds the first one's file
            key = self._kept_key() or self._new_key()
            if accounts.revoked(book, key):
                key = self._new_key()
            if book.find("keys", digest=digest(key)) is None:
                accounts.add_key(self._caller(book), key, "default", None)
        return key

    def add_key(
        self, scopes: Iterable[str] | None = None, *, name: str = "another", account: str | None = None
    ) -> str:
        """Another key, of the default account or the one with this name, with these scopes alone; None
        means all of them. Raises SandboxError for an unknown account or scope."""
        with self._store.write() as book:
            return accounts.add_key(self._caller(book, account), _random_key(), name, scopes)

    def add_account(
        self,
        allocated: float = 1000,
        bonus: float = 500,
        *,
        name: str | None = None,
        plans: Iterable[Plan] | None = None,
        key_name: str = "default",
        scopes: Iterable[str] | None = None,
    ) -> str:
        """Another account with so many plan and bonus minutes; returns its key, which has these scopes or
        all.

        `plans` are its campaigns; None furnishes it with the seeded ones. Raises SandboxError where the name
        is taken or a scope is unknown.
        """
        with self._store.write() as book:
            ordinal, _ = book.next("account", self._clock.now(book))
            name = name or f"Practice {ordinal}"
            accounts.check_free(book, name)
            caller = self._caller(book)
            caller = replace(caller, account=self._scene.identity(f"account:{ordinal}"))
            minutes = ledger.hundredths(allocated), ledger.hundredths(bonus)
            furnish.account(caller, name, *minutes, plans)
            return accounts.add_key(caller, _random_key(), key_name, scopes)

    def all_keys(self) -> list[accounts.Key]:
        """All keys of all accounts, without what would let anybody in."""
        with self._store.read() as book:
            return accounts.keys(book)

    def revoke(self, hint: str) -> None:
        """Take a key back, by the last characters that `all_keys` shows. Raises SandboxError where no or more
        than one key ends so."""
        with self._store.write() as book:
            accounts.revoke(book, hint)
        self.key()  # a revoked one leaves its file at once: a reset would let it in again

    def link_code(self, account: str | None = None) -> str:
        """A code that opens the page once: the part of its address behind #."""
        with self._store.write() as book:
            return access.new_code(book, self._caller(book, account).account, milliseconds(self._real()))

    def add_campaigns(self, plans: Iterable[Plan]) -> None:
        """Campaigns for the default account; one whose name is there already is left as it is."""
        with self._store.write() as book:
            _add_campaigns(plans, self._caller(book))

    def sign(self, secret: str | None) -> None:
        """What the default account's webhooks are signed with; None leaves them unsigned."""
        with self._store.write() as book:
            book.change("accounts", ("id", "=", self._account), webhook_secret=secret)

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
        from .web.app import application

        return application(self._gateway, Controls(self._gateway, self.courier, self._real))

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

    def _caller(self, book: Book, account: str | None = None) -> Caller:
        """The sandbox's owner at the desk of an account: the default one, or the one with a name."""
        id = accounts.named(book, account) if account else self._account
        return Caller(id, self._clock.now(book), self._scene, book)


def _key_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.key")


@contextmanager
def _in_words() -> Iterator[None]:
    """Turn what cannot be used into the sandbox's own error."""
    try:
        yield
    except ValueError as wrong:
        raise SandboxError(f"{wrong}.") from None
    except Problem as refused:
        raise SandboxError(f"{refused.detail}.") from None


def open_sandbox(
    path: Path,
    *,
    seed: str | None = None,
    reset: bool = False,
    limited: bool = False,
    webhook_hosts: Iterable[str] = (),
    plans: Iterable[Plan] | None = None,
    campaigns: Iterable[Plan] = (),
    real: Real = lambda: datetime.now(UTC),
) -> Sandbox:
    """Open the sandbox in a file, or make it there; `reset` makes it anew, with ids that were in no world
    before.

    `seed` decides all that is random, and is chosen when the file is made. `limited` enforces rate limits;
    `webhook_hosts` are those beyond this machine that webhooks may go to: the file keeps them until others
    are given, or `none` alone. `plans` are the first account's campaigns in place of the seeded ones, when
    the file is made; `campaigns` are added as `Sandbox.add_campaigns` does. `real` tells real time, as an
    aware instant in UTC. The user's own people are read from the folder `people` beside the file. Raises
    SandboxError where the file, a person or a campaign cannot be used or the file was made otherwise; the
    file is then as it was.
    """
    people = People.load(path.parent / "people")
    store, clock = Store(path), Clock(real)
    try:
        with store.write() as book:
            if book.prepare(path, reset):
                # The key stays where a world goes, and so does what its user's journal knows of it.
                again = reset or _key_path(path).exists()
                world = secrets.token_hex(8) if again else ""
                _furnish(book, clock, Scene(seed or SEED, people, world), plans)
            kept = book.meta("seed") or SEED
            if seed not in (None, kept):
                raise SandboxError(
                    f"{path} was made with another seed; `topcalls sandbox --reset` makes it anew."
                )
            scene = Scene(kept, people, book.meta("world") or "")
            _allow(webhook_hosts, book)
            _add_campaigns(campaigns, Caller(scene.identity("account:1"), clock.now(book), scene, book))
    except BaseException:
        store.close()
        raise
    return Sandbox(store, clock, scene, real, limited=limited)


def _furnish(book: Book, clock: Clock, scene: Scene, plans: Iterable[Plan] | None) -> None:
    book.add("meta", {"name": "seed", "value": scene.seed})
    book.add("meta", {"name": "world", "value": scene.world})
    now = clock.start(book)
    ordinal, _ = book.next("account", now)
    caller = Caller(scene.identity(f"account:{ordinal}"), now, scene, book)
    furnish.default_carrier(caller)
    with _in_words():
        furnish.account(caller, "Practice", ledger.ALLOCATED, ledger.BONUS, plans)


def _allow(hosts: Iterable[str], book: Book) -> None:
    """Note to which hosts webhooks may go, for every process; without any, what is noted stays."""
    if given := {host.lower() for host in hosts}:
        book.put("meta", {"name": HOSTS, "value": ",".join(sorted(given - {NO_HOST}))})


def _add_campaigns(plans: Iterable[Plan], caller: Caller) -> None:
    for plan in plans:
        if caller.book.find("campaigns", account_id=caller.account, name=plan.name) is None:
            with _in_words():
                new_campaign(plan, caller)


def _random_key() -> str:
    return f"{KEY_PREFIX}{secrets.token_urlsafe(24)}"
