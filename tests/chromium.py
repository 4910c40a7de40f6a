"""The Chromium of this machine, driven by Playwright; tests that need it skip, or fail where it is required."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
_REQUIRED = os.environ.get("TOPCALLS_TEST_BROWSER") == "required"  # read before a test clears it


def needed() -> None:
    """Skip the module that asks where there is no browser, or fail where it is required."""
    missing = ""
    if PROGRAM is None:
        missing = "No Chromium is found; `apt-get install chromium`, or put google-chrome on the PATH."
    if importlib.util.find_spec("playwright") is None:
        missing = "Playwright is not installed; `pip install playwright` drives the Chromium that is here."
    if missing and _REQUIRED:
        pytest.fail(missing, pytrace=False)
    if missing:
        pytest.skip(missing, allow_module_level=True)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without windows."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=PROGRAM, args=SWITCHES)
        yield browser
        browser.close()
