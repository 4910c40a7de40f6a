"""A TopCalls that runs on this machine: the same API, and no phone rings."""

from __future__ import annotations

from .box import Sandbox, open_sandbox
from .errors import SandboxError
from .plans import Plan, plans
from .web.serve import Served, bound, serve_forever, serve_in_background

__all__ = [
    "Plan",
    "Sandbox",
    "SandboxError",
    "Served",
    "bound",
    "open_sandbox",
    "plans",
    "serve_forever",
    "serve_in_background",
]
