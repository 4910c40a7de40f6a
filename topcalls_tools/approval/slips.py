"""Slips: 24 letters and digits that name an open question, for assistants that cannot show a form.

The journal keeps a slip's digest alone, and the deed that it redeems encrypted under the owner's secret.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from base64 import urlsafe_b64encode
from typing import Any

from ..action import Action
from ..endpoint import ON_THE_WIRE
from ..errors import Refused
from ..flow.steps import ASK_LIVES, Ask, Desk, Flow, Keep

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without 0, 1, I and O, which people and models confuse."""


def issue(ask: Ask, action: Action[Any], desk: Desk) -> Flow[str]:
    """Write a slip for an open question. Gives what the assistant is told: the question, and how to go on."""
    slip = "".join(secrets.choice(_ALPHABET) for _ in range(24))
    arguments = json.dumps(action.model_dump(mode="json", exclude_none=True, context=ON_THE_WIRE))
    box = _fernet(desk).encrypt(arguments.encode()).decode()
    name, until = digest(slip, desk), desk.clock() + ASK_LIVES
    yield Keep(lambda: desk.journal().slip(ask.key, name, box, until))
    given = json.dumps({"slip": slip, "target": ask.target, "max_minutes": ask.minutes})  # one line, escaped
    return (
        f"Nothing was done yet: a person has to agree first.\n\n{ask.question.text()}\n\n"
        f"After the person's own yes, confirm_action does it, with {given}. Without a yes nothing more is "
        "needed; the question lapses in 10 minutes."
    )


def digest(slip: str, desk: Desk) -> str:
    """What the journal knows a slip by."""
    return hmac.new(desk.secret(), slip.encode(), hashlib.sha256).hexdigest()


def opened(box: str, desk: Desk) -> str:
    """The deed's arguments as JSON. Raises Refused when another secret sealed them."""
    from cryptography.fernet import InvalidToken

    try:
        arguments: bytes = _fernet(desk).decrypt(box)
    except InvalidToken:
        raise Refused(
            "slip", "This slip was sealed under another secret; call the tool again for a new one."
        ) from None
    return arguments.decode()


def _fernet(desk: Desk) -> Any:
    from cryptography.fernet import Fernet

    return Fernet(urlsafe_b64encode(hashlib.sha256(b"slips" + desk.secret()).digest()))
