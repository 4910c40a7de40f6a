"""Tools that are no endpoint: each an action with a flow of its own."""

from __future__ import annotations

from .confirm_action import ConfirmAction
from .follow_call import FollowCall
from .stop_all import StopAll

__all__ = ["ConfirmAction", "FollowCall", "StopAll"]
