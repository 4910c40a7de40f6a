"""A LangGraph graph pauses for a person and goes on, here, in another process, and once."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, TypedDict

import httpx
import langgraph.types
import pytest
from langchain_core.messages import AIMessage, AnyMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.errors import GraphInterrupt
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, Send

from topcalls_tools import AsyncClient, Client, TopCallsToolkit
from topcalls_tools.api.calls import PlaceCall
from topcalls_tools.approval import interrupt as asking
from topcalls_tools.approval.interrupt import interrupt
from topcalls_tools.connect import Line, utc_now
from topcalls_tools.errors import Misconfigured
from topcalls_tools.flow.steps import ASK_LIVES
from topcalls_tools.settings import Settings

from .conftest import CALL, World
from .owner import owner

OTHER = {**CALL, "phone_number": "+14155550124", "task": "Ask whether Tuesday is free."}
THIRD = {**CALL, "phone_number": "+14155550125", "task": "Ask whether Wednesday is free."}
ONE = {"configurable": {"thread_id": "1"}}


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


def graph(line: Line, saver: BaseCheckpointSaver[Any] | None) -> Any:
    """The least agent: its model has spoken, and its tools run."""
    tools = TopCallsToolkit(client=Client(line=line), approve=interrupt).get_tools()
    plan = StateGraph(State)
    plan.add_node("tools", ToolNode(tools))
    plan.add_edge(START, "tools")
    plan.add_edge("tools", END)
    return plan.compile(checkpointer=saver)


def agent(line: Line) -> Any:
    """Each call runs in a task of its own, as in LangChain's agents."""
    tools = TopCallsToolkit(client=Client(line=line), approve=interrupt).get_tools()
    plan = StateGraph(State)
    plan.add_node("tools", ToolNode(tools))
    plan.add_conditional_edges(
        START, lambda state: [Send("tools", [call]) for call in state["messages"][-1].tool_calls], ["tools"]
    )
    return plan.compile(checkpointer=InMemorySaver())


def wanted(*calls: dict[str, Any]) -> dict[str, Any]:
    made = [
        {"type": "tool_call", "id": str(number), "name": "place_call", "args": call}
        for number, call in enumerate(calls)
    ]
    return {"messages": [AIMessage("", tool_calls=made)]}


def questions(state: Any) -> list[dict[str, Any]]:
    return [one.value for one in state.get("__interrupt__", ())]


def answered(question: dict[str, Any], yes: Any = True) -> Command[Any]:
    return Command(resume={"id": question["id"], "yes": yes})


async def run(app: Any, given: Any, config: Any, driver: str) -> Any:
    if driver == "async":
        return await app.ainvoke(given, config)
    import anyio

    return await anyio.to_thread.run_sync(app.invoke, given, config)


DRIVERS = ["sync", "async"]


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize(("yes", "rings"), [(True, 1), (False, 0), (None, 0), ("yes", 0), (1, 0)])
async def test_a_graph_pauses_with_the_question_and_only_true_rings(
    world: World, rehearsal: Line, driver: str, yes: Any, rings: int
) -> None:
    app = graph(rehearsal, InMemorySaver())
    (question,) = questions(await run(app, wanted(CALL), ONE, driver))
    assert world.rings() == []
    assert question["title"] == "Place call? Practice: no phone rings."
    assert (question["tool"], question["target"], question["minutes"]) == (
        "place_call",
        CALL["phone_number"],
        10,
    )
    assert f"task:\n  │ {CALL['task']}" in question["text"]
    assert json.loads(json.dumps(question)) == question
    (row,) = rehearsal.desk().journal().open_asks(rehearsal.clock())
    assert question["id"].startswith(row.key)
    state = await run(app, answered(question, yes), ONE, driver)
    assert not questions(state)
    assert len(world.rings()) == rings
    settled = rehearsal.desk().journal().asked(row.key)
    assert settled
    assert (settled.decision, settled.by) == {True: ("yes", "interrupt"), False: ("no", "interrupt")}.get(
        yes if isinstance(yes, bool) else None, (None, None)
    )
    assert not rehearsal.desk().journal().open_asks(rehearsal.clock())


@pytest.mark.parametrize("driver", DRIVERS)
async def test_an_answer_without_the_questions_id_is_none(world: World, rehearsal: Line, driver: str) -> None:
    app = graph(rehearsal, InMemorySaver())
    (question,) = questions(await run(app, wanted(CALL), ONE, driver))
    for answer in (True, {"yes": True}, {"id": "another", "yes": True}, "yes"):
        (again,) = questions(await run(app, Command(resume=answer), ONE, driver))
        assert again["id"] == question["id"]
    assert world.rings() == []
    await run(app, answered(question), ONE, driver)
    assert len(world.rings()) == 1


@pytest.mark.parametrize("driver", DRIVERS)
async def test_questions_in_one_task_get_each_its_own_answer_at_once(
    world: World, rehearsal: Line, driver: str
) -> None:
    """Whichever is shown first, and in whatever order the tools come for their answers."""
    app = graph(rehearsal, InMemorySaver())
    state = await run(app, wanted(CALL, OTHER, THIRD), ONE, driver)
    shown = []
    while open_now := questions(state):
        (question,) = open_now
        shown.append(question["target"])
        state = await run(app, answered(question, question["target"] == OTHER["phone_number"]), ONE, driver)
    assert sorted(shown) == [call["phone_number"] for call in (CALL, OTHER, THIRD)]
    assert [ring["phone_number"] for ring in world.rings()] == [OTHER["phone_number"]]


@pytest.mark.parametrize("driver", DRIVERS)
async def test_questions_in_tasks_of_their_own_are_open_together(
    world: World, rehearsal: Line, driver: str
) -> None:
    app = agent(rehearsal)
    paused = (await run(app, wanted(CALL, OTHER), ONE, driver))["__interrupt__"]
    one, two = sorted(paused, key=lambda each: str(each.value["target"]))
    no, yes = ({"id": each.value["id"], "yes": each is two} for each in (one, two))
    crossed = await run(app, Command(resume={one.id: yes, two.id: no}), ONE, driver)
    assert {each["id"] for each in questions(crossed)} == {one.value["id"], two.value["id"]}
    assert world.rings() == []
    assert not questions(await run(app, Command(resume={one.id: no, two.id: yes}), ONE, driver))
    assert [ring["phone_number"] for ring in world.rings()] == [OTHER["phone_number"]]


@pytest.mark.parametrize("waits", [True, False])
def test_in_one_node_the_answers_may_stand_in_other_places_than_the_questions(
    world: World, rehearsal: Line, waits: bool
) -> None:
    """A tool may come first for an answer that is another's, and one that is settled comes for none."""
    tools = TopCallsToolkit(client=Client(line=rehearsal), approve=interrupt).get_tools()
    place = next(tool for tool in tools if tool.name == "place_call")

    def node(state: State) -> State:
        paused: GraphInterrupt | None = None
        for call in state["messages"][-1].tool_calls:  # type: ignore[union-attr]
            try:
                place.invoke(call)
            except GraphInterrupt as pause:
                if waits:
                    raise
                paused = pause
        if paused:
            raise paused
        return {"messages": []}

    plan = StateGraph(State)
    plan.add_node("tools", node)
    plan.add_edge(START, "tools")
    app: Any = plan.compile(checkpointer=InMemorySaver())
    calls = (CALL, OTHER, THIRD)
    state = app.invoke(wanted(*calls), ONE)
    for call in calls if waits else reversed(calls):
        (question,) = questions(state)
        assert question["target"] == call["phone_number"]
        state = app.invoke(answered(question, call is not OTHER), ONE)
    assert not questions(state)
    rang = {ring["phone_number"] for ring in world.rings()}
    assert rang == {CALL["phone_number"], THIRD["phone_number"]}


def test_one_tool_at_a_time_comes_for_an_answer(rehearsal: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """LangGraph counts the pauses of a task and takes its answers in two steps."""
    alone: list[bool] = []

    def pause(value: Any) -> Any:
        alone.append(asking._turn.locked())
        return real(value)

    real = langgraph.types.interrupt
    monkeypatch.setattr(langgraph.types, "interrupt", pause)
    assert questions(graph(rehearsal, InMemorySaver()).invoke(wanted(CALL, OTHER), ONE))
    assert alone == [True, True]


@pytest.mark.parametrize("driver", DRIVERS)
async def test_the_same_answer_from_an_old_checkpoint_is_the_same_call(
    world: World, rehearsal: Line, driver: str
) -> None:
    app = graph(rehearsal, InMemorySaver())
    (question,) = questions(await run(app, wanted(CALL), ONE, driver))
    paused = app.get_state(ONE).config
    first = await run(app, answered(question), ONE, driver)
    again = await run(app, answered(question), paused, driver)
    told = [json.loads(state["messages"][-1].content.partition("\n")[2]) for state in (first, again)]
    assert told[0]["call_id"] == told[1]["call_id"]
    assert told[1]["replayed"] is True
    assert len(world.rings()) == 1


@pytest.mark.parametrize("driver", DRIVERS)
async def test_arguments_that_changed_while_it_paused_are_asked_about_anew(
    world: World, rehearsal: Line, driver: str
) -> None:
    app = graph(rehearsal, InMemorySaver())
    paused = await run(app, wanted(CALL), ONE, driver)
    (question,) = questions(paused)
    (changed,) = wanted({**CALL, "task": "Tell them something else."})["messages"]
    changed.id = paused["messages"][-1].id
    app.update_state(ONE, {"messages": [changed]}, as_node=START)
    (other,) = questions(await run(app, answered(question), ONE, driver))
    assert "Tell them something else." in other["text"]
    assert other["id"] != question["id"]
    assert world.rings() == []


@pytest.mark.parametrize("driver", DRIVERS)
async def test_an_answer_given_to_another_graph_counts_for_nothing(
    world: World, rehearsal: Line, driver: str
) -> None:
    app, there = graph(rehearsal, InMemorySaver()), {"configurable": {"thread_id": "2"}}
    (question,) = questions(await run(app, wanted(CALL), ONE, driver))
    (other,) = questions(await run(app, wanted(OTHER), there, driver))
    (still,) = questions(await run(app, answered(question), there, driver))
    assert still["id"] == other["id"]
    (again,) = questions(await run(app, None, ONE, driver))
    assert again["id"] == question["id"]
    assert world.rings() == []


def test_an_answer_that_comes_late_is_to_no_question_any_more(world: World, home: Path) -> None:
    now = [utc_now()]
    owner(home)
    line = Line(world.settings(home, rehearse=True), clock=lambda: now[0])
    app = graph(line, InMemorySaver())
    (question,) = questions(app.invoke(wanted(CALL), ONE))
    now[0] += ASK_LIVES + timedelta(seconds=1)
    (anew,) = questions(app.invoke(answered(question), ONE))
    assert anew["id"] != question["id"]
    assert world.rings() == []
    app.invoke(answered(anew), ONE)
    assert len(world.rings()) == 1
    line.close()


@pytest.mark.parametrize("yes", [True, False])
def test_a_graph_is_resumed_in_a_new_process(
    world: World, rehearsal: Line, home: Path, tmp_path: Path, yes: bool
) -> None:
    checkpoints = str(tmp_path / "checkpoints.db")
    with SqliteSaver.from_conn_string(checkpoints) as saver:
        (question,) = questions(graph(rehearsal, saver).invoke(wanted(CALL), ONE))
    rehearsal.close()
    given = {"url": world.url, "key": world.key, "home": str(home), "checkpoints": checkpoints}
    told = {**given, "id": question["id"], "yes": yes}
    done = subprocess.run(
        [sys.executable, "-m", "tests.test_interrupt", json.dumps(told)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert ("call_id" in done.stdout) == yes, done.stdout
    assert len(world.rings()) == yes


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("where", ["no graph", "a graph that remembers nothing"])
def test_where_nothing_can_pause_it_is_declined_in_words(
    world: World, rehearsal: Line, where: str, driver: str
) -> None:
    tools = TopCallsToolkit(client=Client(line=rehearsal), approve=interrupt).get_tools()
    tool = next(tool for tool in tools if tool.name == "place_call")
    call = {"type": "tool_call", "id": "1", "name": "place_call", "args": CALL}
    runs, given = (tool, call) if where == "no graph" else (graph(rehearsal, None), wanted(CALL))
    said = asyncio.run(runs.ainvoke(given)) if driver == "async" else runs.invoke(given)
    message = said if where == "no graph" else said["messages"][-1]
    assert "only a graph with a checkpointer can pause" in message.content
    assert world.rings() == []
    assert not rehearsal.desk().journal().open_asks(rehearsal.clock())


def test_without_langgraph_it_says_what_to_install(
    world: World, rehearsal: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "langgraph.types", None)
    with pytest.raises(Misconfigured, match=r"pip install 'topcalls-tools\[langgraph\]'"):
        Client(line=rehearsal, approve=interrupt).send(PlaceCall(**CALL))
    assert world.rings() == []


def test_a_call_on_its_way_while_another_tool_pauses_is_one_ring_and_settled(
    world: World, rehearsal: Line
) -> None:
    """The node does not wait for its other tools: they are cancelled where they stand."""
    on_its_way = threading.Event()

    class Slow(httpx.AsyncBaseTransport):
        inner = httpx.AsyncHTTPTransport()

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            reply = await self.inner.handle_async_request(request)
            if request.method == "POST":
                on_its_way.set()
                await asyncio.Event().wait()  # the answer never comes
            return reply

    def approve(ask: Any) -> Any:
        if ask.target == CALL["phone_number"]:
            return True
        on_its_way.wait()
        return interrupt(ask)

    client = AsyncClient(line=rehearsal, approve=approve, transport=Slow())
    plan = StateGraph(State)
    plan.add_node("tools", ToolNode(TopCallsToolkit(client=client).get_tools()))
    plan.add_edge(START, "tools")
    app: Any = plan.compile(checkpointer=InMemorySaver())
    (question,) = questions(asyncio.run(app.ainvoke(wanted(CALL, OTHER), ONE)))
    assert question["target"] == OTHER["phone_number"]
    (row,) = rehearsal.desk().journal().dials(rehearsal.account)
    assert (row.target, row.state) == (CALL["phone_number"], "placed")
    assert [ring["phone_number"] for ring in world.rings()] == [CALL["phone_number"]]


def main(told: dict[str, Any]) -> None:
    """Resume the graph of another process, and print what its tool said."""
    settings = Settings(api_key=told["key"], base_url=told["url"], home=told["home"], rehearse=True)
    line = Line(settings)
    with SqliteSaver.from_conn_string(told["checkpoints"]) as saver:
        state = graph(line, saver).invoke(answered({"id": told["id"]}, told["yes"]), ONE)
    print(state["messages"][-1].content)
    line.close()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
