"""Single keys of a terminal while something else goes on: no Enter is needed, and nothing is echoed."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

PAUSE = 0.1
"""Seconds without a character that end what was typed: a key that a person presses stands alone, what is
pasted does not, however a line cuts it."""
PASTE_BEGINS, PASTE_ENDS = "\x1b[200~", "\x1b[201~"
"""What a terminal that was asked to puts around what is pasted."""
MARK_PASTES, MARK_NO_PASTES = "\x1b[?2004h", "\x1b[?2004l"


class Typed:
    """What was typed since the last pause."""

    def __init__(self) -> None:
        self._typed = ""

    def came(self, characters: str) -> None:
        """Take in what came."""
        self._typed += characters

    def paused(self) -> str:
        """What was typed up to a pause; nothing where a paste is still under way."""
        if self._typed.rfind(PASTE_BEGINS) > self._typed.rfind(PASTE_ENDS):
            return ""
        typed, self._typed = self._typed, ""
        return typed


@contextmanager
def keys(pressed: Callable[[str], None]) -> Iterator[None]:
    """Call `pressed` on the running event loop with what was typed between two pauses: with one character
    where one key was pressed, and with all of them where an arrow was pressed or something pasted. What was
    typed before counts for nothing, and so does the end of the terminal. Ctrl-C goes on to interrupt;
    afterwards the terminal is as it was."""
    import asyncio

    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        with _by_thread(lambda typed: loop.call_soon_threadsafe(pressed, typed)):
            yield
        return
    import termios
    import tty

    terminal, screen, typed = sys.stdin.fileno(), sys.stdout, Typed()
    before = termios.tcgetattr(terminal)
    pause: asyncio.TimerHandle | None = None

    def ready() -> None:
        nonlocal pause
        if pause:
            pause.cancel()
        try:
            came = os.read(terminal, 4096)
        except OSError:
            came = b""
        if not came:  # the terminal is gone
            loop.remove_reader(terminal)
            return
        typed.came(came.decode(errors="replace"))
        pause = loop.call_later(PAUSE, paused)

    def paused() -> None:
        if all_of_it := typed.paused():
            pressed(all_of_it)

    tty.setcbreak(terminal)
    _tell(screen, MARK_PASTES)
    loop.add_reader(terminal, ready)
    try:
        yield
    finally:
        loop.remove_reader(terminal)
        if pause:
            pause.cancel()
        _tell(screen, MARK_NO_PASTES)
        with suppress(termios.error):  # a terminal that is gone
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _tell(screen: TextIO, sign: str) -> None:
    with suppress(OSError):
        screen.write(sign)
        screen.flush()


@contextmanager
def _by_thread(pressed: Callable[[str], object]) -> Iterator[None]:
    left, typed = threading.Event(), Typed()

    def read() -> None:
        _waiting()  # typed before
        while not left.wait(PAUSE):
            if came := _waiting():
                typed.came(came)
            elif all_of_it := typed.paused():
                pressed(all_of_it)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield
    finally:
        left.set()
        reader.join(3 * PAUSE)  # it may wait for the second half of a key


def _waiting() -> str:
    """All characters that are there, on Windows."""
    import msvcrt

    there = ""
    while msvcrt.kbhit():  # type: ignore[attr-defined, unused-ignore]
        there += msvcrt.getwch()  # type: ignore[attr-defined, unused-ignore]
        if there[-1] in "\x00\xe0":  # an arrow: its second half is there too, though kbhit may not say so
            there += msvcrt.getwch()  # type: ignore[attr-defined, unused-ignore]
    return there
