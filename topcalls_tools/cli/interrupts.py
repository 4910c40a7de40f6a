"""Ctrl-C while something is waited for: the first stops the waiting, a second one is counted."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType
from typing import Any, Self

LINGERS = 3.0
"""Seconds after the first Ctrl-C in which a second one counts to the same wait."""


class Interrupts:
    """Hears Ctrl-C while it is entered. The first raises KeyboardInterrupt; while `held` none does, and while
    `asking` each does."""

    def __init__(self) -> None:
        self.count = 0
        self.held = False
        self.asking = False
        self._raises = True
        self._before: Any = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():  # no other thread may set it
            self._before = signal.signal(signal.SIGINT, self._pressed)
        return self

    def __exit__(self, *_: object) -> None:
        self._raises = False
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def release(self) -> None:
        """Let Ctrl-C raise again; one that was pressed while it was held raises now."""
        self.held = False
        if self.count and self._raises:
            self._raises = False
            raise KeyboardInterrupt

    def again(self) -> bool:
        """Linger, and tell whether Ctrl-C was pressed once more."""
        try:
            self.held, self._raises = False, True
            if self.count < 2:
                time.sleep(LINGERS)
        except KeyboardInterrupt:
            pass
        self._raises = False
        return self.count >= 2

    def _pressed(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if (self._raises or self.asking) and not self.held:
            self._raises = False
            raise KeyboardInterrupt
