"""CSV whose cells no spreadsheet takes for formulas, whoever spoke the words in them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from ..quoting import quiet

Value = str | int | float | None
_NUMBER = re.compile(r"\+[1-9][0-9]{1,14}")
"""A phone number as it is dialled; no spreadsheet computes anything else from it."""
_BEGINS = re.compile(r'(?:^|(?<=[,;|]))([\s"]*)(?=[=+@\-−＝＋－＠﹢﹣﹦﹫])')
"""Where a cell begins that would be computed: also after what some program parts cells by that heeds no
quotation marks, or other signs than commas."""


def written(rows: Iterable[Sequence[Value]]) -> Iterator[str]:
    """Rows as lines of CSV (RFC 4180, UTF-8), each with its end."""
    for row in rows:
        line = io.StringIO()
        csv.writer(line).writerow([safe(value) if isinstance(value, str) else value for value in row])
        yield line.getvalue()


def safe(text: str) -> str:
    """A text as a cell: on one line, what steers a terminal as escapes, and an apostrophe before what a
    spreadsheet would compute."""
    if _NUMBER.fullmatch(text):
        return text
    return _BEGINS.sub(r"\1'", quiet(text))
