"""Asking through LangGraph: the graph pauses with the question, and goes on with a person's answer."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

from ..errors import Declined, Misconfigured
from ..flow.steps import Answer, Ask

_UNHEARD = 1000
"""Answers that are kept for questions which have not come for them."""
_turn = Lock()
_heard: dict[tuple[str, str], Any] = {}


def interrupt(ask: Ask) -> Answer:
    """Pause the graph that runs this tool: `TopCallsToolkit(approve=interrupt)`.

    The interrupt's value is the question as JSON: `id`, `tool`, `target`, `minutes`, `text`, its document.
    `Command(resume={"id": value["id"], "yes": True})` goes on with a yes, False is a no. An answer without
    the question's id is none, and the graph pauses again: several questions may be open in one step, and
    none may take another's answer. Raises Declined outside a graph with a checkpointer.

    LangChain's agents run each call in a task of its own. Where one node runs several, nothing else may
    interrupt in it: LangGraph tells the pauses of a task apart by their order, and a question that is settled
    pauses no more. With `ainvoke` the pause of one then returns while another may be dialling, so that the
    event loop must live on; a dial that ends with it is in doubt until it is looked for.
    """
    try:
        from langgraph.config import get_config
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
    try:
        graph = get_config()["configurable"]
        # LangGraph has no public name for it. A pause that nobody can end would hold a question open.
        if graph.get("__pregel_checkpointer", True) is None:
            raise KeyError("checkpointer")
        said = _said(lambda: pause(shown), graph["checkpoint_ns"], name)
    except (RuntimeError, KeyError):  # LangGraph's own words are about its configuration
        raise Declined(
            "This needs a person's yes, and only a graph with a checkpointer can pause for it, so "
            "nothing was sent; run the tool in one, or give the toolkit another approve=."
        ) from None
    return Answer(said if isinstance(said, bool) else None, ask.seal, "interrupt")


def _said(pause: Callable[[], Any], task: str, name: str) -> Any:
    """What the person said to the question of this name. LangGraph hands a task its answers by order, and the
    tools of one step ask in any order: whoever comes first reads for all, one at a time."""
    with _turn:
        while (task, name) not in _heard:
            match pause():
                case {"id": str(named), **rest}:
                    _heard[task, named] = rest.get("yes")
            while len(_heard) > _UNHEARD:
                del _heard[next(iter(_heard))]
        return _heard.pop((task, name))
