"""The LangChain tools: LangChain's own standard tests, errors as sentences, content for the model, typed artifacts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_tests.unit_tests import ToolsUnitTests

from topcalls_tools import AsyncClient, Client, TopCallsToolkit
from topcalls_tools.api.calls import CallPlaced
from topcalls_tools.connect import Line
from topcalls_tools.flow.steps import Ask
from topcalls_tools.settings import Settings
from topcalls_tools.tools import TOOLS, chosen

from .conftest import CALL, World
from .test_flow import Script
from .test_mcp import JSON
from .test_witness import witness


def tools_of(**given: Any) -> dict[str, BaseTool]:
    return {tool.name: tool for tool in TopCallsToolkit(**given).get_tools()}


def call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"type": "tool_call", "id": "1", "name": name, "args": arguments}


EXAMPLES: dict[str, dict[str, Any]] = {
    "follow_call": {"call_id": "564d4fd4-03bc-400a-abe0-05540fbeff88", "wait_seconds": 0},
    "explain_call": {"call_id": "564d4fd4-03bc-400a-abe0-05540fbeff88"},
    "find_contact": {"name": "the dentist"},
    "block_number": {"phone_number": "+14155550123", "reason": "asked not to be called"},
    "check_call": CALL,
}


def _standard(action: Any) -> type[ToolsUnitTests]:
    shown = EXAMPLES.get(action.tool) or witness(action)["arguments"]
    example = {name: value for name, value in shown.items() if name not in action.for_code}

    def constructor(self: object) -> BaseTool:
        line = Line(Settings(api_key="tc_test_unit_tests", base_url="http://127.0.0.1:1"))
        return tools_of(client=Client(line=line), toolsets="all")[action.tool]

    body = {
        "tool_constructor": property(constructor),
        "tool_constructor_params": property(lambda self: {}),
        "tool_invoke_params_example": property(lambda self: example),
    }
    return type(f"Test{action.__name__}", (ToolsUnitTests,), body)


for _action in TOOLS:
    globals()[f"Test{_action.__name__}"] = _standard(_action)


def test_name_description_and_schema_are_those_of_every_surface(client: Client) -> None:
    tools = tools_of(client=client, toolsets="all")
    assert list(tools) == [action.tool for action in TOOLS]
    for action in TOOLS:
        tool, listing = tools[action.tool], action.listing()
        assert (tool.name, tool.description, tool.args_schema) == (
            listing["name"],
            listing["description"],
            listing["inputSchema"],
        )
        function = convert_to_openai_tool(tool)["function"]
        assert function["name"] == action.tool
        assert function["parameters"]["properties"] == listing["inputSchema"]["properties"]


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
def test_content_is_json_for_the_model_and_the_artifact_is_the_reply(
    world: World, client: Client, way: str
) -> None:
    tool = tools_of(client=client)["place_call"]
    message = (
        tool.invoke(call("place_call", **CALL))
        if way == "invoke"
        else asyncio.run(tool.ainvoke(call("place_call", **CALL)))
    )
    first, _, rest = message.content.partition("\n")
    assert first == "Practice: no phone rang."
    told = json.loads(rest)
    assert isinstance(message.artifact, CallPlaced)
    assert told == {
        "live": False,
        "note": "With a live key a person would be asked first.",
        "call_id": message.artifact.call_id,
        "provider_call_id": message.artifact.provider_call_id,
        "status": "queued",
    }
    assert len(world.rings()) == 1


def test_one_toolkit_serves_several_event_loops(client: Client) -> None:
    tool = tools_of(client=client)["get_balance"]
    for _ in range(3):
        assert "call_minutes" in asyncio.run(tool.ainvoke({}))


@pytest.mark.parametrize("kind", ["none", "sync", "async"])
def test_a_toolkit_takes_either_client_or_none(line: Line, kind: str) -> None:
    given = {"none": None, "sync": Client(line=line), "async": AsyncClient(line=line)}[kind]
    tools = tools_of(client=given)
    assert "call_minutes" in tools["get_balance"].invoke({})
    assert "call_minutes" in asyncio.run(tools["get_balance"].ainvoke({}))


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("place_call", {"phone_number": "911", "task": "x" * 10}, "no international number"),
        ("place_call", {**CALL, "phone_number": "+19005550123"}, "premium-rate"),
        ("place_call", {**CALL, "config": {}}, "config is no argument"),
        ("place_call", {**CALL, "self": 1}, "self is no argument"),
        ("place_call", {**CALL, "webhook_url": "https://x.example"}, "webhook_url is no argument"),
        ("list_calls", {"limit": 500}, "from 1 to 200"),
        ("get_call", {}, "call_id is missing"),
    ],
)
def test_errors_are_sentences_and_nothing_is_sent(
    world: World, client: Client, way: str, name: str, arguments: Any, words: str
) -> None:
    tool = tools_of(client=client)[name]
    request = {"type": "tool_call", "id": "1", "name": name, "args": arguments}
    message = tool.invoke(request) if way == "invoke" else asyncio.run(tool.ainvoke(request))
    assert message.status == "error"
    assert words in message.content
    assert world.rings() == []


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
def test_in_rehearsal_approve_decides(world: World, rehearsal: Line, way: str) -> None:
    asked: list[Ask] = []

    def run(approve: Any) -> Any:
        tool = tools_of(client=Client(line=rehearsal), approve=approve)["place_call"]
        arguments = {**CALL, "max_duration": len(asked) + 1}
        return (
            tool.invoke(call("place_call", **arguments))
            if way == "invoke"
            else asyncio.run(tool.ainvoke(call("place_call", **arguments)))
        )

    assert "nobody can be asked" in run(None).content
    assert "said no" in run(lambda ask: (asked.append(ask), False)[1]).content
    assert "Nobody answered" in run(lambda ask: (asked.append(ask), None)[1]).content
    assert world.rings() == []
    assert run(lambda ask: (asked.append(ask), True)[1]).artifact.status == "queued"
    assert len(world.rings()) == 1
    assert all(CALL["phone_number"] in ask.question.text() for ask in asked)


def test_a_toolset_is_served_alone_with_every_brake(client: Client) -> None:
    tools = tools_of(client=client, toolsets="account")
    assert list(tools) == ["stop_call", "cancel_call", "pause_campaign", "get_balance", "block_number"]


def test_leads_are_given_to_an_agent_only_where_they_are_named(client: Client) -> None:
    assert list(tools_of(client=client)) == [action.tool for action in chosen("default")]
    assert not [name for name in tools_of(client=client) if "lead" in name]
    named = [*tools_of(client=client, toolsets="default,leads")]
    assert [name for name in named if "lead" in name] == [
        "list_leads", "get_lead", "create_lead", "import_leads", "update_lead", "delete_lead",
    ]  # fmt: skip
    assert not [name for name in tools_of(client=client, toolsets="all") if "webhook" in name]


@pytest.mark.parametrize("action", TOOLS, ids=lambda action: action.tool)
def test_arbitrary_json_never_escapes_as_an_exception(line: Line, action: Any) -> None:
    tool = tools_of(client=Client(line=line, approve=lambda ask: None), toolsets="all")[action.tool]

    @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(JSON)
    def throw(anything: Any) -> None:
        arguments = anything if isinstance(anything, dict) else {"call_id": anything, "limit": anything}
        message = tool.invoke({"type": "tool_call", "id": "1", "name": action.tool, "args": arguments})
        assert "Traceback" not in message.content
        assert line.key() not in message.content

    throw()


def test_with_a_live_key_without_approve_it_is_refused(live: Callable[..., Line]) -> None:
    looks = httpx.MockTransport(Script().play)
    tool = tools_of(client=Client(line=live(), transport=looks))["place_call"]
    assert "nobody can be asked here" in tool.invoke(call("place_call", **CALL)).content
