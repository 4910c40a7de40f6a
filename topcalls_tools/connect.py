"""Wires things together at start-up: settings, journal, and the address that is spoken to; each on first
use."""

from __future__ import annotations

import hashlib
import os
import random
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from .address import address
from .errors import Misconfigured, Refused
from .flow.steps import Desk
from .following.bell import Bell
from .following.watching import Watch
from .settings import Approval, Settings, stamp

if TYPE_CHECKING:
    from .approval.page import Page
    from .contacts import Contact
    from .dnc import DoNotCall
    from .journal.store import Journal
    from .policies import Standing
    from .sandbox import Served


LIVE_PACE, PRACTICE_PACE = 5.0, 0.5
"""Seconds between two looks at calls that are followed (contract A67); in practice they are short."""
BRIEFLY = 0.25
"""Seconds that a note which must not hold anything up waits for another writer."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class Line:
    """Where we speak to, and as whom. Without a key it is the sandbox on this machine, started on first use.

    Raises Misconfigured where key and address do not fit: a live key goes only to https on another machine, a
    sandbox key never to TopCalls.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], datetime] = utc_now,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self.clock, self.timer = clock, timer
        self.bell = Bell()
        self._starting, self._opening, self._showing = threading.RLock(), threading.RLock(), threading.Lock()
        self._page: Page | None = None
        self._standing: tuple[object, Standing] | None = None
        self._served: Served | None = None
        self._own_key = ""
        given = settings.api_key.get_secret_value() if settings.api_key is not None else None
        self.live = given is not None and not given.startswith("tc_test_")
        self.watch = Watch(self.bell, LIVE_PACE if self.live else PRACTICE_PACE)
        self.account = settings.account or ("live" if self.live else "sandbox")
        self._address = address(given, settings.base_url)
        self._key = given

    def __repr__(self) -> str:
        return f"Line(account={self.account!r}, live={self.live})"

    @property
    def settings(self) -> Settings:
        """What the owner has set, as `policy.toml` says it now."""
        self._settings = self._settings.fresh()
        return self._settings

    @property
    def strict(self) -> bool:
        """Whether a person's word is needed: with a live key, and in rehearsal."""
        return self.live or self.settings.rehearse

    @property
    def trouble(self) -> str | None:
        """Why nothing that needs a yes may be done; reads and brakes go on."""
        try:
            self.standing()
        except Misconfigured as error:
            return str(error)
        return None

    @property
    def approval(self) -> Approval:
        """How a person is asked, where the owner has not said: slips in the sandbox, else by the host's
        own form."""
        settings = self.settings
        if not (self.strict or settings.lines or settings.trouble or settings.system.exists()):
            return settings.asked(False)  # nothing holds it back: the policy need not be read for it
        try:
            return self.standing().counts.approval
        except Misconfigured:
            return "person"

    def standing(self) -> Standing:
        """The owner's policy, and what of it counts. Raises Misconfigured where it cannot be used."""
        from .policies import ACCEPTED, standing

        settings = self.settings
        if settings.trouble:
            raise Misconfigured(settings.trouble)
        files = stamp(settings.home / ACCEPTED), stamp(settings.system)
        if self._standing is None or self._standing[0] != files or self._standing[1].settings is not settings:
            self._standing = files, standing(settings, self.account, self.live, self._secret)
        return self._standing[1]

    def address(self) -> str:
        """The base URL. Starts the sandbox where that is what is spoken to."""
        if self._address is None:
            with self._starting:
                if self._served is None:
                    self._served = self._started()
                return self._served.url
        return self._address

    def key(self) -> str:
        """The API key, for the one header that carries it."""
        if self._key is None:
            self.address()
        return self._key or self._own_key

    def _started(self) -> Served:
        from .sandbox import SandboxError, open_sandbox, serve_in_background

        try:
            sandbox = open_sandbox(self.settings.directory() / "sandbox.db")
            self._own_key = sandbox.key()
            return serve_in_background(sandbox)
        except (SandboxError, OSError) as error:
            raise Misconfigured(f"The sandbox cannot be started: {error}") from None

    def desk(self) -> Desk:
        """A desk for one call, with the whole time before it."""
        desk = Desk(
            account=self.account,
            live=self.live,
            strict=self.strict,
            line=self._digest,
            policy=lambda: self.standing().counts,
            contacts=self._contacts,
            dnc=self._dnc,
            noted=self._noted,
            secret=self._secret,
            journal=self._journal,
            briefly=self._briefly,
            stopped_at=self._stopped_at,
            stop=self._stop,
            keeps=timedelta(days=self.settings.keep_days),
            clock=self.clock,
            timer=self.timer,
            jitter=lambda: random.uniform(0.75, 1.25),
            bell=self.bell,
            watch=self.watch,
            poll_seconds=self.watch.pace,
            webhook_url=self.settings.webhook_url,
        )
        desk.restart()
        return desk

    def screen(self, key: str) -> bool:
        """Show an open question on the person's screen; False where there is none."""
        with self._showing:
            if self._page is None:
                self._page = self._opened_page()
            return self._page is not None and self._page.open(key)

    def _opened_page(self) -> Page | None:
        from .approval.browser import graphical
        from .approval.page import Page

        settings = self.settings
        browser = graphical(settings.browser, settings.graphical)
        if browser is None:
            return None
        return Page(self._journal, browser=browser, clock=self.clock, directory=settings.directory())

    def close(self) -> None:
        """Let go of the sandbox server, the journal and the page, where they were opened."""
        with self._showing:
            if self._page is not None:
                self._page.close()
                self._page = None
        with self._starting:
            if self._served:
                self._served.close()
                self._served = None
        with self._opening:
            if "_opened" in vars(self):
                self._opened.close()
                del self._opened

    def _journal(self) -> Journal:
        with self._opening:
            return self._opened

    @cached_property
    def _opened(self) -> Journal:
        return self._book()

    def _book(self, patience: float = 10) -> Journal:
        from .journal.heads import teller
        from .journal.store import Journal

        settings = self.settings
        url = settings.journal.get_secret_value() if settings.journal else None
        told = teller(settings.evidence_head, settings.home)
        return Journal(url or settings.directory() / "journal.db", patience, told)

    def _briefly(self, work: Callable[[Journal], object]) -> None:
        """Best effort: what was done was done, whether or not the journal can say so."""
        with suppress(Exception):  # a brake was pulled: nothing that comes after it may fail
            if self.settings.home.is_dir():
                with closing(self._book(BRIEFLY)) as journal:
                    work(journal)

    def _contacts(self) -> Mapping[str, Contact]:
        from .contacts import contacts

        return contacts(self.settings.home / "contacts.toml")

    def _dnc(self) -> DoNotCall:
        from .dnc import DoNotCall

        return DoNotCall(self.settings.home / "dnc.log")

    def _noted(self) -> bool:
        """Whether there is a journal to read: whoever only reads makes none, and brings none up to date."""
        if "_opened" in vars(self):
            return True
        settings = self.settings
        file, url = settings.home / "journal.db", settings.journal and settings.journal.get_secret_value()
        if not url and not file.exists():
            return False
        from .journal.engine import ready

        return ready(url or file)

    def _stopped_at(self) -> datetime | None:
        try:
            at = datetime.fromisoformat((self.settings.home / "stopped_at").read_text().strip())
            return at if at.tzinfo else at.replace(tzinfo=UTC)
        except FileNotFoundError:
            return None
        except (OSError, ValueError):  # somebody stopped everything, and nobody can say when
            where = self.settings.home / "stopped_at"
            raise Refused(
                "stop-all",
                f"{where} cannot be read, and nothing is dialled; delete it to let calls go again.",
            ) from None

    def _stop(self, at: datetime) -> bool:
        try:
            path = self.settings.directory() / "stopped_at"
            fresh = path.with_name(f"stopped_at.{os.getpid()}")
            with os.fdopen(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
                file.write(at.isoformat())
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except (Misconfigured, OSError):
            return False
        return True

    def _secret(self) -> bytes:
        with self._opening:
            return self._owners_secret

    @cached_property
    def _owners_secret(self) -> bytes:
        return self.settings.secret_bytes()

    @cached_property
    def _digest(self) -> str:
        where = self._address or str(self.settings.home / "sandbox.db")
        return hashlib.sha256(f"{where}\n{self._key or 'own'}".encode()).hexdigest()[:32]
