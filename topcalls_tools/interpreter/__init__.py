"""Requests in words, read without a model: a sentence becomes one action of the tools, or a doubt.

It never guesses. What it knows of a language is data, a file of `phrases/`. `interpret` is pure; `understood`
is the flow that first looks up what a sentence speaks of.
"""

from __future__ import annotations

from .reading import interpret
from .scene import ABOUT, Doubt, Look, Reading, Scene
from .understanding import understood

__all__ = ["ABOUT", "Doubt", "Look", "Reading", "Scene", "interpret", "understood"]
