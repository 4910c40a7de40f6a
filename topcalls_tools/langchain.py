"""The tools as LangChain tools."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from langchain_core.callbacks import adispatch_custom_event, dispatch_custom_event
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, BaseToolkit, StructuredTool, ToolException
from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError

from .action import Action, Record, sentence
from .client import Approve, AsyncApprove, AsyncClient, Client
from .errors import TopCallsError
from .flow.steps import Tell
from .tools import chosen

PRACTICE = "Practice: no phone rang."


class TopCallsToolkit(BaseToolkit):
    """The TopCalls tools for a LangChain agent: `TopCallsToolkit(approve=ask_me).get_tools()`.

    `client` is a `Client` or an `AsyncClient`; without one the settings decide, and without a key that is the
    sandbox. `approve` is asked before anything that spends, adds or deletes; with a live key and without it
    such tools answer that a person must be asked. Content is JSON for the model, the artifact is the typed
    reply. While follow_call waits, where the call stands comes as a custom event named follow_call, and in a
    graph with stream_mode="custom".
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    client: Client | AsyncClient | None = None
    approve: Any = None
    toolsets: str | None = None
    """Names of toolsets with commas between, such as "default,leads"; TOPCALLS_TOOLSETS by default."""

    _sync: Client = PrivateAttr()
    _async: AsyncClient = PrivateAttr()

    def model_post_init(self, context: Any) -> None:
        approve: Approve | AsyncApprove | None = self.approve
        match self.client:
            case Client() if approve is None:
                self._sync, self._async = self.client, self.client.twin()
            case AsyncClient() if approve is None:
                self._sync, self._async = self.client.twin(), self.client
            case given:
                self._sync = Client(line=given.line if given else None, approve=approve)  # type: ignore[arg-type]
                self._async = self._sync.twin()

    def get_tools(self) -> list[BaseTool]:
        """One tool for each action, sync and async. Errors reach the model as sentences, not as
        exceptions."""
        toolsets = self.toolsets or self._sync.line.settings.toolsets
        return [_tool(action, self._sync, self._async) for action in chosen(toolsets)]


class _Tool(StructuredTool):
    """A tool that validates its own arguments: against a schema that is a dict LangChain validates none."""

    action: type[BaseModel]

    def get_input_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        return self.action

    def _parse_input(self, tool_input: str | dict[str, Any], tool_call_id: str | None) -> dict[str, Any]:
        """Hand the arguments over whole: a name such as `config` would be taken for one of LangChain's
        own."""
        return {"arguments": tool_input}

    # LangChain resolves the annotations of these two at every call; without any there is nothing to resolve.
    def _run(self, arguments):  # type: ignore[no-untyped-def, override]
        return self.func(arguments)  # type: ignore[misc]

    async def _arun(self, arguments):  # type: ignore[no-untyped-def, override]
        return await self.coroutine(arguments)  # type: ignore[misc]


def _tool(action: type[Action[Any]], client: Client, twin: AsyncClient) -> BaseTool:
    def tell(notice: Tell) -> None:
        told = _streamed(action.tool, notice)
        with suppress(RuntimeError):  # outside of any run
            dispatch_custom_event(action.tool, told)

    async def atell(notice: Tell) -> None:
        told = _streamed(action.tool, notice)
        with suppress(RuntimeError):
            await adispatch_custom_event(action.tool, told)

    def run(arguments: Any) -> tuple[str, Record]:
        request = _read(action, arguments)
        try:
            return _told(request, client.send(request, tell=tell), client.line.live)
        except TopCallsError as error:
            raise ToolException(str(error)) from None

    async def arun(arguments: Any) -> tuple[str, Record]:
        request = _read(action, arguments)
        try:
            return _told(request, await twin.send(request, tell=atell), twin.line.live)
        except TopCallsError as error:
            raise ToolException(str(error)) from None

    return _Tool(
        action=action,
        name=action.tool,
        description=action.description,
        args_schema=action.input_schema(),
        func=run,
        coroutine=arun,
        response_format="content_and_artifact",
        handle_tool_error=True,
        metadata={"effect": action.effect.name.lower(), "toolset": action.toolset},
    )


def _streamed(tool: str, notice: Tell) -> dict[str, Any]:
    """A notice as stream events carry it. In a graph it is written to the stream, where stream_mode="custom"
    shows it."""
    told = {"tool": tool, **asdict(notice)}
    if "langgraph.config" in sys.modules:  # else there is no graph, and nothing to load for it
        from langgraph.config import get_stream_writer

        with suppress(RuntimeError, KeyError):  # not within a graph
            get_stream_writer()(told)
    return told


def _read(action: type[Action[Any]], arguments: Any) -> Action[Any]:
    if not isinstance(arguments, dict):
        raise ToolException(f"{action.tool} takes an object with its arguments, such as {{}}.")
    try:
        return action.from_tool(arguments)
    except ValidationError as wrong:
        raise ToolException(sentence(wrong, action)) from None


def _told(request: Action[Any], reply: Record, live: bool) -> tuple[str, Record]:
    told = request.told(reply, live)
    return (told if live else f"{PRACTICE}\n{told}"), reply
