"""The page's own files: they hold no facts, so that anybody on this machine may load them."""

from __future__ import annotations

from functools import cache
from importlib import resources

from ...wire import Reply

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "media-src 'self' blob:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
"""What the page may load and do: nothing from elsewhere, nothing inline."""
_KINDS = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


def reply(path: str) -> Reply | None:
    """A file of the page; None where the path is none of its."""
    content = _files().get("index.html" if path == "/" else path.removeprefix("/"))
    if content is None:
        return None
    kind = _KINDS["html" if path == "/" else path.rpartition(".")[2]]
    return Reply(200, content, {**_HEADERS, "content-type": f"{kind}; charset=utf-8"})


@cache
def _files() -> dict[str, bytes]:
    folder = resources.files(__package__) / "page"
    return {one.name: one.read_bytes() for one in folder.iterdir() if one.name.rpartition(".")[2] in _KINDS}
