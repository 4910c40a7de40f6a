"""`topcalls listen`: receives webhooks on this machine, and runs a command at each call's end."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import click

from ..errors import Misconfigured

if TYPE_CHECKING:
    import asyncio

    from ..connect import Line
    from ..webhooks import End, Receiver

HOST = "127.0.0.1"
PORT = 8415
AT_ONCE = 64
"""Connections that may wait to say what they want; of more, the one that waited longest is cut."""
_ERRORS = 2  # the standard error that a command of the owner's writes to


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0 takes a free one."
)
@click.option(
    "--exec",
    "command",
    metavar="COMMAND",
    help="Run at the end of each of your calls, without a shell; it reads what is known as JSON.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 3600),
    default=60.0,
    show_default=True,
    help="Seconds that the command may take.",
)
@click.option("--unsigned", is_flag=True, help="Take webhooks without a signature, from whoever sends them.")
def listen(port: int, command: str | None, timeout: float, unsigned: bool) -> None:
    """Receive webhooks until interrupted, on this machine alone. Whoever follows a call hears of it at once,
    and its books are closed when it ends. What is not signed with TOPCALLS_WEBHOOK_SECRET is refused.
    docs/webhooks.md says how TopCalls reaches it."""
    from ..client import Client
    from ..webhooks import Receiver

    argv = _argv(command) if command else None
    with Client() as client, closing(_bound(port)) as taken:
        line = client.line
        secret = line.settings.webhook_secret
        if secret is None and not unsigned:
            raise Misconfigured(
                "TOPCALLS_WEBHOOK_SECRET is not set, so anybody could pose as TopCalls; set it to the secret "
                "that TopCalls signs with, or take what nobody signed with --unsigned."
            )
        if secret is not None and unsigned:
            raise click.UsageError("TOPCALLS_WEBHOOK_SECRET is set: unset it, or leave --unsigned out.")

        command_of_owner = _Command(argv, timeout) if argv else None

        def ended(end: End) -> None:
            _said(_line_about(end))
            if command_of_owner:
                command_of_owner.run(end)

        receiver = Receiver(client, secret, ended, _said)
        with _interrupted(), _ending(command_of_owner), receiver.working():
            address = f"http://{HOST}:{taken.getsockname()[1]}"
            for sentence in _greeting(line, address, signed=secret is not None):
                click.echo(sentence)
            sys.stdout.flush()
            _serve(receiver, taken)


def _greeting(line: Line, address: str, *, signed: bool) -> Iterator[str]:
    url = line.settings.webhook_url
    yield f"Webhooks are received at {address}; Ctrl-C ends it."
    if not line.live:
        yield "Practice: no phone rings."
    if not signed:
        yield "Nothing is signed: whoever reaches this address can have your calls looked at."
    if url:
        yield f"New calls ask for theirs at {url}, as policy.toml says."
    else:
        what = (
            "webhook_url, the public address that leads here," if line.live else f'webhook_url = "{address}"'
        )
        yield f"No call asks for them yet: write {what} into policy.toml."


def _argv(command: str) -> list[str]:
    """The words of a command. Raises UsageError where they are none, or name no program."""
    try:
        argv = shlex.split(command)
    except ValueError as error:
        raise click.UsageError(f"--exec cannot be read ({error}); quote it as in a shell.") from None
    if not argv or shutil.which(argv[0]) is None:
        raise click.UsageError("--exec names no program that can be run; give its path, then its arguments.")
    return argv


class _Command:
    """The owner's command. It reads what is known of a call on its standard input: no word that was said is
    an argument, and no secret of ours is in its environment. What becomes of it is said, and nothing more."""

    def __init__(self, argv: list[str], seconds: float) -> None:
        self._argv, self._seconds = argv, seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._starting, self._over = threading.Lock(), False

    def run(self, end: End) -> None:
        """Run it, for no more than its time."""
        known = json.dumps(end.facts(), ensure_ascii=False).encode("utf-8", "surrogatepass")
        try:
            with self._starting:
                if self._over:
                    return
                self._child = child = self._started()
        except OSError as error:
            _said(
                f"The command could not be run ({error.strerror}); the call {end.call.id} is not told again."
            )
            return
        with child:
            try:
                child.communicate(known, timeout=self._seconds)
            except subprocess.TimeoutExpired:
                _killed(child)
                took = f"took over {self._seconds:g} seconds"
                _said(f"The command {took} for the call {end.call.id} and was ended.")
            else:
                if child.returncode and not self._over:
                    _said(f"The command ended with {child.returncode} for the call {end.call.id}.")

    def end(self) -> None:
        """End it where it still runs: who listens next runs it again for that call, and never beside it."""
        with self._starting:
            self._over = True
            if self._child and self._child.poll() is None:
                _killed(self._child)
                with suppress(subprocess.TimeoutExpired):
                    self._child.wait(5)
                _said("The command was ended with the listener; it runs again for that call.")

    def _started(self) -> subprocess.Popen[bytes]:
        from ..settings import environment_without_secrets

        env = environment_without_secrets()
        return subprocess.Popen(
            self._argv, stdin=subprocess.PIPE, stdout=_ERRORS, start_new_session=True, env=env
        )


@contextmanager
def _ending(command: _Command | None) -> Iterator[None]:
    """What the receiver did not finish in its time is ended."""
    try:
        yield
    finally:
        if command:
            command.end()


def _killed(child: subprocess.Popen[bytes]) -> None:
    """End a command and all that it has started."""
    with suppress(OSError):
        if os.name == "posix":
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()


def _line_about(end: End) -> str:
    """What the terminal says of a call's end: nothing that was spoken, and no whole number."""
    from ..api.fields import E164

    call, number = end.call, E164.read(end.call.phone_number)
    whom = f" to {number.masked}" if number else ""
    minutes = "" if not call.duration else f" after {call.duration:g} minutes"
    return f"The call {call.id}{whom} has ended{minutes}: {call.call_status or call.status}."


def _said(sentence: str) -> None:
    from ..quoting import quiet

    with suppress(OSError, ValueError):  # nobody may read it, and everything goes on
        click.echo(quiet(sentence), err=True)


def _bound(port: int) -> socket.socket:
    """A socket that listens already. Raises Misconfigured where the port cannot be had."""
    line = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name == "posix":
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        line.bind((HOST, port))
        line.listen(128)
    except OSError:
        line.close()
        raise Misconfigured(
            f"Port {port} cannot be used; name another with --port, or 0 for a free one."
        ) from None
    return line


@contextmanager
def _interrupted() -> Iterator[None]:
    """An interrupt, or being told to end, is a good end: what is open is closed."""
    before: Callable[..., Any] | int | None = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _serve(receiver: Receiver, line: socket.socket) -> None:
    import uvicorn
    from uvicorn.protocols.http.h11_impl import H11Protocol

    waiting: dict[Waiting, None] = {}

    class Waiting(H11Protocol):
        """A connection, until it has said what it wants. Who says nothing keeps nobody out."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            for one in [one for one in waiting if one.cycle is not None]:
                del waiting[one]
            waiting[self] = None
            if len(waiting) > AT_ONCE:
                first = next(iter(waiting))
                del waiting[first]
                first.transport.abort()

        def connection_lost(self, exc: Exception | None) -> None:
            waiting.pop(self, None)
            super().connection_lost(exc)

    config = uvicorn.Config(
        receiver.app,
        http=Waiting,
        log_level="critical",
        access_log=False,
        lifespan="off",
        headers=[("connection", "close")],  # each request comes by a connection of its own
        timeout_graceful_shutdown=5,
        server_header=False,
        ws="none",
    )
    uvicorn.Server(config).run(sockets=[line])
