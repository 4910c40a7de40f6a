"""A browser that has windows, to show a file in: the owner's own choice, or the system's."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from ..errors import Misconfigured

_WITHOUT_WINDOWS = frozenset({"www-browser", "lynx", "w3m", "links", "elinks", "browsh", "carbonyl"})
_KNOWN = (
    "xdg-open",
    "gio open",
    "x-www-browser",
    "firefox",
    "google-chrome",
    "chromium",
    "chromium-browser",
    "microsoft-edge",
    "brave-browser",
)
"""Commands that show a page, on systems that have no command of their own; the first that is there."""


def graphical(setting: str | None, display: bool) -> Callable[[Path], bool] | None:
    """What shows a file to a person: by the owner's command, or the system's own. None where nothing can.

    `setting` is a command line such as "firefox", or "none"; `display` says whether windows can be opened.
    Raises Misconfigured where `setting` is no command line.
    """
    if setting is not None:
        try:
            words = shlex.split(setting)
        except ValueError as wrong:
            raise Misconfigured(
                f"browser is no command line ({wrong}); set a command such as firefox, or none."
            ) from None
        nothing = not words or words == ["none"] or Path(words[0]).name in _WITHOUT_WINDOWS
        return None if nothing else lambda file: _started([*words, file.as_uri()])
    if not display:
        return None
    if sys.platform == "darwin":
        return lambda file: _started(["open", file.as_uri()])
    if sys.platform == "win32":
        return lambda file: _started(["rundll32", "url.dll,FileProtocolHandler", file.as_uri()])
    for command in map(str.split, _KNOWN):
        if shutil.which(command[0]):
            return lambda file, command=command: _started([*command, file.as_uri()])  # type: ignore[misc]
    return None


def _started(command: list[str]) -> bool:
    """Start a command on its own: our standard output may be an assistant's protocol."""
    try:
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return False
    return True
