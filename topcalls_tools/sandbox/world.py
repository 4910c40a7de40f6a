"""The one place that knows which answer belongs to which endpoint."""

from __future__ import annotations

from functools import singledispatchmethod
from typing import Any

from ..action import Record
from ..api.account import Balance, GetBalance
from ..api.calls import Call, CallPage, CallPlaced, CancelCall, GetCall, ListCalls, PlaceCall, StopCall
from ..api.campaigns import (
    Campaign,
    CampaignPage,
    CampaignStarted,
    GetCampaign,
    ListCampaigns,
    PauseCampaign,
    StartCampaign,
)
from ..api.configuration import ListBuiltinVoices, ListModels, ListVoices, ModelPage, VoicePage
from ..api.leads import (
    CreateLead,
    DeleteLead,
    GetLead,
    ImportLeads,
    Lead,
    LeadCreated,
    LeadPage,
    LeadsImported,
    LeadUpdated,
    ListLeads,
    UpdateLead,
)
from ..api.phone_numbers import (
    AddCarrier,
    AddPhoneNumber,
    CarrierAdded,
    CarrierPage,
    DeleteCarrier,
    DeletePhoneNumber,
    GetPhoneNumber,
    ListCarriers,
    ListPhoneNumbers,
    Number,
    NumberAdded,
    NumberPage,
)
from ..api.webhooks import CreateWebhook, DeleteWebhook, ListWebhooks, WebhookCreated, WebhookPage
from ..endpoint import Deleted, Endpoint, Stopped
from . import calls, campaigns, leads, ledger, numbers, offer, subscriptions
from .caller import Caller


class World:
    """Answers every endpoint with a record whose set fields are the reply, or raises `Problem`."""

    @singledispatchmethod
    def answer(self, request: Endpoint[Any], caller: Caller) -> Record:
        raise TypeError(f"The sandbox has no answer to {type(request).__name__}; register one in World.")

    @answer.register
    def _(self, request: PlaceCall, caller: Caller) -> CallPlaced:
        return calls.place(request, caller)

    @answer.register
    def _(self, request: ListCalls, caller: Caller) -> CallPage:
        return calls.listed(request, caller)

    @answer.register
    def _(self, request: GetCall, caller: Caller) -> Call:
        return calls.one(request, caller)

    @answer.register
    def _(self, request: StopCall, caller: Caller) -> Stopped:
        return calls.stop(request, caller)

    @answer.register
    def _(self, request: CancelCall, caller: Caller) -> Stopped:
        return calls.cancel(request, caller)

    @answer.register
    def _(self, request: ListCampaigns, caller: Caller) -> CampaignPage:
        return campaigns.listed(request, caller)

    @answer.register
    def _(self, request: GetCampaign, caller: Caller) -> Campaign:
        return campaigns.one(request, caller)

    @answer.register
    def _(self, request: StartCampaign, caller: Caller) -> CampaignStarted:
        return campaigns.start(request, caller)

    @answer.register
    def _(self, request: PauseCampaign, caller: Caller) -> Stopped:
        return campaigns.pause(request, caller)

    @answer.register
    def _(self, request: ListCarriers, caller: Caller) -> CarrierPage:
        return numbers.carriers(caller)

    @answer.register
    def _(self, request: AddCarrier, caller: Caller) -> CarrierAdded:
        return numbers.add_carrier(request, caller)

    @answer.register
    def _(self, request: DeleteCarrier, caller: Caller) -> Deleted:
        return numbers.delete_carrier(request, caller)

    @answer.register
    def _(self, request: ListPhoneNumbers, caller: Caller) -> NumberPage:
        return numbers.listed(request, caller)

    @answer.register
    def _(self, request: GetPhoneNumber, caller: Caller) -> Number:
        return numbers.one(request, caller)

    @answer.register
    def _(self, request: AddPhoneNumber, caller: Caller) -> NumberAdded:
        return numbers.add(request, caller)

    @answer.register
    def _(self, request: DeletePhoneNumber, caller: Caller) -> Deleted:
        return numbers.delete(request, caller)

    @answer.register
    def _(self, request: ListModels, caller: Caller) -> ModelPage:
        return offer.models(request)

    @answer.register
    def _(self, request: ListBuiltinVoices, caller: Caller) -> VoicePage:
        return offer.builtin_voices(request)

    @answer.register
    def _(self, request: ListVoices, caller: Caller) -> VoicePage:
        return VoicePage(data=offer.VOICES)

    @answer.register
    def _(self, request: GetBalance, caller: Caller) -> Balance:
        return ledger.ledger(caller).balance()

    @answer.register
    def _(self, request: ListLeads, caller: Caller) -> LeadPage:
        return leads.listed(request, caller)

    @answer.register
    def _(self, request: GetLead, caller: Caller) -> Lead:
        return leads.one(request, caller)

    @answer.register
    def _(self, request: CreateLead, caller: Caller) -> LeadCreated:
        return leads.create(request, caller)

    @answer.register
    def _(self, request: ImportLeads, caller: Caller) -> LeadsImported:
        return leads.bulk(request, caller)

    @answer.register
    def _(self, request: UpdateLead, caller: Caller) -> LeadUpdated:
        return leads.update(request, caller)

    @answer.register
    def _(self, request: DeleteLead, caller: Caller) -> Deleted:
        return leads.delete(request, caller)

    @answer.register
    def _(self, request: CreateWebhook, caller: Caller) -> WebhookCreated:
        return subscriptions.create(request, caller)

    @answer.register
    def _(self, request: ListWebhooks, caller: Caller) -> WebhookPage:
        return subscriptions.listed(request, caller)

    @answer.register
    def _(self, request: DeleteWebhook, caller: Caller) -> Deleted:
        return subscriptions.delete(request, caller)
