"""What the sandbox's owner did that cannot work."""

from __future__ import annotations


class SandboxError(Exception):
    """A file, a key or a port of the sandbox cannot be used; `str(error)` is the sentence to show."""
