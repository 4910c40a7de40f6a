"""Tools that are no endpoint: each an action with a flow of its own."""

from __future__ import annotations

from .block_number import BlockNumber
from .check_call import CheckCall
from .confirm_action import ConfirmAction
from .explain_call import ExplainCall
from .find_contact import FindContact
from .follow_call import FollowCall
from .stop_all import StopAll

__all__ = [
    "BlockNumber",
    "CheckCall",
    "ConfirmAction",
    "ExplainCall",
    "FindContact",
    "FollowCall",
    "StopAll",
]
