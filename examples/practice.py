"""What the examples share: they practise only, and the sandbox's clock runs fast while they do."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import httpx

from topcalls_tools import TopCallsError
from topcalls_tools.connect import Line
from topcalls_tools.settings import Settings


@contextmanager
def practice(speed: float = 30) -> Iterator[Line]:
    """A line to a sandbox whose clock runs `speed` times as fast; never to TopCalls itself.

    Your TOPCALLS_* settings count. Without TOPCALLS_HOME the files go into a directory that is deleted
    afterwards. What goes wrong ends the program with its sentence.
    """
    with tempfile.TemporaryDirectory(prefix="topcalls-", ignore_cleanup_errors=True) as passing:
        os.environ.setdefault("TOPCALLS_HOME", passing)
        try:
            line = Line(Settings.load())
            if line.live:
                sys.exit("Examples never dial: TOPCALLS_API_KEY is a live key; unset it and run this again.")
            with closing(line), fast(line, speed):
                yield line
        except TopCallsError as error:
            sys.exit(str(error))


@contextmanager
def fast(line: Line, speed: float) -> Iterator[None]:
    """Let the sandbox's time pass `speed` times as fast as ours, and as before afterwards."""
    headers = {"Authorization": f"Bearer {line.key()}"}
    with httpx.Client(base_url=line.address(), headers=headers, trust_env=False) as sandbox:
        try:
            before = sandbox.get("/sandbox/clock").raise_for_status().json()["speed"]
            sandbox.post("/sandbox/clock", json={"speed": speed}).raise_for_status()
        except httpx.HTTPError:
            sys.exit("No sandbox answers at TOPCALLS_BASE_URL; unset it, and TOPCALLS_API_KEY with it.")
        try:
            yield
        finally:
            with suppress(httpx.HTTPError):  # this process's own sandbox may have ended with its client
                sandbox.post("/sandbox/clock", json={"speed": before})
