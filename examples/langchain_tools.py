"""The tools in LangChain's tool loop. The model here is scripted; put any chat model in its place.

Runs without a key; no phone rings.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from practice import practice

from topcalls_tools import Client, TopCallsToolkit
from topcalls_tools.flow.steps import Ask

WISH = "Please find out how much a bike rental costs at +44 20 7946 0018, and when they open."


class Scripted(BaseChatModel):
    """Acts as a model would: places the call, follows it to its end, and reports."""

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Scripted:
        return self

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        match messages[-1]:
            case ToolMessage(status="error", content=sentence):
                message = AIMessage(f"That was not possible. {sentence}")
            case ToolMessage(name="place_call", artifact=placed):
                message = wants("follow_call", call_id=placed.call_id)
            case ToolMessage(artifact=heard) if heard.more or not heard.ended or not heard.completed:
                message = wants("follow_call", call_id=heard.call_id, from_turn=heard.next_turn)
            case ToolMessage(artifact=heard):
                message = AIMessage(f"I called them. What came of it: {heard.call_summary}")
            case _:
                brief = "Ask how much a bike rental costs, and when they open."
                message = wants("place_call", phone_number="+44 20 7946 0018", task=brief)
        return ChatResult(generations=[ChatGeneration(message=message)])


def wants(tool: str, **arguments: Any) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": tool, "args": arguments, "id": uuid.uuid4().hex}])


def approve(ask: Ask) -> bool:
    """Asked before anything that spends, adds or deletes; the model cannot answer for you."""
    print(f"\n{ask.question.text()}\n-> approved by this example\n")
    return True


def main() -> None:
    with practice() as line:
        toolkit = TopCallsToolkit(client=Client(line=line), approve=approve)
        tools = {tool.name: tool for tool in toolkit.get_tools()}
        print(f"{len(tools)} tools: {', '.join(tools)}\n\nperson: {WISH}")
        model = Scripted().bind_tools(list(tools.values()))
        messages: list[BaseMessage] = [HumanMessage(WISH)]
        while (reply := model.invoke(messages)).tool_calls:
            messages.append(reply)
            for call in reply.tool_calls:
                print(f"model:  {call['name']}({', '.join(call['args'])})")
                result = tools[call["name"]].invoke(call)
                for said in getattr(result.artifact, "turns", ()):
                    print(f"{said.speaker:>20}: {said.text}")
                messages.append(result)
        print(f"\nmodel:  {reply.content}")


if __name__ == "__main__":
    main()
