"""Wires things together at start-up: settings, journal, and the address that is spoken to; each on first
use."""

from __future__ import annotations

import hashlib
import random
import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .api.fields import loopback
from .errors import Misconfigured
from .settings import LIVE_URL, Approval, Settings
from .steps import Desk

if TYPE_CHECKING:
    from .journal.store import Journal
    from .sandbox import Served


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
        self.settings = settings
        self._clock, self._timer = clock, timer
        self._lock = threading.RLock()
        self._served: Served | None = None
        given = settings.api_key.get_secret_value() if settings.api_key else None
        self.live = given is not None and not given.startswith("tc_test_")
        self.strict = self.live or settings.rehearse
        self.account = settings.account or ("live" if self.live else "sandbox")
        self._address = _checked(given, settings.base_url)
        self._key = given
        if settings.approval == "none" and self.strict:
            raise Misconfigured(
                "approval none is for the sandbox alone; set TOPCALLS_APPROVAL or approval in "
                "policy.toml to person."
            )

    def __repr__(self) -> str:
        return f"Line(account={self.account!r}, live={self.live})"

    @property
    def approval(self) -> Approval:
        """How a person is asked, where the owner has not said: slips in the sandbox, else by the host's
        own form."""
        return (
            "person"
            if self.settings.rehearse
            else self.settings.approval or ("person" if self.live else "slips")
        )

    def address(self) -> str:
        """The base URL. Starts the sandbox where that is what is spoken to."""
        if self._address is None:
            with self._lock:
                if self._served is None:
                    from .sandbox import serve_in_background

                    self._served = serve_in_background(self._sandbox)
                return self._served.url
        return self._address

    def key(self) -> str:
        """The API key, for the one header that carries it."""
        with self._lock:
            return self._key or self._sandbox.key()

    @cached_property
    def _sandbox(self):  # type: ignore[no-untyped-def]  # its type would import the room
        from .sandbox import SandboxError, open_sandbox

        try:
            return open_sandbox(self.settings.directory() / "sandbox.db")
        except SandboxError as error:
            raise Misconfigured(str(error)) from None

    def desk(self) -> Desk:
        """A desk for one call, with the whole time before it."""
        desk = Desk(
            account=self.account,
            live=self.live,
            strict=self.strict,
            line=self._digest,
            policy=self.settings.policy,
            secret=self._secret,
            journal=self._journal,
            clock=self._clock,
            timer=self._timer,
            jitter=lambda: random.uniform(0.75, 1.25),
            poll_seconds=5.0 if self.live else 0.5,
        )
        desk.restart()
        return desk

    def close(self) -> None:
        """Let go of the sandbox server and the journal, where they were opened."""
        with self._lock:
            if self._served:
                self._served.close()
                self._served = None
            if "_opened" in vars(self):
                self._opened.close()
                del self._opened

    def _journal(self) -> Journal:
        with self._lock:
            return self._opened

    @cached_property
    def _opened(self) -> Journal:
        from .journal.store import Journal

        return Journal(self.settings.directory() / "journal.db")

    def _secret(self) -> bytes:
        with self._lock:
            return self._owners_secret

    @cached_property
    def _owners_secret(self) -> bytes:
        return self.settings.secret_bytes()

    @cached_property
    def _digest(self) -> str:
        where = self._address or str(self.settings.home / "sandbox.db")
        return hashlib.sha256(f"{where}\n{self._key or 'own'}".encode()).hexdigest()[:32]


def _checked(key: str | None, base_url: str | None) -> str | None:
    """The address for a key, or None for the sandbox of this process."""
    if key is None:
        if not base_url:
            return None
        raise Misconfigured(
            "TOPCALLS_BASE_URL is set and TOPCALLS_API_KEY is not; set both, or neither for the sandbox."
        )
    if not re.fullmatch(r"[\x21-\x7e]{8,512}", key):
        raise Misconfigured(
            "TOPCALLS_API_KEY is no key; copy it again from the account settings at topcalls.ai."
        )
    address = (base_url or LIVE_URL).rstrip("/")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or "@" in parts.netloc:
        raise Misconfigured("TOPCALLS_BASE_URL is no address; give one such as https://api.topcalls.ai.")
    here = loopback(parts.hostname)
    if key.startswith("tc_test_"):
        if parts.hostname == urlsplit(LIVE_URL).hostname:
            raise Misconfigured(
                "A tc_test_ key belongs to a sandbox; set TOPCALLS_BASE_URL to the address that "
                "topcalls sandbox prints."
            )
        if not here and parts.scheme != "https":
            raise Misconfigured("A key goes over plain http to this machine alone; use an https address.")
        return address
    if here or parts.scheme != "https":
        raise Misconfigured(
            "A live key is sent only over https and never to this machine; unset TOPCALLS_API_KEY "
            "for the sandbox, "
            "or TOPCALLS_BASE_URL for TopCalls."
        )
    return address
