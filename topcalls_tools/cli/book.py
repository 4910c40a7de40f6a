"""How a command opens the journal: over the owner's settings, for any account, without a word to TopCalls."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from ..errors import Misconfigured, Refused

if TYPE_CHECKING:
    from ..connect import Line


@contextmanager
def opened(*, there: bool = False) -> Iterator[Line]:
    """The owner's line, whose desk has the journal. With `there`, one that was not written yet is not made.

    Raises Misconfigured or Refused where it cannot be opened or read.
    """
    from ..connect import Line
    from ..settings import Settings

    with closing(Line(Settings.load())) as line:
        settings = line.settings
        if there and settings.journal is None and not (settings.home / "journal.db").exists():
            raise Misconfigured(
                f"There is no journal in {settings.home} yet; it is made with the first question, or lies "
                "elsewhere (TOPCALLS_HOME, TOPCALLS_JOURNAL)."
            )
        try:
            yield line
        except ValueError:  # a row that was not written by us: no JSON, or no time
            raise Refused(
                "journal",
                "What stands in the journal cannot be read; topcalls journal verify says where it was "
                "changed.",
            ) from None
