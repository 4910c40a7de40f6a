"""The phrase book as a chat model: an agent without a language model, under the same guard."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from topcalls_tools import Client
from topcalls_tools.connect import Line
from topcalls_tools.interpreter import ABOUT
from topcalls_tools.langchain import TopCallsToolkit
from topcalls_tools.phrase_model import PhraseBookModel

from .conftest import World

create_agent: Any = pytest.importorskip("langchain.agents").create_agent
ORDER = "Call +1 415 555 0123 and ask whether they are open on Labor Day."


def agent(client: Client) -> Any:
    return create_agent(
        PhraseBookModel(client=client, region="US"), TopCallsToolkit(client=client).get_tools()
    )


def says(graph: Any, *said: str) -> list[Any]:
    messages: list[Any] = []
    for one in said:
        messages = graph.invoke({"messages": [*messages, HumanMessage(one)]})["messages"]
    return messages


def test_an_agent_carries_out_what_the_book_reads(world: World, line: Line) -> None:
    messages = says(agent(Client(line=line, approve=lambda ask: True)), ORDER)
    assert [ring["phone_number"] for ring in world.rings()] == ["+14155550123"]
    assert messages[-1].text == "place_call is done; its answer stands above."


def test_without_a_yes_no_phone_rings_and_the_agent_says_so(world: World, line: Line) -> None:
    messages = says(agent(Client(line=line, approve=lambda ask: False)), ORDER)
    assert world.rings() == []
    assert messages[-1].text.startswith("place_call was not done: ")


def test_it_is_the_call_of_this_conversation(line: Line) -> None:
    client = Client(line=line, approve=lambda ask: True)
    messages = says(agent(client), ORDER, "Hang up.")
    placed = next(one.artifact.call_id for one in messages if one.type == "tool")
    calls = [one.tool_calls[0] for one in messages if isinstance(one, AIMessage) and one.tool_calls]
    assert [(one["name"], one["args"]) for one in calls[1:]] == [("stop_call", {"call_id": placed})]


def test_in_doubt_it_calls_no_tool_and_says_what_it_is(client: Client) -> None:
    last = says(agent(client), "Call the clinic tomorrow and ask about Tuesday.")[-1]
    assert last.tool_calls == []
    assert last.text.endswith(ABOUT)


def test_what_is_no_tool_of_the_agent_is_named_with_its_command(client: Client) -> None:
    last = says(agent(client), "Stop everything!")[-1]
    assert last.tool_calls == []
    assert last.text.endswith("stop_all is no tool of this agent; topcalls stop-all does it.")
