"""Single keys of a terminal: one key that a person presses counts, and nothing else that comes does."""

from __future__ import annotations

import asyncio
import os
import pty
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from types import ModuleType

import pytest

from topcalls_tools.cli.keys import PASTE_BEGINS, PASTE_ENDS, Typed, _by_thread, keys


@pytest.fixture
def ours(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The end of a terminal at which a person sits; the other is what `keys` reads."""
    here, there = pty.openpty()
    with os.fdopen(there) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        yield here
        with suppress(OSError):  # a test closed it
            os.close(here)


def pressed_of(play: Callable[[Callable[[int], Awaitable[None]]], Awaitable[None]]) -> list[str]:
    """What is pressed while something is played; it is handed a wait until so much was pressed."""
    pressed: list[str] = []

    async def played() -> None:
        news = asyncio.Condition()

        async def told() -> None:
            async with news:
                news.notify_all()

        def press(key: str) -> None:
            pressed.append(key)
            telling.append(asyncio.ensure_future(told()))

        async def until(many: int) -> None:
            async with asyncio.timeout(20), news:
                await news.wait_for(lambda: len(pressed) >= many)

        telling: list[asyncio.Future[None]] = []
        with keys(press):
            await play(until)

    asyncio.run(played())
    return pressed


@pytest.mark.parametrize(
    "typed", [b"x" * 64 + b"1", b"x" * 4096 + b"1", b"\xe91", b"\x1b[1;5D", "é1".encode()], ids=repr
)
def test_what_comes_with_no_pause_between_is_no_key(ours: int, typed: bytes) -> None:
    async def play(until: Callable[[int], Awaitable[None]]) -> None:
        os.write(ours, typed[:1000])
        os.write(ours, typed[1000:])
        await until(1)
        os.write(ours, b"2")
        await until(2)

    everything, key = pressed_of(play)
    assert everything == typed.decode(errors="replace")
    assert key == "2"


def test_a_byte_that_is_no_character_is_no_empty_key(ours: int) -> None:
    async def play(until: Callable[[int], Awaitable[None]]) -> None:
        os.write(ours, b"\xe9")
        await until(1)

    assert pressed_of(play) == ["\ufffd"]


def test_the_end_of_the_terminal_presses_nothing(ours: int) -> None:
    wrong: list[object] = []

    async def play(until: Callable[[int], Awaitable[None]]) -> None:
        loop, gone = asyncio.get_running_loop(), asyncio.Event()
        remove = loop.remove_reader

        def removed(terminal: int) -> bool:
            loop.call_soon(gone.set)
            return remove(terminal)

        loop.set_exception_handler(lambda _, context: wrong.append(context))
        loop.remove_reader = removed  # type: ignore[assignment, method-assign]
        os.close(ours)
        await asyncio.wait_for(gone.wait(), 20)

    assert pressed_of(play) == []
    assert not wrong


def test_a_paste_stays_whole_however_slowly_it_comes() -> None:
    typed = Typed()
    for piece in (PASTE_BEGINS + "a call 1", "1", "2", "q"):
        typed.came(piece)
        assert typed.paused() == ""
    typed.came(PASTE_ENDS)
    assert typed.paused() == f"{PASTE_BEGINS}a call 112q{PASTE_ENDS}"
    typed.came("1")
    assert typed.paused() == "1"


class Console(ModuleType):
    """Windows' console: who presses an arrow gives two halves, and kbhit tells of the first alone."""

    def __init__(self) -> None:
        super().__init__("msvcrt")
        self._lock = threading.Lock()
        self._there: list[str] = []
        self._half: list[str] = []
        self.looked = threading.Semaphore(0)

    def type(self, *presses: str) -> None:
        with self._lock:
            self._there += presses

    def kbhit(self) -> bool:
        with self._lock:
            if not self._there:
                self.looked.release()
            return bool(self._there)

    def getwch(self) -> str:
        with self._lock:
            if self._half:
                return self._half.pop()
            first, *rest = self._there.pop(0)
            self._half = rest
            return first

    def settled(self) -> None:
        """Wait until three looks in a row have found nothing."""
        while self.looked.acquire(blocking=False):
            pass
        for _ in range(3):
            assert self.looked.acquire(timeout=20)


def test_on_windows_too_one_key_counts_and_pastes_and_arrows_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    console, pressed = Console(), list[str]()
    monkeypatch.setitem(sys.modules, "msvcrt", console)
    console.type("7")
    with _by_thread(pressed.append):
        console.settled()
        console.type("1", "2")
        console.settled()
        console.type("\xe0s")
        console.settled()
        console.type("3")
        console.settled()
    assert pressed == ["12", "\xe0s", "3"]
