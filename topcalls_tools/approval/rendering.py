"""How the approval page looks: our words as they are, everybody else's in frames, and no script."""

from __future__ import annotations

import html
import secrets
from pathlib import Path
from string import Template
from typing import Any

from starlette.responses import Response

from ..quoting import quiet

FILES = Path(__file__).parent / "screen"


def question_page(document: dict[str, Any], token: str, shown: str, until: str) -> Response:
    """A question as its document says it, with a form that carries a token and what was shown. `until` is
    when it is over."""
    world, badge = _WORLDS[document["live"]]
    return page(
        "question.html",
        token=token,
        shown=shown,
        world=world,
        badge=badge,
        title=html.escape(document["title"]),
        lines=_paragraphs(document["lines"]),
        quoted="".join(_block(one["label"], one["value"]) for one in document["quoted"]),
        closing=_paragraphs(document["closing"]),
        until=until,
    )


_WORLDS = {True: ("live", "Live: real phones, real minutes"), False: ("practice", "Practice: no phone rings")}


def told(words: str, status: int = 200) -> Response:
    return page("told.html", status, words=html.escape(words))


def page(name: str, status: int = 200, **parts: str) -> Response:
    """A page of ours, with what no other site and no script can use."""
    nonce = secrets.token_urlsafe(16)
    style = (FILES / "style.css").read_text()
    allowed = f"style-src 'nonce-{nonce}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    headers = {
        "Content-Security-Policy": f"default-src 'none'; {allowed}",
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        # Not no-referrer: under that a browser calls our own form's origin "null".
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    text = filled(name, nonce=nonce, style=style, **parts)
    return Response(text, status, headers, "text/html")


def filled(name: str, **parts: str) -> str:
    return Template((FILES / name).read_text()).substitute(parts)


def _paragraphs(lines: list[str]) -> str:
    return "".join(f"<p>{html.escape(line)}</p>" for line in lines)


def _block(label: str, value: str) -> str:
    """A value of somebody else, whole, in a frame under our label."""
    shown = "\n".join(quiet(line) for line in value.split("\n"))
    return f"<h2>{html.escape(label)}</h2><pre dir=ltr role=blockquote>{html.escape(shown)}</pre>"
