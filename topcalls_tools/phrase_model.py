"""The phrase book as a chat model of LangChain: an agent without a language model."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict

from .client import Client
from .errors import TopCallsError
from .interpreter import ABOUT, Doubt, Reading, Scene, understood


class PhraseBookModel(BaseChatModel):
    """Reads what a person says by the phrase book and calls the tool that it orders; where it is in doubt, it
    asks. It is no language model and says so: another chat model in its place understands more.

    `create_agent(PhraseBookModel(client=client), TopCallsToolkit(client=client).get_tools())`
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    client: Client
    """Looks up what a sentence speaks of; only reads are sent."""
    region: str | None = None
    """The country in which numbers without a country code are dialled (ISO 3166-1), such as DE."""
    language: str = "en"
    """Of the phrase book, ISO 639-1."""
    served: tuple[str, ...] = ()
    """Names of the tools that may be called; `bind_tools` sets them."""

    @property
    def _llm_type(self) -> str:
        return "topcalls-phrase-book"

    def bind_tools(
        self, tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool], **kwargs: Any
    ) -> PhraseBookModel:
        """The same with these tools. A choice of tools that is asked for changes nothing: the sentence
        chooses."""
        names = tuple(convert_to_openai_tool(one)["function"]["name"] for one in tools)
        return self.model_copy(update={"served": names})

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        last = messages[-1]
        answer = _told(messages) if isinstance(last, ToolMessage) else self._read(last.text, messages)
        return ChatResult(generations=[ChatGeneration(message=answer)])

    def _read(self, said: str, messages: list[BaseMessage]) -> AIMessage:
        line = self.client.line
        scene = Scene(
            now=line.clock(),
            region=self.region,
            language=self.language,
            last_call=_spoken_of(messages, "call_id"),
            last_campaign=_spoken_of(messages, "campaign_id"),
        )
        try:
            read = self.client.run(understood(said, line.desk(), scene))
        except TopCallsError as error:
            return AIMessage(str(error))
        match read:
            case Doubt():
                return AIMessage(f"{read}\n{ABOUT}")
            case Reading() if read.tool not in self.served:
                command = read.tool.replace("_", "-")
                return AIMessage(f"{read} {read.tool} is no tool of this agent; topcalls {command} does it.")
            case Reading():
                call = {"name": read.tool, "args": read.arguments, "id": uuid.uuid4().hex}
                return AIMessage(str(read), tool_calls=[{**call, "type": "tool_call"}])


def _told(messages: Sequence[BaseMessage]) -> AIMessage:
    """What came of the tool: its answer stands in its own message, and what strangers said stays there."""
    last = messages[-1]
    if isinstance(last, ToolMessage) and last.status == "error":
        return AIMessage(f"{last.name} was not done: {last.text}")
    return AIMessage(f"{last.name} is done; its answer stands above.")


def _spoken_of(messages: Sequence[BaseMessage], name: str) -> str | None:
    """The id that the latest message with one names: in a tool's answer, or in what it was called with."""
    for message in reversed(messages):
        found = getattr(message.artifact, name, None) if isinstance(message, ToolMessage) else None
        if found is None and isinstance(message, AIMessage) and message.tool_calls:
            found = message.tool_calls[-1]["args"].get(name)
        if isinstance(found, str):
            return found
    return None
