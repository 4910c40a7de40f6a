"""A LangGraph graph pauses for a person and goes on, here, in another process, and once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, AnyMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode
from langgraph.types import Command

from topcalls_tools import Client, TopCallsToolkit
from topcalls_tools.approval.interrupt import interrupt
from topcalls_tools.connect import Line
from topcalls_tools.settings import Settings

from .conftest import CALL, World

OTHER = {**CALL, "phone_number": "+14155550124", "task": "Ask whether Tuesday is free."}
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
    state = await run(app, answered(question, yes), ONE, driver)
    assert not questions(state)
    assert len(world.rings()) == rings


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
async def test_two_questions_in_one_step_get_each_its_own_answer(
    world: World, rehearsal: Line, driver: str
) -> None:
    """One is approved and one declined, whichever of them is shown first."""
    app = graph(rehearsal, InMemorySaver())
    state = await run(app, wanted(CALL, OTHER), ONE, driver)
    for _ in range(8):
        if not (open_now := questions(state)):
            break
        question = open_now[-1]
        state = await run(app, answered(question, question["target"] == OTHER["phone_number"]), ONE, driver)
    assert not questions(state)
    assert [ring["phone_number"] for ring in world.rings()] == [OTHER["phone_number"]]


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
    (question,) = questions(await run(app, wanted(CALL), ONE, driver))
    changed = wanted({**CALL, "task": "Tell them something else."})
    (other,) = questions(await run(app, changed, {"configurable": {"thread_id": "2"}}, driver))
    assert other["id"] != question["id"]
    (still,) = questions(await run(app, answered(question), {"configurable": {"thread_id": "2"}}, driver))
    assert still["id"] == other["id"]
    assert world.rings() == []


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


def test_outside_a_graph_it_is_declined_in_words(world: World, rehearsal: Line) -> None:
    tools = TopCallsToolkit(client=Client(line=rehearsal), approve=interrupt).get_tools()
    tool = next(tool for tool in tools if tool.name == "place_call")
    said = tool.invoke({"type": "tool_call", "id": "1", "name": "place_call", "args": CALL}).content
    assert "only a graph with a checkpointer can pause" in said
    assert world.rings() == []


def test_a_graph_that_remembers_nothing_stops_at_the_question(world: World, rehearsal: Line) -> None:
    assert questions(graph(rehearsal, None).invoke(wanted(CALL)))
    assert world.rings() == []


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
