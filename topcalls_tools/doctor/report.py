"""The report of the free reads: shapes and names of fields, fit to be sent to who looks after the package."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ..address import LIVE_URL, same
from ..connect import Line
from .assumptions import Seen, judged, words
from .reads import READS, Read, Survey
from .shapes import Comparison, Shape, compared, declared, documented, observed

_KINDS = frozenset({"application/json", "application/problem+json", "text/html", "text/plain", ""})


def report(line: Line, found: Survey) -> dict[str, Any]:
    """What was seen, as JSON: shapes and names of fields, no value, and no address but TopCalls' own."""
    read: list[dict[str, Any]] = []
    comparisons: dict[str, Comparison] = {}
    for endpoint in READS:
        one = found.reads.get(endpoint.tool)
        if one is None:
            read.append({"tool": endpoint.tool, "answered": "not asked: there was no id"})
            continue
        if not one.good:
            read.append({"tool": endpoint.tool, **_answered(one)})
            continue
        example = documented().get(endpoint.tool, {})
        ours = declared(endpoint.reply_type)
        settled = endpoint.reply_type.settled(one.body)
        shape = observed(settled, {**ours, **example})
        comparisons[endpoint.tool] = comparison = compared(shape, example, ours)
        read.append({"tool": endpoint.tool, **_answered(one), **_told(one, shape, comparison)})
    verdicts = judged(Seen(found, comparisons))
    return {
        "report": "topcalls doctor --live",
        "version": _version(),
        "python": platform.python_version(),
        "day": f"{datetime.now(UTC):%Y-%m-%d}",
        "service": _service(line),
        "as_documented": all(one.same for one in comparisons.values()) and bool(comparisons),
        "reads": read,
        "probes": {name: _answered(one) for name, one in found.probes.items()},
        "assumptions": [
            {"numbers": list(one.numbers), "claim": one.claim, "observed": words(verdict)}
            for one, verdict in verdicts
        ],
    }


def _service(line: Line) -> str:
    if not line.live:
        return "sandbox"
    return LIVE_URL if same(line.settings.base_url, None) else "another address"


def _answered(read: Read) -> dict[str, Any]:
    if read.status is None:
        return {"answered": read.trouble}
    kind = read.content_type if read.content_type in _KINDS else "another"
    return {"answered": read.status, "content_type": kind}


def _told(read: Read, shape: Shape, comparison: Comparison) -> dict[str, Any]:
    rows = shape.seen["data[]"]
    told: dict[str, Any] = {
        "envelope": "list" if isinstance(read.body, list) else _envelope(read.body),
        "rows": None
        if "data" not in shape.seen
        else "none"
        if not rows
        else "one"
        if rows == 1
        else "several",
        "missing": list(comparison.missing),
        "sometimes": list(comparison.sometimes),
        "unknown": list(comparison.unknown),
        "differs": {path: list(kinds) for path, kinds in comparison.differs.items()},
        "forms": {path: sorted(forms) for path, forms in sorted(shape.forms.items()) if forms != {"text"}},
    }
    return {name: value for name, value in told.items() if value not in (None, [], {})}


def _envelope(body: Any) -> str:
    return next((name for name in ("data", "items") if isinstance(body, dict) and name in body), "object")


def _version() -> str:
    try:
        return version("topcalls-tools")
    except PackageNotFoundError:
        return "not installed"
