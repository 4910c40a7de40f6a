"""The parts of a set-up, looked at one after the other; what cannot be read keeps nobody from the next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from ..address import LIVE_URL
from ..api.account import GetBalance
from ..connect import Line
from ..errors import Forbidden, Misconfigured, Offline, TooMany, TopCallsError, Unauthorized, Unreachable
from ..flow.steps import Flow, Send
from ..journal import CLOCKS_DIFFER
from ..settings import Settings
from ..wire import Reply
from . import Finding, State
from .around import approval, receiver, versions
from .files import books, contacts, do_not_call, journal, policy, rights, stop_file

if TYPE_CHECKING:
    from ..flow.steps import Desk

PATIENCE = 10.0
"""Seconds that the service has to answer."""
FAR_OFF = timedelta(minutes=1)
"""How far the clocks may differ before hours and budgets are judged wrongly."""


def findings(*, at_terminal: bool) -> Iterator[Finding]:
    """Look over the set-up of whoever runs this. Sends one free read where a key is set, and changes nothing.

    `at_terminal` says whether a person sits at this terminal.
    """
    line = None
    try:
        settings = Settings.load()
    except Misconfigured as error:
        yield Finding("key", "wrong", str(error), "topcalls login")
        try:
            settings = Settings.besides_key()
        except Misconfigured as worse:
            if str(worse) != str(error):
                yield Finding("settings", "wrong", str(worse))
            yield versions()
            return
    else:
        try:
            line = Line(settings)
        except Misconfigured as error:
            yield Finding("address", "wrong", str(error), "topcalls login")
        else:
            yield from _service(line)
    yield from _around(settings, line, at_terminal)


def _around(settings: Settings, line: Line | None, at_terminal: bool) -> Iterator[Finding]:
    """Everything but the service. Where key and address do not fit, what a live key would meet counts."""
    live, account = (line.live, line.account) if line else (True, settings.account or "live")
    now = datetime.now(UTC)
    found = books(settings, account, live)
    yield journal(settings, account, now)
    yield from policy(settings.home, found)
    yield contacts(settings.home)
    yield do_not_call(settings.home, account)
    yield approval(settings, found, at_terminal)
    yield receiver(settings)
    yield stop_file(settings.home)
    yield rights(settings.home)
    yield versions()


def _service(line: Line) -> Iterator[Finding]:
    """Key, address, and the clock, by one free read."""
    from ..client import Client

    settings = line.settings
    if settings.api_key is None:
        yield Finding("key", "ok", "There is none: everything is practice, in the sandbox on this machine.")
        yield Finding("address", "ok", "The sandbox of this machine; it is started when it is needed.")
        return
    where = "the file that topcalls login keeps" if settings.stored else "TOPCALLS_API_KEY"
    kind = "A live key: calls ring real phones" if line.live else "A sandbox key: no phone rings"
    address = settings.base_url or LIVE_URL
    with Client(line=line) as client:
        try:
            reply, at = client.run(_look(line.desk()))
        except TopCallsError as error:
            yield Finding("key", "ok", f"{kind}; from {where}. Whether it is accepted is not known.")
            yield Finding("address", "wrong", f"{address}: {error}", _route(error, line))
            return
    yield _key(reply, f"{kind}; from {where}.")
    yield _answered(reply, address)
    yield _clock(reply, at)


def _look(desk: Desk) -> Flow[tuple[Reply, datetime]]:
    """Read the balance, free of charge; and what the clock said in the middle of it."""
    before = desk.clock()
    reply: Reply = yield Send(GetBalance().request(), PATIENCE)
    return reply, before + (desk.clock() - before) / 2


def _route(error: TopCallsError, line: Line) -> str | None:
    if not isinstance(error, Offline | Unreachable):
        return None
    return "curl -sS -o /dev/null https://api.topcalls.ai" if line.live else "topcalls sandbox"


def _key(reply: Reply, said: str) -> Finding:
    try:
        GetBalance().reply(reply)
    except Unauthorized:
        return Finding("key", "wrong", f"{said} The service refuses it (401).", "topcalls login")
    except Forbidden:
        return Finding(
            "key", "warn", f"{said} It is accepted, and may not read the balance: calls need calls:read."
        )
    except TopCallsError:
        return Finding("key", "warn", f"{said} Whether it is accepted is not known.")
    return Finding("key", "ok", f"{said} It is accepted.")


def _answered(reply: Reply, address: str) -> Finding:
    try:
        balance = GetBalance().reply(reply)
    except (Unauthorized, Forbidden, TooMany):
        return Finding("address", "ok", f"{address} answers.")
    except TopCallsError as error:
        return Finding("address", "wrong", f"{address} does not answer as TopCalls does: {error}")
    if balance.remaining is not None and balance.free <= 0:
        return Finding("address", "warn", f"{address} answers; no call minutes are free.")
    return Finding("address", "ok", f"{address} answers.")


def _clock(reply: Reply, at: datetime) -> Finding:
    """How far this machine's clock is from the service's, which tells whole seconds."""
    try:
        there = parsedate_to_datetime(reply.headers["date"])
    except (KeyError, ValueError):
        return Finding("clock", "warn", "The service told no time, so this machine's cannot be compared.")
    there = there if there.tzinfo else there.replace(tzinfo=UTC)
    off = at - (there + timedelta(seconds=0.5))
    seconds = abs(round(off.total_seconds()))
    if abs(off) <= CLOCKS_DIFFER:
        return Finding("clock", "ok", f"Within {max(1, seconds)} s of the service's.")
    way = "ahead of" if off > timedelta() else "behind"
    why = "a call whose answer is lost may not be recognised"
    state: State = "warn"
    if abs(off) > FAR_OFF:
        state, why = "wrong", f"{why}, and hours and budgets are judged wrongly"
    return Finding(
        "clock", state, f"{seconds} s {way} the service's: {why}.", "sudo timedatectl set-ntp true"
    )
