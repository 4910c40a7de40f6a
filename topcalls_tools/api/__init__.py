"""Every endpoint of TopCalls, in the order of its documentation."""

from __future__ import annotations

from typing import Any

from ..endpoint import Endpoint
from .account import GetBalance
from .calls import CancelCall, GetCall, ListCalls, PlaceCall, StopCall
from .campaigns import GetCampaign, ListCampaigns, PauseCampaign, StartCampaign
from .configuration import ListBuiltinVoices, ListModels, ListVoices
from .leads import CreateLead, DeleteLead, GetLead, ImportLeads, ListLeads, UpdateLead
from .phone_numbers import (
    AddCarrier,
    AddPhoneNumber,
    DeleteCarrier,
    DeletePhoneNumber,
    GetPhoneNumber,
    ListCarriers,
    ListPhoneNumbers,
)
from .webhooks import CreateWebhook, DeleteWebhook, ListWebhooks

CATALOG: tuple[type[Endpoint[Any]], ...] = (
    ListCalls,
    GetCall,
    PlaceCall,
    StopCall,
    CancelCall,
    ListCampaigns,
    GetCampaign,
    StartCampaign,
    PauseCampaign,
    ListCarriers,
    ListPhoneNumbers,
    GetPhoneNumber,
    AddCarrier,
    AddPhoneNumber,
    DeleteCarrier,
    DeletePhoneNumber,
    ListModels,
    ListBuiltinVoices,
    ListVoices,
    GetBalance,
    ListLeads,
    GetLead,
    CreateLead,
    ImportLeads,
    UpdateLead,
    DeleteLead,
    CreateWebhook,
    ListWebhooks,
    DeleteWebhook,
)
