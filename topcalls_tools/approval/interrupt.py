"""Asking through LangGraph: the graph pauses with the question, and goes on with a person's answer."""

from __future__ import annotations

from typing import Any

from ..errors import Declined, Misconfigured
from ..steps import Ask


def interrupt(ask: Ask) -> bool | None:
    """Pause the graph that runs this tool: `TopCallsToolkit(approve=interrupt)`.

    The interrupt's value is the question as JSON: `id`, `tool`, `target`, `minutes`, `text`, its document.
    `Command(resume={"id": value["id"], "yes": True})` goes on with a yes, False is a no. An answer without
    the question's id is none, and the graph pauses again: several questions may be open in one step, and
    none may take another's answer. Raises Declined outside a graph with a checkpointer.
    """
    try:
        from langgraph.types import interrupt as pause
    except ModuleNotFoundError:
        raise Misconfigured(
            "Asking by a graph's interrupt needs LangGraph; pip install 'topcalls-tools[langgraph]'."
        ) from None
    name = f"{ask.key}-{ask.minutes:g}"  # asked once more, the same question may be about more minutes
    shown = {
        "id": name,
        "tool": ask.tool,
        "target": ask.target,
        "minutes": ask.minutes,
        **ask.question.document(),
        "text": ask.question.text(),
    }
    while True:
        try:
            said: Any = pause(shown)
        except (RuntimeError, KeyError):  # LangGraph's own words are about its configuration
            raise Declined(
                "This needs a person's yes, and only a graph with a checkpointer can pause for it, so "
                "nothing was sent; run the tool in one, or give the toolkit another approve=."
            ) from None
        if isinstance(said, dict) and said.get("id") == name:
            yes = said.get("yes")
            return yes if isinstance(yes, bool) else None
