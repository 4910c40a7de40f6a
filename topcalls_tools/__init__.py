"""TopCalls phone calls as tools for language models, a typed client, and a sandbox that needs no account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .api import CATALOG
from .api.account import GetBalance
from .api.calls import CancelCall, GetCall, ListCalls, PlaceCall, StopCall
from .api.campaigns import GetCampaign, ListCampaigns, PauseCampaign, StartCampaign
from .api.configuration import ListBuiltinVoices, ListModels, ListVoices
from .api.leads import CreateLead, DeleteLead, GetLead, ImportLeads, ListLeads, UpdateLead
from .api.phone_numbers import (
    AddCarrier,
    AddPhoneNumber,
    DeleteCarrier,
    DeletePhoneNumber,
    GetPhoneNumber,
    ListCarriers,
    ListPhoneNumbers,
)
from .api.webhooks import CreateWebhook, DeleteWebhook, ListWebhooks
from .deeds.follow_call import FollowCall
from .errors import TopCallsError
from .flow.steps import Ask

if TYPE_CHECKING:
    from .client import AsyncClient, Client
    from .langchain import TopCallsToolkit

__version__ = "0.1.0"
__all__ = [
    "CATALOG",
    "AddCarrier",
    "AddPhoneNumber",
    "Ask",
    "AsyncClient",
    "CancelCall",
    "Client",
    "CreateLead",
    "CreateWebhook",
    "DeleteCarrier",
    "DeleteLead",
    "DeletePhoneNumber",
    "DeleteWebhook",
    "FollowCall",
    "GetBalance",
    "GetCall",
    "GetCampaign",
    "GetLead",
    "GetPhoneNumber",
    "ImportLeads",
    "ListBuiltinVoices",
    "ListCalls",
    "ListCampaigns",
    "ListCarriers",
    "ListLeads",
    "ListModels",
    "ListPhoneNumbers",
    "ListVoices",
    "ListWebhooks",
    "PauseCampaign",
    "PlaceCall",
    "StartCampaign",
    "StopCall",
    "TopCallsError",
    "TopCallsToolkit",
    "UpdateLead",
]


def __getattr__(name: str) -> Any:
    """What needs httpx or LangChain is imported when it is asked for."""
    match name:
        case "Client" | "AsyncClient":
            from . import client

            return getattr(client, name)
        case "TopCallsToolkit":
            from .langchain import TopCallsToolkit

            return TopCallsToolkit
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
