"""Webhooks that TopCalls sends here: who receives them, and what follows once one was answered."""

from .afterwards import End
from .receiver import Receiver

__all__ = ["End", "Receiver"]
