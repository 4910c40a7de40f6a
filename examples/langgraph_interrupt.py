"""A LangGraph graph that pauses before it phones anybody, and goes on with a person's answer.

Runs without a key; no phone rings. Needs the extra `langgraph`. A checkpointer that keeps its state in a file
lets another process go on.
"""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, AnyMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode
from langgraph.types import Command
from practice import practice

from topcalls_tools import Client, TopCallsToolkit
from topcalls_tools.approval.interrupt import interrupt


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


def main() -> None:
    with practice() as line:
        plan = StateGraph(State)
        plan.add_node(
            "tools", ToolNode(TopCallsToolkit(client=Client(line=line), approve=interrupt).get_tools())
        )
        plan.add_edge(START, "tools")
        plan.add_edge("tools", END)
        graph = plan.compile(checkpointer=InMemorySaver())

        call = {
            "phone_number": "+14155550123",
            "task": "Ask when they open on Sunday.",
        }  # a model writes this
        wish = AIMessage("", tool_calls=[{"id": "1", "name": "place_call", "args": call}])
        thread: Any = {"configurable": {"thread_id": "1"}}
        paused = graph.invoke({"messages": [wish]}, thread)
        question = paused["__interrupt__"][0].value
        print(f"the graph pauses with:\n\n{question['text']}\n-> approved by this example\n")
        resumed = graph.invoke(Command(resume={"id": question["id"], "yes": True}), thread)
        print(f"the graph goes on:\n{resumed['messages'][-1].content}")


if __name__ == "__main__":
    main()
