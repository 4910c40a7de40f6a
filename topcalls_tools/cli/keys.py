"""Single keys of a terminal while something else goes on: no Enter is needed, and nothing is echoed."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def keys(pressed: Callable[[str], None]) -> Iterator[None]:
    """Call `pressed` on the running event loop with each key, and with several characters at once where an
    arrow was pressed or something pasted. Ctrl-C goes on to interrupt; afterwards the terminal is as it
    was."""
    import asyncio

    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        with _by_thread(lambda key: loop.call_soon_threadsafe(pressed, key)):
            yield
        return
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal)

    def ready() -> None:
        typed = os.read(terminal, 64).decode(errors="ignore")
        if not typed:  # the terminal is gone
            loop.remove_reader(terminal)
        pressed(typed)

    loop.add_reader(terminal, ready)
    try:
        yield
    finally:
        loop.remove_reader(terminal)
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


@contextmanager
def _by_thread(pressed: Callable[[str], object]) -> Iterator[None]:
    import msvcrt

    left = threading.Event()

    def read() -> None:
        while not left.wait(0.05):
            while msvcrt.kbhit():  # type: ignore[attr-defined, unused-ignore]
                pressed(msvcrt.getwch())  # type: ignore[attr-defined, unused-ignore]

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield
    finally:
        left.set()
        reader.join()
