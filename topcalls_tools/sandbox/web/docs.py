"""The interactive page at /docs: Swagger UI, where the extra `docs` is installed."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from ...wire import Reply

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>TopCalls sandbox: API</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<script src="/docs/swagger-ui-bundle.js" defer></script>
<script src="/docs/start.js" defer></script>
</head>
<body><div id="api"></div></body>
</html>
"""
_START = """SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
});
"""
"""A file of its own, so that no script stands in the page. Without the null, Swagger UI would ask a server
elsewhere whether the document is valid."""
_OURS = {"/docs": ("text/html", _PAGE), "/docs/start.js": ("text/javascript", _START)}
_THEIRS = {
    "/docs/swagger-ui-bundle.js": "text/javascript",
    "/docs/swagger-ui.css": "text/css",
    "/docs/favicon-32x32.png": "image/png",
}
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def reply(path: str) -> Reply | None:
    """A file of the page, by the path it is asked for under; None where there is none, or no package."""
    if (path not in _OURS and path not in _THEIRS) or (folder := _folder()) is None:
        return None
    if path in _OURS:
        kind, text = _OURS[path]
        return _file(kind, text.encode())
    return _file(_THEIRS[path], _content(folder / path.rpartition("/")[2]))


def _folder() -> Path | None:
    """Where the package keeps its files. It is found, never imported: it would load all of its own needs."""
    found = find_spec("swagger_ui")
    places = found.submodule_search_locations if found else None
    return Path(places[0], "static") if places else None


@cache
def _content(file: Path) -> bytes:
    return file.read_bytes()


def _file(kind: str, content: bytes) -> Reply:
    charset = "" if kind.startswith("image/") else "; charset=utf-8"
    return Reply(200, content, {**_HEADERS, "content-type": f"{kind}{charset}"})
